import Components
import Kernels

/// The order in which a training pass runs the steps of a plan: the body forwards, the tail forwards and backwards, the
/// body backwards.
///
/// The tail is what is computed for rows with targets alone: from their selection to the loss. It runs over a block of
/// such rows at a time, so that the logits of all rows are never there at once; its values' memory is a block's.
struct TrainingSchedule {
  /// One step run one way.
  enum Action {
    case forward(Int)
    case backward(Int)
  }

  /// What is run: the composed plan, fused, with the loss behind it.
  let plan: Plan
  /// The loss of each row.
  let loss: Value
  /// The actions in order; steps that are computed again stand between the backwards.
  let actions: [Action]
  /// The actions that are repeated for each block of rows.
  let tail: Range<Int>
  /// Whether the tail's rows may be cut into blocks.
  let canCut: Bool
  /// For each value, whether a learned tensor that is not frozen has a part in it.
  let isLearned: [Bool]

  /// What matrices are multiplied in.
  let computeType: ComputeType

  init(_ composed: Plan, loss kernel: any Kernel, options: TrainingOptions) {
    computeType = options.precision.computeType
    (plan, loss) = composed.joiningSiblings().fusingFollowers().with(loss: kernel)
    let steps = plan.steps
    let first = steps.firstIndex { $0.outputs.contains { $0.axis == .outputs } } ?? steps.count - 1
    canCut = steps[first...].enumerated().allSatisfy { index, step in
      step.outputs.allSatisfy { $0.axis == .outputs } && (index == 0 || step.operation.traits.isRowwise)
        && (index == 0 || step.inputs.allSatisfy { $0.axis == .outputs })
    }
    let frozen = plan.parameters.map(\.isFrozen)
    var learned = Array(repeating: false, count: plan.values.count)
    for step in steps {
      let hasPart = step.parameters.contains { !frozen[$0] } || step.inputs.contains { learned[$0.index] }
      for output in step.outputs { learned[output.index] = hasPart }
    }
    isLearned = learned

    var actions = steps.indices.map { Action.forward($0) }
    for index in (first..<steps.count).reversed() where steps[index].outputs.contains(where: { learned[$0.index] }) {
      actions.append(.backward(index))
    }
    tail = first..<actions.count
    var again = Recomputed(steps[..<first], of: plan, options.recomputation)
    for index in (0..<first).reversed() where steps[index].outputs.contains(where: { learned[$0.index] }) {
      for value in steps[index].readByBackward { again.compute(value, steps, into: &actions) }
      actions.append(.backward(index))
    }
    self.actions = actions
  }
}

extension Step {
  /// The values that its backward reads.
  var readByBackward: [Value] {
    inputs.indices.filter(operation.traits.backwardReadsInputs.contains).map { inputs[$0] }
      + (operation.traits.backwardReadsOutputs ? outputs : [])
  }
}

/// The values that are computed a second time, by the steps that write them.
private struct Recomputed {
  private var writer: [Int: Int] = [:]
  private var done: Set<Int> = []

  init(_ steps: ArraySlice<Step>, of plan: Plan, _ choice: TrainingOptions.Recomputation) {
    guard choice == .cheap else { return }
    for index in steps.indices {
      let step = steps[index]
      guard step.operation.traits.isCheap, step.saved.isEmpty, !step.inputs.isEmpty else { continue }
      for output in step.outputs { writer[output.index] = index }
    }
  }

  /// Adds what computes `value` again, unless it is kept or was computed again before.
  mutating func compute(_ value: Value, _ steps: [Step], into actions: inout [TrainingSchedule.Action]) {
    guard let index = writer[value.index], done.insert(index).inserted else { return }
    for input in steps[index].inputs { compute(input, steps, into: &actions) }
    actions.append(.forward(index))
  }
}
