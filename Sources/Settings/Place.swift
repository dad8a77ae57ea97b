/// Where a setting was written: a line and a column of a named source.
public struct Place: Sendable, Hashable {
  /// The name of the source, as the user knows it.
  public let source: String
  /// The line, counted from 1.
  public let line: Int
  /// The column in characters, counted from 1.
  public let column: Int
  /// How many characters the text at this place has; at least 1.
  public let length: Int

  /// The place of `length` characters at `line` and `column` of `source`.
  public init(source: String, line: Int, column: Int, length: Int = 1) {
    self.source = source
    self.line = line
    self.column = column
    self.length = max(1, length)
  }
}
