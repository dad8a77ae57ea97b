/// The rows of one axis in a pass, and where they come from.
public struct AxisBatch {
  /// How many rows there are.
  public var count: Int
  /// The token ids, a row each; empty on an axis whose rows are given or selected.
  public var tokens: UnsafeBufferPointer<Int32>
  /// The position of each row in its sequence.
  public var positions: UnsafeBufferPointer<Int32>
  /// The sequences and their rows.
  public var sequences: UnsafeBufferPointer<SequenceSpan>
  /// The rows that the pass was given, one after the other; nil on an axis of token ids or of selected rows.
  public var given: UnsafePointer<Float>?
  /// Where the positions end that see each other with each row's own, where it is among such; 0 where it is not. Empty where no
  /// step asks.
  public var ends: UnsafeBufferPointer<Int32>
  /// For each row three numbers, its place in time, down and across; nil where no step asks: all three are its position then.
  public var places: UnsafePointer<Int32>?
  /// On an axis of selected rows, the row of the other axis that each stands for.
  public var selected: UnsafeBufferPointer<Int32>
  /// What each row should have predicted, −1 for nothing; empty unless a loss is computed.
  public var targets: UnsafeBufferPointer<Int32>

  /// A batch without rows.
  public init() {
    count = 0
    tokens = UnsafeBufferPointer(start: nil, count: 0)
    positions = UnsafeBufferPointer(start: nil, count: 0)
    sequences = UnsafeBufferPointer(start: nil, count: 0)
    ends = UnsafeBufferPointer(start: nil, count: 0)
    selected = UnsafeBufferPointer(start: nil, count: 0)
    targets = UnsafeBufferPointer(start: nil, count: 0)
  }

  /// Rows of token ids, in sequences.
  public init(
    tokens: UnsafeBufferPointer<Int32>, positions: UnsafeBufferPointer<Int32>,
    sequences: UnsafeBufferPointer<SequenceSpan>
  ) {
    self.init()
    count = tokens.count
    self.tokens = tokens
    self.positions = positions
    self.sequences = sequences
  }

  /// Rows selected from another axis.
  public init(
    selected: UnsafeBufferPointer<Int32>,
    targets: UnsafeBufferPointer<Int32> = UnsafeBufferPointer(start: nil, count: 0)
  ) {
    self.init()
    count = selected.count
    self.selected = selected
    self.targets = targets
  }
}
