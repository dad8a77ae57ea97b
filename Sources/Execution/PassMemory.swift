import Components
import Kernels

/// The small tables that every pass fills in, and the workers' scratch memory.
struct PassMemory: ~Copyable {
  private let tokens: UnsafeMutablePointer<Int32>
  private let positions: UnsafeMutablePointer<Int32>
  private let outputRows: UnsafeMutablePointer<Int32>
  private let targets: UnsafeMutablePointer<Int32>
  private let sequences: UnsafeMutablePointer<SequenceSpan>
  private let states: UnsafeMutablePointer<UnsafePointer<BoundState>>
  private let batches: UnsafeMutableBufferPointer<AxisBatch>
  /// Which token each row of logits belongs to.
  private let outputs: UnsafeMutablePointer<Output>
  private let others: [OtherAxis]
  private let derived: [DerivedAxis]
  private let own: PlannedAxis
  /// The rows that the text's axis is given, where they are no tokens.
  private let given: GivenRows?
  /// Where the tokens end that each token's own see together; nil where no mask asks.
  private let ends: UnsafeMutablePointer<Int32>?
  /// Three numbers for each token; nil where no step asks.
  private let places: UnsafeMutablePointer<Int32>?
  private var scratch: FloatBuffer
  private var need = ScratchNeed()

  /// The token that a row of logits belongs to: the index of its input, and its position in the sequence.
  struct Output {
    let input: Int
    let position: Int
  }

  /// Tables for passes of up to `rows` rows of each of `plan`'s axes.
  init(_ plan: Plan, rows: Int) throws(ExecutionProblem) {
    // What throws comes first: nothing is to be taken down then.
    let scratch = try FloatBuffer(count: 0)
    let others = try plan.otherAxes.map { axis throws(ExecutionProblem) in
      try OtherAxis(axis, plan.axes[axis.index], rows: rows)
    }
    given = try plan.axes[RowAxis.tokens.index].inputWidth.map { width throws(ExecutionProblem) in
      try GivenRows(width: width, rows: rows)
    }
    self.scratch = scratch
    self.others = others
    own = plan.axes[RowAxis.tokens.index]
    derived = plan.axesBesideText.compactMap { DerivedAxis($0, plan.axes[$0.index], rows: rows) }
    ends = plan.lets(.picture) ? .allocate(capacity: rows) : nil
    places = plan.readsPlaces ? .allocate(capacity: 3 * rows) : nil
    tokens = .allocate(capacity: rows)
    positions = .allocate(capacity: rows)
    outputRows = .allocate(capacity: rows)
    outputs = .allocate(capacity: rows)
    targets = .allocate(capacity: rows)
    sequences = .allocate(capacity: rows)
    states = .allocate(capacity: rows)
    batches = .allocate(capacity: plan.axes.count)
    batches.initialize(repeating: AxisBatch())
  }

  deinit {
    tokens.deallocate()
    positions.deallocate()
    outputRows.deallocate()
    outputs.deallocate()
    targets.deallocate()
    sequences.deallocate()
    states.deallocate()
    batches.deallocate()
    ends?.deallocate()
    places?.deallocate()
  }

  /// Bytes of scratch memory.
  var byteCount: Int { scratch.count * MemoryLayout<Float>.stride }

  /// Gives `workers` the scratch memory that they `need`.
  mutating func reserveScratch(_ need: ScratchNeed, workers: Int) throws(ExecutionProblem) {
    scratch = try FloatBuffer(count: need.count(workers: workers))
    self.need = need
  }

  /// Fills the tables for `pass` and says which token each row of logits belongs to.
  ///
  /// `given` is what each input has on other axes; a part takes all of it with its first tokens.
  func fill(
    _ pass: PassPlan, _ open: [(sequence: SequenceState, tokens: [Int])], given: [[RowAxis: AxisInput]],
    pool: ThreadPool
  ) -> (Pass, UnsafeBufferPointer<Output>) {
    var (row, output) = (0, 0)
    for (index, part) in pass.parts.enumerated() {
      self.given?.put(given, of: part.input, rows: part.tokens.indices, at: row)
      let sequence = open[part.input].sequence
      let span = SequenceSpan(
        rows: row..<row + part.tokens.count, start: sequence.position, length: sequence.textLength,
        prefix: sequence.prefix, second: sequence.second, columns: columns(given, of: part.input))
      (sequences + index).initialize(to: span)
      (states + index).initialize(to: UnsafePointer(sequence.states))
      for (offset, token) in part.tokens.enumerated() {
        tokens[row] = Int32(truncatingIfNeeded: token)  // checked against the vocabulary
        positions[row] = Int32(truncatingIfNeeded: sequence.position + offset)
        if let places {
          for direction in 0..<3 {
            places[3 * row + direction] = sequence.places.place(of: sequence.position + offset, direction)
          }
        }
        if let ends { ends[row] = Int32(truncatingIfNeeded: sequence.end(of: sequence.position + offset)) }
        if pass.givesLogits(part, offset: offset) {
          outputRows[output] = Int32(truncatingIfNeeded: row)
          (outputs + output).initialize(to: Output(input: part.input, position: sequence.position + offset))
          output += 1
        }
        row += 1
      }
    }
    for other in others {
      other.begin()
      for part in pass.parts {
        let before = open[part.input].sequence.rowCounts[other.axis.index]
        let isNew = before == 0 && given.indices.contains(part.input)
        other.add(isNew ? given[part.input][other.axis] : nil, after: before)
      }
      batches[other.axis.index] = other.batch
    }
    for axis in derived {
      axis.fill(
        from: batches[axis.source.index],
        before: pass.parts.lazy.map { open[$0.input].sequence.rowCounts[axis.axis.index] })
      batches[axis.axis.index] = axis.batch
    }
    return (
      bound(rows: row, outputs: output, targets: 0, sequences: pass.parts.count, caching: true, pool: pool),
      UnsafeBufferPointer(start: outputs, count: output)
    )
  }

  /// Fills the tables for whole sequences from their beginning, of which nothing is cached; with `skipping`, only rows that
  /// have a target give logits.
  func fill(
    _ batch: [[Int]], targets goals: [[Int]], given: [[RowAxis: AxisInput]], prefixes: [Int], skipping: Bool,
    pool: ThreadPool
  ) -> Pass {
    var (row, output) = (0, 0)
    for (index, ids) in batch.enumerated() {
      self.given?.put(given, of: index, rows: ids.indices, at: row)
      (sequences + index).initialize(
        to: SequenceSpan(
          rows: row..<row + ids.count, start: 0, length: ids.count,
          prefix: prefixes.indices.contains(index) ? prefixes[index] : 0, columns: columns(given, of: index)))
      for (position, token) in ids.enumerated() {
        tokens[row] = Int32(truncatingIfNeeded: token)  // checked against the vocabulary
        positions[row] = Int32(truncatingIfNeeded: position)
        let goal = goals[index][position]
        if goal >= 0 || !skipping {
          outputRows[output] = Int32(truncatingIfNeeded: row)
          targets[output] = Int32(truncatingIfNeeded: goal)
          output += 1
        }
        row += 1
      }
    }
    for other in others {
      other.begin()
      for index in batch.indices { other.add(given.indices.contains(index) ? given[index][other.axis] : nil, after: 0) }
      batches[other.axis.index] = other.batch
    }
    for axis in derived {
      axis.fill(from: batches[axis.source.index], before: batch.lazy.map { _ in 0 })
      batches[axis.axis.index] = axis.batch
    }
    return bound(
      rows: row, outputs: output, targets: output, sequences: batch.count, caching: false, pool: pool)
  }

  /// How many rows one row of the picture has that is given to the model itself; 0 where none is.
  private func columns(_ given: [[RowAxis: AxisInput]], of input: Int) -> Int {
    guard own.inputWidth != nil, given.indices.contains(input) else { return 0 }
    return given[input][.tokens]?.columns(on: own) ?? 0
  }

  private func bound(
    rows: Int, outputs: Int, targets wanted: Int, sequences count: Int, caching: Bool, pool: ThreadPool
  ) -> Pass {
    batches[RowAxis.tokens.index] = AxisBatch(
      tokens: UnsafeBufferPointer(start: tokens, count: rows),
      positions: UnsafeBufferPointer(start: positions, count: rows),
      sequences: UnsafeBufferPointer(start: sequences, count: count))
    if let given { batches[RowAxis.tokens.index].given = given.base }
    if caching, let places { batches[RowAxis.tokens.index].places = UnsafePointer(places) }
    if caching, let ends { batches[RowAxis.tokens.index].ends = UnsafeBufferPointer(start: ends, count: rows) }
    batches[RowAxis.outputs.index] = AxisBatch(
      selected: UnsafeBufferPointer(start: outputRows, count: outputs),
      targets: UnsafeBufferPointer(start: targets, count: wanted))
    return Pass(
      batches: batches, states: UnsafeBufferPointer(start: states, count: caching ? count : 0), pool: pool,
      scratch: scratch.base + need.shared, scratchWidth: need.own, sharedScratch: scratch.base)
  }
}

/// Numbers of scratch memory that the steps of a plan ask for: each step may use both parts, and steps follow each other.
struct ScratchNeed: Hashable {
  /// What all workers share.
  var shared = 0
  /// What each worker has for itself.
  var own = 16

  /// All of it, for `workers` workers.
  func count(workers: Int) -> Int { shared + own * workers }
}

extension Plan {
  /// What its steps ask for in passes over up to `rows` rows of sequences of up to `context` tokens.
  func scratchNeed(rows: Int, context: Int) -> ScratchNeed {
    func atCacheLine(_ count: Int) -> Int { (count + 15) / 16 * 16 }
    return steps.reduce(into: ScratchNeed()) { need, step in
      guard let kernel = step.operation as? any Kernel else { return }
      need.shared = max(need.shared, atCacheLine(kernel.sharedScratch(step: step, rows: rows)))
      need.own = max(need.own, atCacheLine(kernel.scratch(step: step, rows: rows, context: context)))
    }
  }
}
