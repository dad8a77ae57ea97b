/// Consecutive rows of a pass that belong to one sequence.
public struct SequenceSpan: Sendable, Hashable {
  /// The rows.
  public let rows: Range<Int>
  /// The position in the sequence of the first row.
  public let start: Int
  /// How many tokens the sequence is opened for: what a scaling that depends on length goes by, so that a prompt
  /// computed at once and token by token agree.
  public let length: Int

  /// The `rows` that continue a sequence opened for `length` tokens at position `start`.
  public init(rows: Range<Int>, start: Int, length: Int) {
    self.rows = rows
    self.start = start
    self.length = length
  }
}
