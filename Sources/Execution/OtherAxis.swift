import Components

/// The tables of an axis beside the text's.
final class OtherAxis {
  let axis: RowAxis
  private let planned: PlannedAxis
  private let tokens: UnsafeMutablePointer<Int32>
  private let positions: UnsafeMutablePointer<Int32>
  private let sequences: UnsafeMutablePointer<SequenceSpan>
  private let given: FloatBuffer

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

  /// The rows of a pass: for each of its sequences what it gives, and how many rows it had before. What is given was
  /// checked against the axis and the room there is.
  func fill(_ parts: [(input: AxisInput?, before: Int)]) -> AxisBatch {
    var row = 0
    for (index, part) in parts.enumerated() {
      let count = part.input?.count(on: planned) ?? 0
      (sequences + index).initialize(
        to: SequenceSpan(rows: row..<row + count, start: part.before, length: part.before + count))
      for offset in 0..<count { positions[row + offset] = Int32(truncatingIfNeeded: part.before + offset) }
      switch part.input {
      case .tokens(let ids):
        for (offset, id) in ids.enumerated() { tokens[row + offset] = Int32(truncatingIfNeeded: id) }
      case .rows(let numbers):
        (given.base + row * (planned.inputWidth ?? 0)).update(from: numbers, count: numbers.count)
      case nil: break
      }
      row += count
    }
    let isGiven = planned.inputWidth != nil
    var batch = AxisBatch(
      tokens: UnsafeBufferPointer(start: tokens, count: isGiven ? 0 : row),
      positions: UnsafeBufferPointer(start: positions, count: row),
      sequences: UnsafeBufferPointer(start: sequences, count: parts.count))
    batch.count = row
    batch.given = isGiven ? UnsafePointer(given.base) : nil
    return batch
  }
}
