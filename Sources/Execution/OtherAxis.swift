import Components

/// The tables of an axis beside the text's.
final class OtherAxis {
  let axis: RowAxis
  private let planned: PlannedAxis
  private let tokens: UnsafeMutablePointer<Int32>
  private let positions: UnsafeMutablePointer<Int32>
  private let sequences: UnsafeMutablePointer<SequenceSpan>
  private let given: FloatBuffer
  private var (rowCount, sequenceCount) = (0, 0)

  /// Tables for up to `rows` rows of as many sequences.
  init(_ axis: RowAxis, _ planned: PlannedAxis, rows: Int) throws(ExecutionProblem) {
    given = try FloatBuffer(count: rows * (planned.inputWidth ?? 0))
    self.axis = axis
    self.planned = planned
    tokens = .allocate(capacity: rows)
    positions = .allocate(capacity: rows)
    sequences = .allocate(capacity: rows)
  }

  deinit {
    tokens.deallocate()
    positions.deallocate()
    sequences.deallocate()
  }

  /// Begins a pass.
  func begin() { (rowCount, sequenceCount) = (0, 0) }

  /// The rows of the next sequence of the pass: what it gives, `before` rows of it having come in earlier passes. What is
  /// given was checked against the axis and the room there is.
  func add(_ input: AxisInput?, after before: Int) {
    let count = input?.count(on: planned) ?? 0
    let columns = input?.columns(on: planned) ?? 0
    let canvas = if case .canvas(_, let number)? = input { number } else { 0 }
    (sequences + sequenceCount).initialize(
      to: SequenceSpan(
        rows: rowCount..<rowCount + count, start: before, length: before + count, columns: columns, canvas: canvas))
    for offset in 0..<count { positions[rowCount + offset] = Int32(truncatingIfNeeded: before + offset) }
    switch input {
    case .tokens(let ids):
      for (offset, id) in ids.enumerated() { tokens[rowCount + offset] = Int32(truncatingIfNeeded: id) }
    case .rows(let numbers), .grid(let numbers, _), .canvas(let numbers, _):
      (given.base + rowCount * (planned.inputWidth ?? 0)).update(from: numbers, count: numbers.count)
    case nil: break
    }
    rowCount += count
    sequenceCount += 1
  }

  /// The rows of the pass so far.
  var batch: AxisBatch {
    let isGiven = planned.inputWidth != nil
    var batch = AxisBatch(
      tokens: UnsafeBufferPointer(start: tokens, count: isGiven ? 0 : rowCount),
      positions: UnsafeBufferPointer(start: positions, count: rowCount),
      sequences: UnsafeBufferPointer(start: sequences, count: sequenceCount))
    batch.count = rowCount
    batch.given = isGiven ? UnsafePointer(given.base) : nil
    return batch
  }
}
