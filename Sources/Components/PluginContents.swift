/// What a plugin brings: its entry point fills it in.
public struct PluginContents: Sendable {
  /// The components, each with its doc comment.
  public private(set) var components: [(type: any Component.Type, documentation: String)] = []

  /// Nothing yet.
  public init() {}

  /// Adds the components `types`, each with the doc comment in its place of `documentation`.
  public mutating func add(_ types: [any Component.Type], documentation: [String]) {
    for (index, type) in types.enumerated() {
      components.append((type, index < documentation.count ? documentation[index] : ""))
    }
  }
}
