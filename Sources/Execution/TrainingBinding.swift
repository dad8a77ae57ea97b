import Components

/// The actions of a training pass with the addresses of everything they read and write, bound once.
final class TrainingBinding {
  /// Rows to fill with zeros before an action.
  struct Zeroed {
    let value: BoundValue
    /// Whether that is done once, before the tail's first block.
    let isOutsideTail: Bool
  }

  /// For each action of the schedule, its step's memory.
  let steps: [BoundStep]
  /// For each action, the gradients of values that must be zeros before it.
  let zeroed: [[Zeroed]]
  /// For each action, the gradients of tensors that must be zeros before it when nothing was added to any yet.
  let zeroedParameters: [[Range<Int>]]
  /// The loss of each row of a block, and its gradient.
  let loss: UnsafeMutablePointer<Float>
  let lossGradient: UnsafeMutablePointer<Float>?
  private let tables = BindingTables()

  init(
    _ schedule: TrainingSchedule, _ layout: TrainingMemoryPlan, _ memory: TrainingMemory, _ parameters: Parameters,
    tokens: UnsafeMutablePointer<Float>, outputs: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>
  ) {
    let tables = tables
    let lifetimes = layout.lifetimes
    let ranges = ParameterLayout(schedule.plan).ranges
    func bind(_ buffer: Int) -> BoundValue {
      let (width, axis) = (lifetimes.buffers[buffer].width, lifetimes.buffers[buffer].axis)
      let base =
        lifetimes.buffers[buffer].isTail
        ? outputs + layout.offsets[buffer] * memory.blockRows : tokens + layout.offsets[buffer] * memory.tokenRows
      return BoundValue(base, width: width, axis: axis)
    }
    /// What an operator says that it does not read has its width and no memory.
    func bind(_ buffers: [Int?], _ values: [Value]) -> UnsafeBufferPointer<BoundValue> {
      tables.table(zip(buffers, values).map { buffer, value in buffer.map(bind) ?? .unread(value) })
    }
    var written: Set<Int> = []
    var steps: [BoundStep] = []
    var zeroed: [[Zeroed]] = []
    var zeroedParameters: [[Range<Int>]] = []
    for (action, use) in zip(schedule.actions, lifetimes.uses) {
      var ownZeroed: [Range<Int>] = []
      switch action {
      case .forward(let index):
        let step = schedule.plan.steps[index]
        var bound = BoundStep(
          axis: step.axis, inputs: bind(use.inputs, step.inputs), outputs: bind(use.outputs, step.outputs),
          parameters: tables.table(step.parameters.map { parameters.bound[$0] }), states: tables.table(step.states),
          computeType: schedule.computeType)
        bound.saved = tables.table(use.saved.map(bind))
        steps.append(bound)
      case .backward(let index):
        let step = schedule.plan.steps[index]
        var bound = BoundStep(
          axis: step.axis, inputs: bind(use.inputs, step.inputs), outputs: bind(use.outputs, step.outputs),
          parameters: tables.table(step.parameters.map { parameters.bound[$0] }), states: tables.table(step.states),
          computeType: schedule.computeType)
        bound.saved = tables.table(use.saved.map(bind))
        bound.inputGradients = tables.table(use.inputGradients.map { $0.map(bind) })
        bound.inputGradientsAccumulate = tables.table(use.inputGradientsAccumulate)
        bound.outputGradients = bind(use.outputGradients, step.outputs)
        bound.parameterGradients = tables.table(
          step.parameters.map { schedule.plan.parameters[$0].isFrozen ? nil : gradients + ranges[$0].lowerBound })
        var accumulates: [Bool] = []
        for parameter in step.parameters {
          let isFirst = written.insert(parameter).inserted
          if isFirst, !step.operation.traits.assignsGradients { ownZeroed.append(ranges[parameter]) }
          accumulates.append(!isFirst || !step.operation.traits.assignsGradients)
        }
        bound.parameterGradientsAccumulate = tables.table(accumulates)
        steps.append(bound)
      }
      zeroed.append(
        use.zeroed.map { buffer in
          Zeroed(value: bind(buffer), isOutsideTail: !lifetimes.buffers[buffer].isTail)
        })
      zeroedParameters.append(ownZeroed)
    }
    self.steps = steps
    self.zeroed = zeroed
    self.zeroedParameters = zeroedParameters
    loss = bind(lifetimes.loss).base
    lossGradient = lifetimes.lossGradient.map { bind($0).base }
  }
}

extension BoundValue {
  /// A value that nobody reads: its address is that of no memory, so that an operator that reads it after all is found out.
  fileprivate static func unread(_ value: Value) -> BoundValue {
    BoundValue(
      UnsafeMutablePointer(bitPattern: 64) ?? .allocate(capacity: 1), width: value.width, axis: value.axis)
  }
}
