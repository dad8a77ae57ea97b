import Components

/// Reads YAML 1.2 text into a `Setting` with the place of everything in it.
///
/// Scalars keep their text, so core values (`no` is a word, `1e-4` a number) are decided by who reads the setting.
/// Refused, each with its place: duplicate keys, keys that are no texts, unknown tags, `<<`, a second document, tabs
/// that indent, what is not UTF-8, and more than the budgets allow. An alias is shared, not copied: its nodes are
/// counted as often as it is used, and its depth where it is used, so that no text grows past the budgets by naming
/// itself.
public struct YAMLReader: Sendable {
  /// How large a text may be, in bytes.
  public static let byteLimit = SourceText.byteLimit
  /// How deep lists and groups may stand in each other.
  public static let depthLimit = 64
  /// How many texts, lists and groups a text may describe, aliases counted with what they stand for.
  public static let nodeLimit = 100_000

  private let source: String
  private let firstLine: Int
  private let firstColumn: Int

  /// A reader of text that messages call `source` and that begins at `firstLine` and `firstColumn` of it.
  public init(source: String, firstLine: Int = 1, firstColumn: Int = 1) {
    self.source = source
    self.firstLine = firstLine
    self.firstColumn = firstColumn
  }

  /// The setting that `text` writes; throws every problem found up to the first that leaves the rest unclear.
  public func read(_ text: String) throws(Problems) -> Setting {
    try read(Array(text.utf8))
  }

  /// The setting that `bytes` write; throws every problem found up to the first that leaves the rest unclear.
  public func read(_ bytes: [UInt8]) throws(Problems) -> Setting {
    let text: SourceText
    do throws(Problem) {
      text = try SourceText(bytes) { place(line: $0, column: $1, length: $2) }
    } catch {
      throw Problems([error])
    }
    var builder = SettingBuilder(text: text, reader: self)
    return try builder.build()
  }

  /// The place of `length` characters at a line and column counted from 0.
  func place(line: Int, column: Int, length: Int = 1) -> Place {
    Place(
      source: source, line: firstLine + line, column: (line == 0 ? firstColumn : 1) + column, length: length)
  }
}
