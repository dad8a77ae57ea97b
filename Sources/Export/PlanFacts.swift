import Plans

/// What the writer of a file looks up in a plan: how often values are read, what counts their heads, what is a width's name.
struct PlanFacts {
  let plan: Plan
  /// What the plan is written for.
  let form: PyTorchForm
  /// How often each value is read, the logits once more.
  let reads: [Int: Int]
  /// The operators of each name.
  let peers: [String: [any Operator]]
  /// The settings that count the heads of values, with the number.
  private(set) var headCounts: [Int: (name: String, count: Int)] = [:]
  /// The settings that are the widths of values.
  private(set) var widths: [Int: String] = [:]
  /// The widths of the residual streams of stacks beside the text's.
  private let streams: [String: Int]
  /// Values that may be `None`, whose readers all take that.
  private(set) var mayBeNone: Set<Int> = []
  /// The names at the top of the file.
  private(set) var definitions: Set<String> = []

  /// The facts of `plan`, of which `steps` are written; throws for an operator that says nothing.
  init(_ plan: Plan, for form: PyTorchForm, writing steps: [Step]) throws(ExportProblem) {
    self.plan = plan
    self.form = form
    var reads: [Int: Int] = [plan.logits.index: 1]
    var peers: [String: [any Operator]] = [:]
    var seen: Set<AnyHashable> = []
    for step in plan.steps {
      for value in step.inputs { reads[value.index, default: 0] += 1 }
      if seen.insert(AnyHashable(step.operation)).inserted {
        peers[step.operation.name, default: []].append(step.operation)
      }
    }
    (self.reads, self.peers) = (reads, peers)
    var streams: [String: Int] = [:]
    for step in plan.steps where step.scope.layer != nil {
      guard let stack = step.scope.stack, streams[stack] == nil else { continue }
      streams[stack] = step.inputs.first?.width
    }
    self.streams = streams
    var others: Set<Int> = []
    for step in steps {
      let notes = try look(at: step)
      for (index, value) in step.inputs.enumerated() {
        if notes.inputsThatMayBeNone.contains(index) {
          mayBeNone.insert(value.index)
        } else {
          others.insert(value.index)
        }
      }
    }
    mayBeNone.subtract(others)
    for step in steps.reversed() { passBack(step) }
  }

  /// Asks an operator once for what it says of its inputs and outputs.
  private mutating func look(at step: Step) throws(ExportProblem) -> PyTorchNotes {
    var call = PyTorchCall(
      step, for: form, shapes: shapes(of: step), peers: peers[step.operation.name] ?? [],
      inputs: step.inputs.map { _ in .init("x", .rows, headCount: nil, width: "0") },
      parameters: step.parameters.map { _ in "self.w" }, holder: "self.m", states: step.states.map { _ in "s" },
      outputWidths: step.outputs.map { _ in "0" }, settings: [:])
    guard step.operation.pytorch(&call) != nil else {
      throw .noRendering(
        name: step.operation.name, scope: step.scope.text, attributes: step.operation.attributes.listing)
    }
    definitions.formUnion(call.notes.definitions.map(\.name))
    for (input, name, count) in call.notes.headCounts where headCounts[step.inputs[input].index] == nil {
      headCounts[step.inputs[input].index] = (name, count)
    }
    for (output, name, count) in call.notes.outputHeadCounts { headCounts[step.outputs[output].index] = (name, count) }
    for (input, name) in call.notes.widths { widths[step.inputs[input].index] = name }
    if let output = step.outputs.first, headCounts[output.index] == nil, keepsRows(step),
      let heads = headCounts[step.inputs[0].index]
    {
      headCounts[output.index] = heads
    }
    return call.notes
  }

  private mutating func passBack(_ step: Step) {
    guard keepsRows(step), let heads = headCounts[step.outputs[0].index], headCounts[step.inputs[0].index] == nil
    else { return }
    headCounts[step.inputs[0].index] = heads
  }

  /// Whether a step gives rows like those that it reads: a norm, a rotation.
  private func keepsRows(_ step: Step) -> Bool {
    step.inputs.first?.width == step.outputs.first?.width
      && !step.parameters.contains { plan.parameters[$0].use == .matrix }
  }

  /// The shapes of the tensors of `step`.
  func shapes(of step: Step) -> [[Int]] { step.parameters.map { plan.parameters[$0].shape } }

  /// The width of `value` in a constructor; `scope` names one that is nobody's.
  func width(of value: Value, scope: TensorName) -> String {
    let prefix = scope.stack.map { $0 + "_" } ?? ""
    func token(_ name: String, _ number: Int) -> String { "{{\(prefix)\(name)|\(number)}}" }
    if let name = widths[value.index] { return token(name, value.width) }
    if let (name, heads) = headCounts[value.index], value.width % heads == 0 {
      let width = token("head_dim", value.width / heads)
      return heads == 1 ? width : "\(token(name, heads)) * \(width)"
    }
    if let stack = scope.stack {
      if value.width == streams[stack] { return token("hidden_size", value.width) }
      if value.width == plan.shape.hiddenSize { return "{{hidden_size|\(value.width)}}" }
    } else {
      if value.width == plan.shape.hiddenSize { return token("hidden_size", value.width) }
      if value.width == plan.shape.vocabSize, plan.readsTokens { return token("vocab_size", value.width) }
    }
    guard let word = scope.path.last(where: { $0 != "*" }) else { return String(value.width) }
    return token("\(word)_size", value.width)
  }
}
