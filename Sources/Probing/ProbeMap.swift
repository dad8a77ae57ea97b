import Components

/// What of a plan has a name: the values that its steps give, and the parts that can be changed by themselves.
///
/// Beside a name for every step there are `embed` and `layers.N.input`, `layers.N.output`, the residual stream before the layers and around
/// each; `layers.N.attn`, what a sublayer gives to the stream; and `logits`.
public struct ProbeMap: Sendable {
  /// The plan.
  public let plan: Plan
  /// The values, in the order in which they are computed.
  public let values: [ProbedPart]
  /// Heads, sublayers and layers, in the order of the plan.
  public let parts: [ProbedPart]
  /// The steps of attention whose weights can be had, by the weights' name.
  let attention: [(name: String, step: Int)]
  /// The names of attention weights.
  public var attentionNames: [String] { attention.map(\.name) }
  /// The residual stream before the layers and behind each, with the name of each.
  let stream: [(name: String, base: ProbeSite.Base)]

  /// The names of `plan`, as it was composed: passes that join steps lose names.
  public init(_ plan: Plan) {
    self.plan = plan
    let names = StepNames(plan)
    let layers = Self.layers(of: plan, names.writers)
    stream = layers.stream
    var parts: [ProbedPart] = []
    var more: [Int: [(String, Value)]] = [:]  // further names, by the step that writes the value
    for layer in layers.list {
      let (name, number) = (layer.place.text, layer.place.layer)
      more[layer.input.step, default: []].append(("\(name).input", layer.input.value))
      more[layer.output.step, default: []].append(("\(name).output", layer.output.value))
      parts.append(
        ProbedPart(
          name: name, kind: .layer,
          sites: [ProbeSite(step: layer.output.step, value: layer.output.value, base: layer.input)], layer: number))
    }
    for (index, step) in plan.steps.enumerated() {
      guard let sublayer = names.sublayers[index], let result = step.result,
        let writer = names.writers[step.inputs[result].index]
      else { continue }
      let name = "\(StepNames.place(of: step).text).\(sublayer)"
      let value = step.inputs[result]
      more[writer, default: []].append((name, value))
      parts.append(
        ProbedPart(
          name: name, kind: .sublayer, sites: [ProbeSite(step: writer, value: value)], layer: step.scope.layer))
    }
    parts += Self.heads(of: plan)
    self.parts = parts
    if let first = stream.first { more[first.base.step, default: []].append((first.name, first.base.value)) }
    if let last = names.writers[plan.logits.index] { more[last, default: []].append(("logits", plan.logits)) }
    var (values, seen): ([ProbedPart], Set<String>) = ([], [])
    for (index, step) in plan.steps.enumerated() {
      for (name, value) in Array(zip(names.names[index], step.outputs)) + more[index, default: []]
      where seen.insert(name).inserted {
        values.append(
          ProbedPart(
            name: name, kind: .value, sites: [ProbeSite(step: index, value: value)], layer: step.scope.layer))
      }
    }
    self.values = values
    attention = plan.steps.indices.compactMap { index in
      let step = plan.steps[index]
      guard step.operation is Attend, step.inputs.allSatisfy({ $0.axis == step.axis }) else { return nil }
      return ("\(names.names[index][0]).weights", index)
    }
  }

  /// The heads: columns of the steps that mix tokens and say how many heads they have.
  private static func heads(of plan: Plan) -> [ProbedPart] {
    var (order, sites): ([String], [String: [ProbeSite]]) = ([], [:])
    var layers: [String: Int] = [:]
    for (index, step) in plan.steps.enumerated() {
      guard !step.operation.traits.isRowwise, !step.states.isEmpty || step.operation is Attend,
        let output = step.outputs.first,
        case .integer(let count)? = step.operation.attributes.first(where: { $0.name == "heads" })?.value, count > 0,
        output.width % count == 0
      else { continue }
      let width = output.width / count
      for head in 0..<count {
        let name = "\(step.scope.text).head.\(head)"
        if sites[name] == nil { order.append(name) }
        layers[name] = step.scope.layer
        sites[name, default: []].append(
          ProbeSite(step: index, value: output, columns: head * width..<(head + 1) * width))
      }
    }
    return order.map { ProbedPart(name: $0, kind: .head, sites: sites[$0] ?? [], layer: layers[$0]) }
  }

  private struct LayerBounds {
    let place: TensorName
    let input: ProbeSite.Base
    let output: ProbeSite.Base
  }

  /// Where the residual stream enters and leaves each layer.
  private static func layers(of plan: Plan, _ writers: [Int: Int]) -> (
    list: [LayerBounds], stream: [(name: String, base: ProbeSite.Base)]
  ) {
    guard let first = plan.steps.lastIndex(where: { $0.role == .embedding && !$0.outputs.isEmpty }) else {
      return ([], [])
    }
    var current = ProbeSite.Base(step: first, value: plan.steps[first].outputs[0])
    var stream = [(name: "embed", base: current)]
    var list: [LayerBounds] = []
    let steps = Dictionary(grouping: plan.steps.indices.filter { plan.steps[$0].scope.layer != nil }) {
      StepNames.place(of: plan.steps[$0])
    }
    var readOutside: [Int: Set<TensorName>] = [:]  // by value, the places of those that read it
    for step in plan.steps {
      for input in step.inputs { readOutside[input.index, default: []].insert(StepNames.place(of: step)) }
    }
    for (place, indices) in steps.sorted(by: { ($0.value.first ?? 0) < ($1.value.first ?? 0) }) {
      // What leaves a layer as wide as it came in, and last, is the stream.
      let leaving = indices.lazy.reversed().flatMap { index in plan.steps[index].outputs.map { (index, $0) } }
        .first { _, value in
          value.width == current.value.width && value.axis == current.value.axis
            && (value == plan.logits || readOutside[value.index, default: []].contains { $0 != place })
        }
      guard let (index, value) = leaving else { continue }
      let output = ProbeSite.Base(step: index, value: value)
      list.append(LayerBounds(place: place, input: current, output: output))
      current = output
      stream.append((name: "\(place.text).output", base: output))
    }
    return (list, stream)
  }
}
