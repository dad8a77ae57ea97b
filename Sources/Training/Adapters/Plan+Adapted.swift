import Components
import Execution

extension Plan {
  /// The plan with factors beside its matrices, everything else frozen:
  ///
  ///     y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ + b        A: [r, in], B: [out, r], of W's name with `lora_A` and `lora_B`
  ///
  /// and with lengths, m ⊙ (…) / ‖W + s·B·A‖ + b, m: [out] being `lora_magnitude_vector`. What comes out has the value that
  /// had it before, so that no other step changes. The matrices are those of steps that multiply by one matrix inside a
  /// layer; names of `settings` take others too. Throws for a name that no matrix has.
  public func adapted(by settings: AdapterSettings) throws(TrainingProblem) -> Plan {
    try adapted(by: settings, DropoutClock(seed: 0))
  }

  func adapted(by settings: AdapterSettings, _ clock: DropoutClock) throws(TrainingProblem) -> Plan {
    let candidates = steps.filter { $0.operation is Linear && isAlone($0) }.map {
      parameters[$0.parameters[0]].name.owner
    }
    for target in settings.targets where !candidates.contains(where: { Self.fits($0, target) }) {
      var known: [String] = []
      for name in candidates.map(\.localText) where !known.contains(name) { known.append(name) }
      throw .noTarget(target, known: Array(known.prefix(12)))
    }
    var writer = AdaptedPlan(self, settings, clock)
    for step in steps {
      let isTarget =
        step.operation is Linear && isAlone(step)
        && (settings.targets.isEmpty
          ? step.scope.layer != nil && parameters[step.parameters[0]].name.owner.path.last != Self.router
          : settings.targets.contains { Self.fits(parameters[step.parameters[0]].name.owner, $0) })
      if isTarget { writer.adapt(step) } else { writer.steps.append(step) }
    }
    return rewritten(steps: writer.steps, adding: writer.values, parameters: writer.parameters)
  }

  /// What chooses experts has factors only where it is named: few train it, and PEFT has no factors of it.
  private static let router = "router"

  /// Whether no other step reads the matrix of `step`.
  private func isAlone(_ step: Step) -> Bool {
    step.outputs.count == 1 && steps.count { $0.parameters.contains(step.parameters[0]) } == 1
  }

  private static func fits(_ name: TensorName, _ target: String) -> Bool {
    name.text == target || name.localText == target || name.localText.hasSuffix("." + target)
  }
}

/// A plan while factors are written into it.
private struct AdaptedPlan {
  var steps: [Step] = []
  private(set) var values: [Value] = []
  private(set) var parameters: [PlannedTensor]
  private let plan: Plan
  private let settings: AdapterSettings
  private let clock: DropoutClock
  private var dropouts: UInt64 = 0

  init(_ plan: Plan, _ settings: AdapterSettings, _ clock: DropoutClock) {
    (self.plan, self.settings, self.clock) = (plan, settings, clock)
    parameters = plan.parameters.map(\.frozen)
  }

  mutating func adapt(_ step: Step) {
    let matrix = plan.parameters[step.parameters[0]]
    let (x, y, owner) = (step.inputs[0], step.outputs[0], matrix.name.owner)
    let bias = step.parameters.dropFirst().first
    // As torch starts a matrix: evenly up to 1 / √in. The other factor is zero, so that nothing changes at first.
    let a = tensor(
      owner.appending("lora_A.weight"), [settings.rank, x.width], .uniform(1 / Double(max(1, x.width)).squareRoot()))
    let b = tensor(owner.appending("lora_B.weight"), [y.width, settings.rank], .zeros)
    var shown = x
    if settings.dropout > 0 {
      // Streams of their own, beside those of dropouts on the residual stream.
      let dropout = Dropout(probability: settings.dropout, index: 1 << 32 | dropouts, clock: clock)
      dropouts += 1
      shown = write(dropout, [x], width: x.width, step)
    }
    let whole = settings.hasMagnitudes && bias != nil
    let product = write(
      whole ? Linear(bias: false) : step.operation, [x], width: y.width, step,
      parameters: whole ? [step.parameters[0]] : step.parameters)
    let narrow = write(Linear(bias: false), [shown], width: settings.rank, step, parameters: [a])
    let change = write(Linear(bias: false), [narrow], width: y.width, step, parameters: [b])
    let sum = Add(alpha: 1, beta: Float(settings.scale))
    guard settings.hasMagnitudes else {
      steps.append(step.with(operation: sum, inputs: [product, change], outputs: [y], parameters: []))
      return
    }
    let lengths = tensor(owner.appending("lora_magnitude_vector.weight"), [y.width], .ones)
    let both = write(sum, [product, change], width: y.width, step)
    steps.append(
      step.with(
        operation: RowLengths(scale: Float(settings.scale), bias: bias != nil), inputs: [both], outputs: [y],
        parameters: [step.parameters[0], a, b, lengths] + (bias.map { [$0] } ?? [])))
  }

  private mutating func tensor(
    _ name: TensorName, _ shape: [Int], _ start: PlannedTensor.Initialization
  ) -> Int {
    parameters.append(PlannedTensor(name: name, shape: shape, initialization: start))
    return parameters.count - 1
  }

  private mutating func write(
    _ operation: any Operator, _ inputs: [Value], width: Int, _ step: Step, parameters: [Int] = []
  ) -> Value {
    let output = Value(index: plan.values.count + values.count, width: width, axis: step.axis)
    values.append(output)
    steps.append(
      Step(
        scope: step.scope, operation: operation, inputs: inputs, outputs: [output], parameters: parameters,
        part: step.part))
    return output
  }
}
