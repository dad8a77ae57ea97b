/// Something that a model has and that others have too: a component, or what one is set to.
public struct ModelFeature: Sendable, Hashable {
  /// What it is a kind of: `position`, `attention`.
  public let group: String
  /// Its name: `rope`, `GQA`.
  public let name: String

  /// The kind `name` of `group`.
  public init(group: String, name: String) { (self.group, self.name) = (group, name) }
}
