import Components

/// The tables of an axis whose rows are made of another's.
package final class DerivedAxis {
  package let axis: RowAxis
  /// The axis of the rows that its own are made of.
  package let source: RowAxis
  private let dropping: Int
  private let joining: Int
  private let positions: UnsafeMutablePointer<Int32>
  private let sequences: UnsafeMutablePointer<SequenceSpan>
  private var (rowCount, sequenceCount) = (0, 0)

  /// Tables for up to `rows` rows of as many sequences; nil where the rows of the axis are its own.
  package init?(_ axis: RowAxis, _ planned: PlannedAxis, rows: Int) {
    guard case .derived(let source, let dropping, let joining) = planned.kind else { return nil }
    self.axis = axis
    self.source = source
    self.dropping = dropping
    self.joining = joining
    positions = .allocate(capacity: rows)
    sequences = .allocate(capacity: rows)
  }

  deinit {
    positions.deallocate()
    sequences.deallocate()
  }

  /// Takes the sequences of a pass from the rows of `batch`; `before` rows of each came in earlier passes.
  package func fill(from batch: AxisBatch, before: some Sequence<Int>) {
    (rowCount, sequenceCount) = (0, 0)
    for (span, before) in zip(batch.sequences, before) {
      let count = max(0, span.rows.count - dropping) / joining
      (sequences + sequenceCount).initialize(
        to: SequenceSpan(rows: rowCount..<rowCount + count, start: before, length: before + count))
      for offset in 0..<count { positions[rowCount + offset] = Int32(truncatingIfNeeded: before + offset) }
      rowCount += count
      sequenceCount += 1
    }
  }

  /// The rows of the pass.
  package var batch: AxisBatch {
    var batch = AxisBatch(
      tokens: UnsafeBufferPointer(start: nil, count: 0),
      positions: UnsafeBufferPointer(start: positions, count: rowCount),
      sequences: UnsafeBufferPointer(start: sequences, count: sequenceCount))
    batch.count = rowCount
    return batch
  }
}

/// The rows that the axis of a model's own sequences is given, where they are no tokens.
final class GivenRows {
  private let buffer: FloatBuffer
  private let width: Int

  /// Room for `rows` rows of `width` numbers.
  init(width: Int, rows: Int) throws(ExecutionProblem) {
    buffer = try FloatBuffer(count: rows * width)
    self.width = width
  }

  var base: UnsafePointer<Float> { UnsafePointer(buffer.base) }

  /// Puts the `rows` that `given` has for the sequence `input` where the pass has them, from `row` on.
  func put(_ given: [[RowAxis: AxisInput]], of input: Int, rows: Range<Int>, at row: Int) {
    guard given.indices.contains(input), case .rows(let numbers)? = given[input][.tokens] else { return }
    numbers.withUnsafeBufferPointer { numbers in
      guard let start = numbers.baseAddress, rows.upperBound * width <= numbers.count else { return }
      (buffer.base + row * width).update(from: start + rows.lowerBound * width, count: rows.count * width)
    }
  }
}
