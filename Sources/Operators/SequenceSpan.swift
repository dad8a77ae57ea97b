/// Consecutive rows of a pass that belong to one sequence.
public struct SequenceSpan: Sendable, Hashable {
  /// The rows.
  public let rows: Range<Int>
  /// The position in the sequence of the first row.
  public let start: Int
  /// How many tokens the sequence's text has: those before, those of this pass, and those that later passes of the same
  /// call compute. How many more the sequence has room for is not to be seen, for nothing may follow from it.
  public let length: Int
  /// How many first tokens of the sequence see each other, where a mask lets them.
  public let prefix: Int
  /// Where the second of two texts begins that are read together; `Int.max` where there is one text alone.
  public let second: Int
  /// How many rows one row of a picture has; 0 where rows are no picture's.
  public let columns: Int
  /// The number of the canvas on which a picture's tiles lie, from 1; 0 where rows are no tiles of one.
  public let canvas: Int

  /// The `rows` that continue a sequence at position `start`, whose text has `length` tokens. The first `prefix` tokens see
  /// each other where a mask says so, and a second text begins at `second`.
  public init(
    rows: Range<Int>, start: Int, length: Int, prefix: Int = 0, second: Int = Int.max, columns: Int = 0,
    canvas: Int = 0
  ) {
    self.rows = rows
    self.start = start
    self.length = length
    self.prefix = prefix
    self.second = second
    self.columns = columns
    self.canvas = canvas
  }
}
