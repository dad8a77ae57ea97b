import Components
import Execution

/// Names of what the steps of a plan give: those of their tensors, `layers.0.attn.q`, or their scope and operator,
/// `layers.0.attn.attend`.
///
/// Two steps that would have one name are told apart by what they read (`attn.q.rope`, `attn.k.rope`), and else by number.
struct StepNames {
  /// For each step, the names of its outputs.
  private(set) var names: [[String]] = []
  /// For each residual add, the name of the sublayer whose result it adds, inside the layer.
  private(set) var sublayers: [Int: String] = [:]
  /// For each value, the step that writes it.
  let writers: [Int: Int]

  init(_ plan: Plan) {
    var writers: [Int: Int] = [:]
    for (index, step) in plan.steps.enumerated() { for output in step.outputs { writers[output.index] = index } }
    self.writers = writers
    var taken: [TensorName: Set<String>] = [:]
    for (index, step) in plan.steps.enumerated() where step.role == .residualAdd {
      guard let name = Self.sublayer(joinedBy: step, plan, writers) else { continue }
      let place = Self.place(of: step)
      var (unique, number) = (name, 1)
      while !taken[place, default: []].insert(unique).inserted {
        number += 1
        unique = "\(name)\(number)"
      }
      sublayers[index] = unique
    }
    let labels = plan.steps.indices.map { label(of: $0, plan) }
    var counts: [[String]: Int] = [:]
    for (index, step) in plan.steps.enumerated() {
      counts[[Self.place(of: step).text, labels[index]], default: 0] += 1
    }
    var precise = labels
    for (index, step) in plan.steps.enumerated()
    where sublayers[index] == nil && counts[[Self.place(of: step).text, labels[index]], default: 0] > 1 {
      let word = Self.word(step.operation.name)
      let source = step.inputs.first.flatMap { writers[$0.index] }
      if step.parameters.isEmpty, let source, Self.place(of: plan.steps[source]) == Self.place(of: step),
        labels[source] != labels[index]
      {
        precise[index] = "\(labels[source]).\(word)"
      } else if !labels[index].hasSuffix(word) {
        precise[index] = "\(labels[index]).\(word)"
      }
    }
    let whole = plan.steps.indices.map { index in
      let place = Self.place(of: plan.steps[index]).text
      return place.isEmpty ? precise[index] : "\(place).\(precise[index])"
    }
    let copies = Dictionary(whole.map { ($0, 1) }, uniquingKeysWith: +)
    var numbers: [String: Int] = [:]
    for (index, step) in plan.steps.enumerated() {
      var name = whole[index]
      if copies[name, default: 1] > 1 {
        numbers[name, default: 0] += 1
        name += ".\(numbers[name, default: 1])"
      }
      names.append(step.outputs.count == 1 ? [name] : step.outputs.indices.map { "\(name).\($0 + 1)" })
    }
  }

  /// The layer of `step`, or the place outside the layers.
  static func place(of step: Step) -> TensorName { TensorName(stack: step.scope.stack, layer: step.scope.layer) }

  private static func word(_ name: String) -> String { String(name.map { $0 == " " ? "_" : $0 }) }

  private func label(of index: Int, _ plan: Plan) -> String {
    if let sublayer = sublayers[index] { return "\(sublayer)_residual" }
    let step = plan.steps[index]
    let words = step.label(in: plan).split(separator: ".").filter { $0 != "*" }
    let label = Self.word(words.joined(separator: "."))
    // Tensors that belong to a sublayer as a whole name no step of it.
    return step.scope.layer != nil && label == step.scope.localText
      ? "\(label).\(Self.word(step.operation.name))" : label
  }

  /// The scope of the sublayer whose result `step` adds: that of the steps before it which stands in one.
  private static func sublayer(joinedBy step: Step, _ plan: Plan, _ writers: [Int: Int]) -> String? {
    guard let result = step.result else { return nil }
    var value: Value? = step.inputs[result]
    while let next = value, let writer = writers[next.index], place(of: plan.steps[writer]) == place(of: step) {
      if let name = plan.steps[writer].scope.path.first { return name }
      value = plan.steps[writer].inputs.first
    }
    return nil
  }
}
