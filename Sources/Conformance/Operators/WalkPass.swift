import Components
import Execution
import Kernels

/// The tables of one pass of a walk.
final class WalkPass {
  /// A part of a sequence.
  struct Part {
    let tokens: [Int]
    var start = 0
    var length: Int
    var states: WalkStates?
  }

  /// Tokens of the longest sequence, with those of earlier passes.
  let context: Int

  private let tokens: UnsafeMutableBufferPointer<Int32>
  private let positions: UnsafeMutableBufferPointer<Int32>
  private let outputRows: UnsafeMutableBufferPointer<Int32>
  private let spans: UnsafeMutableBufferPointer<SequenceSpan>
  private let states: UnsafeMutableBufferPointer<UnsafePointer<BoundState>>
  private let batches: UnsafeMutableBufferPointer<AxisBatch>
  private let owners: [WalkStates]
  private let pool: ThreadPool
  private var given: [GuardedMemory] = []
  private let derived: [DerivedAxis]

  /// The tables for `parts` of sequences of `plan`, with logits of every row. Other stacks are given the same tokens, row for row.
  init(_ parts: [Part], of plan: Plan, pool: ThreadPool) {
    self.pool = pool
    context = parts.map { $0.start + $0.tokens.count }.max() ?? 1
    owners = parts.compactMap(\.states)
    derived = plan.axesBesideText.compactMap {
      DerivedAxis($0, plan.axes[$0.index], rows: parts.reduce(0) { $0 + $1.tokens.count })
    }
    let ids = parts.flatMap(\.tokens)
    tokens = .allocate(capacity: ids.count)
    positions = .allocate(capacity: ids.count)
    outputRows = .allocate(capacity: ids.count)
    spans = .allocate(capacity: parts.count)
    states = .allocate(capacity: parts.count)
    batches = .allocate(capacity: plan.axes.count)
    batches.initialize(repeating: AxisBatch())
    var row = 0
    for (index, part) in parts.enumerated() {
      spans.initializeElement(
        at: index, to: SequenceSpan(rows: row..<row + part.tokens.count, start: part.start, length: part.length))
      if let own = part.states { states.initializeElement(at: index, to: UnsafePointer(own.bound)) }
      for (offset, token) in part.tokens.enumerated() {
        tokens[row] = Int32(token)
        positions[row] = Int32(part.start + offset)
        outputRows[row] = Int32(row)
        row += 1
      }
    }
    batches[RowAxis.tokens.index] = AxisBatch(
      tokens: UnsafeBufferPointer(tokens), positions: UnsafeBufferPointer(positions),
      sequences: UnsafeBufferPointer(spans))
    batches[RowAxis.outputs.index] = AxisBatch(selected: UnsafeBufferPointer(outputRows))
    for axis in plan.otherAxes {
      batches[axis.index] = batches[RowAxis.tokens.index]
      guard let width = plan.axes[axis.index].inputWidth else { continue }
      let memory = GuardedMemory(ids.count * width)
      memory.fill(TinyModel.rows(of: ids, width: width))
      given.append(memory)
      batches[axis.index].given = UnsafePointer(memory.base)
    }
    for axis in derived {
      axis.fill(from: batches[axis.source.index], before: parts.lazy.map { plan.rows(on: axis.axis, of: $0.start) })
      batches[axis.axis.index] = axis.batch
    }
    if let width = plan.axes[RowAxis.tokens.index].inputWidth {
      let memory = GuardedMemory(ids.count * width)
      memory.fill(TinyModel.rows(of: ids, width: width))
      given.append(memory)
      batches[RowAxis.tokens.index].given = UnsafePointer(memory.base)
    }
  }

  deinit {
    tokens.deallocate()
    positions.deallocate()
    outputRows.deallocate()
    spans.deallocate()
    states.deallocate()
    batches.deallocate()
  }

  /// How many rows it has.
  var rows: Int { tokens.count }

  /// How many rows stand on `axis`: fewer where they are made of several.
  func rows(on axis: RowAxis) -> Int { batches[axis.index].count }

  /// The pass for one step, with `scratch` of `width` numbers for each worker and `shared` for all; even the smallest work is divided.
  func pass(scratch: GuardedMemory, width: Int, shared: GuardedMemory) -> Pass {
    var pass = Pass(
      batches: batches,
      states: UnsafeBufferPointer(start: states.baseAddress, count: owners.isEmpty ? 0 : states.count), pool: pool,
      scratch: scratch.base, scratchWidth: width, sharedScratch: shared.base)
    pass.mostGrain = 1
    pass.startsGradients = true
    return pass
  }
}

/// The states of a sequence of a walk, each in exactly the memory that it declares.
final class WalkStates {
  let memory: [GuardedMemory]
  let bound: UnsafeMutablePointer<BoundState>

  /// The states of `plan` for a sequence of `length` tokens. A window has room for all of them: it never moves on.
  init(_ plan: Plan, length: Int) {
    memory = plan.states.map { GuardedMemory($0.width * ($0.extent == .fixed ? 1 : length)) }
    bound = .allocate(capacity: max(1, plan.states.count))
    for (index, state) in plan.states.enumerated() {
      if state.extent == .fixed { memory[index].fill(0) }
      (bound + index).initialize(to: BoundState(memory[index].base, format: .f32, rowBytes: 4 * state.width))
    }
  }

  deinit { bound.deallocate() }
}
