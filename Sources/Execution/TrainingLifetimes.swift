import Components

/// What every action of a training pass reads and writes, as buffers with a first and a last action.
///
/// A value that is computed again lives twice. What the tail reads or writes of the body's rows lives through all of the
/// tail, which runs once for each block.
struct TrainingLifetimes {
  /// Numbers that live from one action to another.
  struct Buffer {
    let width: Int
    let axis: RowAxis
    /// Whether its rows are those of a block of the tail.
    var isTail: Bool { axis == .outputs }
    var birth: Int
    var death: Int
  }

  /// The buffers of one action, as indices; nil where it reads or writes nothing.
  struct Use {
    var inputs: [Int?] = []
    var outputs: [Int?] = []
    var saved: [Int] = []
    var inputGradients: [Int?] = []
    var inputGradientsAccumulate: [Bool] = []
    var outputGradients: [Int?] = []
    /// Gradients that must be zeros before the action.
    var zeroed: [Int] = []
  }

  private(set) var buffers: [Buffer] = []
  /// For each action, its buffers.
  private(set) var uses: [Use] = []
  /// The loss of each row, and its gradient where one follows.
  private(set) var loss = 0
  private(set) var lossGradient: Int?

  private let schedule: TrainingSchedule
  private var values: [Int?]
  private var gradients: [Int?]
  private var saved: [[Int]]

  init(_ schedule: TrainingSchedule) {
    self.schedule = schedule
    values = Array(repeating: nil, count: schedule.plan.values.count)
    gradients = values
    saved = Array(repeating: [], count: schedule.plan.steps.count)
    for (time, action) in schedule.actions.enumerated() {
      switch action {
      case .forward(let step): uses.append(forward(schedule.plan.steps[step], step, at: time))
      case .backward(let step): uses.append(backward(schedule.plan.steps[step], step, at: time))
      }
    }
  }

  private mutating func born(_ width: Int, _ axis: RowAxis, at time: Int) -> Int {
    buffers.append(Buffer(width: width, axis: axis, birth: time, death: time))
    touch(buffers.count - 1, at: time)
    return buffers.count - 1
  }

  private mutating func touch(_ buffer: Int, at time: Int) {
    buffers[buffer].death = max(buffers[buffer].death, time)
    guard !buffers[buffer].isTail, schedule.tail.contains(time) else { return }
    buffers[buffer].birth = min(buffers[buffer].birth, schedule.tail.lowerBound)
    buffers[buffer].death = max(buffers[buffer].death, schedule.tail.upperBound - 1)
  }

  private mutating func read(_ value: Value, at time: Int) -> Int? {
    if let buffer = values[value.index] { touch(buffer, at: time) }
    return values[value.index]
  }

  private mutating func forward(_ step: Step, _ index: Int, at time: Int) -> Use {
    var use = Use()
    for value in step.inputs { use.inputs.append(read(value, at: time)) }
    for value in step.outputs {
      let buffer = born(value.width, value.axis, at: time)
      values[value.index] = buffer
      use.outputs.append(buffer)
    }
    if !step.saved.isEmpty {
      let axis = step.outputs.first?.axis ?? .tokens
      for width in step.saved { saved[index].append(born(width, axis, at: time)) }
      use.saved = saved[index]
    }
    if step.outputs.contains(schedule.loss), let buffer = values[schedule.loss.index] {
      loss = buffer
      buffers[buffer].death = schedule.tail.upperBound - 1
      if schedule.isLearned[schedule.loss.index] {
        // It is written before the tail of a block begins, where nothing else may lie in its place.
        let gradient = born(1, schedule.loss.axis, at: schedule.tail.lowerBound)
        (gradients[schedule.loss.index], lossGradient) = (gradient, gradient)
      }
    }
    return use
  }

  private mutating func backward(_ step: Step, _ index: Int, at time: Int) -> Use {
    var use = Use()
    let operation = step.operation
    for (input, value) in step.inputs.enumerated() {
      use.inputs.append(operation.traits.backwardReadsInputs.contains(input) ? read(value, at: time) : nil)
    }
    for value in step.outputs {
      use.outputs.append(operation.traits.backwardReadsOutputs ? read(value, at: time) : nil)
    }
    for buffer in saved[index] { touch(buffer, at: time) }
    use.saved = saved[index]
    for value in step.outputs {
      if let buffer = gradients[value.index] {
        touch(buffer, at: time)
        use.outputGradients.append(buffer)
      } else {
        // Nobody read it.
        let buffer = born(value.width, value.axis, at: time)
        use.outputGradients.append(buffer)
        use.zeroed.append(buffer)
      }
    }
    for value in step.inputs {
      guard schedule.isLearned[value.index] else {
        use.inputGradients.append(nil)
        use.inputGradientsAccumulate.append(false)
        continue
      }
      if let buffer = gradients[value.index] {
        touch(buffer, at: time)
        use.inputGradients.append(buffer)
        use.inputGradientsAccumulate.append(true)
        continue
      }
      let buffer = born(value.width, value.axis, at: time)
      gradients[value.index] = buffer
      // Two inputs that are one value would both assign.
      let assigns = operation.traits.assignsGradients && step.inputs.count { $0 == value } == 1
      if !assigns { use.zeroed.append(buffer) }
      use.inputGradients.append(buffer)
      use.inputGradientsAccumulate.append(!assigns)
    }
    return use
  }
}
