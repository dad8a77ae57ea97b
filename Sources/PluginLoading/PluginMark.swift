/// What a plugin's library says of itself, in words that stand in its file: they are read before anything of it runs.
///
///     chimera-plugin entry=… interface=… compiler=….
///
/// The build writes the mark (see `list-components`). The interface is a number over the sources that a plugin is
/// compiled against; two that differ lay memory out differently. So may two compilers.
public struct PluginMark: Sendable, Equatable {
  /// The name of the function that gives the components.
  public let entry: String
  /// The sources that it was compiled against, as one number in hexadecimal.
  public let interface: String
  /// The compiler that it was compiled by.
  public let compiler: String

  /// The mark in `text`; nil when it is none.
  public init?(_ text: String) {
    guard text.hasPrefix(Self.beginning), text.hasSuffix(Self.end) else { return nil }
    var rest = text.dropFirst(Self.beginning.count).dropLast(Self.end.count)
    func word(_ key: String) -> String? {
      guard rest.hasPrefix(key) else { return nil }
      let value = rest.dropFirst(key.count).prefix { $0 != " " }
      rest = rest.dropFirst(key.count + value.count + 1)
      return String(value)
    }
    guard let entry = word("entry="), let interface = word("interface="), rest.hasPrefix("compiler=") else {
      return nil
    }
    self.entry = entry
    self.interface = interface
    compiler = String(rest.dropFirst("compiler=".count))
  }

  /// The mark somewhere in the bytes of a file; nil when there is none.
  public init?(searching bytes: UnsafeRawBufferPointer) {
    // Put together here, so that a program that loads plugins is not taken for one.
    let wanted = Array((Self.beginning + "entry=").utf8)
    var start = 0
    while start + wanted.count <= bytes.count {
      guard bytes[start] == wanted[0], bytes[start..<start + wanted.count].elementsEqual(wanted) else {
        start += 1
        continue
      }
      let text = String(decoding: bytes[start...].prefix(512).prefix { $0 != 0 }, as: UTF8.self)
      if let end = text.firstRange(of: Self.end), let mark = PluginMark(String(text[..<end.upperBound])) {
        self = mark
        return
      }
      start += 1
    }
    return nil
  }

  private static let beginning = "chimera-plugin" + " "
  private static let end = ";"
}
