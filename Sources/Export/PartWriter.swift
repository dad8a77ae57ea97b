import Plans

/// Writes the steps of one class: which values become variables, which stay inside an expression, what is held by modules.
final class PartWriter {
  /// A value as it can be read.
  struct Binding {
    var expression: PyTorchExpression
    var layout: PyTorchLayout
    /// The variables that the expression reads.
    var variables: Set<String>
    var isVariable: Bool
    /// What a variable would be called.
    var name: String
  }

  let file: FileWriter
  let part: ModelPart
  let tree = ModuleTree()
  private(set) var needs = WrittenClass.Needs()
  private(set) var lines: [String] = []
  private(set) var settings: [(String, PyTorchExpression)] = []
  private(set) var nouns: [(text: String, rank: Int)] = []
  private(set) var adjectives: [String] = []
  /// The parts in it.
  private(set) var parts: [WrittenClass.MadePart] = []
  private(set) var bindings: [Int: Binding] = [:]
  /// Where tensors stand, by their index, in the class around the model's own; empty in all other classes.
  let places: [Int: [String]]
  /// What the step gives whose module has the matrix of another.
  let head: Value?
  /// The token ids that lookups read.
  var tokens = "tokens"
  /// What the class keeps that is no setting.
  private(set) var members: [(name: String, value: String)] = []
  private var readsStates = false
  private var remaining: [Int: Int] = [:]
  private var holders: Set<Int> = []
  /// Whether what the last step gives is returned, and whether it has been.
  private let returns: Bool
  private var isDone = false
  /// Columns that a line may take, those of its indentation left out.
  private static let columns = 80
  private static let longest = 64

  /// A writer of `part`, whose inputs are bound to `names`; what is made of one takes its `word`.
  init(
    _ part: ModelPart, in file: FileWriter, inputs names: [(name: String, word: String, layout: PyTorchLayout)],
    returns: Bool = true,
    places: [Int: [String]] = [:], head: Value? = nil
  ) {
    self.part = part
    (self.places, self.head) = (places, head)
    self.file = file
    self.returns = returns
    for (value, input) in zip(part.inputs, names) { bind(value, to: input.name, word: input.word, input.layout) }
    for value in part.items.flatMap({ Self.reads($0, file.shared) }) { remaining[value.index, default: 0] += 1 }
    remaining[part.result.index, default: 0] += 1
  }

  private static func reads(_ item: ModelPart.Item, _ shared: SharedArguments) -> [Value] {
    switch item {
    case .step(let step): step.inputs
    case .part(let part): shared.completed(part).inputs
    }
  }

  /// Lets the variable `name` be `value`; in a class that has no other of its `word`, it is called so.
  func bind(_ value: Value, to name: String, word: String? = nil, _ layout: PyTorchLayout = .rows) {
    bindings[value.index] = Binding(
      expression: PyTorchExpression(name), layout: layout, variables: [name], isVariable: true, name: word ?? name)
  }

  /// Adds what others need of the pass.
  func form(_ others: WrittenClass.Needs) { needs.form(others) }

  /// Counts another read of `value`, outside the part's items.
  func reserve(_ value: Value) { remaining[value.index, default: 0] += 1 }

  /// How `value` is read.
  func binding(of value: Value) -> Binding? { bindings[value.index] }

  /// Writes the part's items, and returns its result.
  func write() throws(ExportProblem) {
    try write(part.items)
    if returns, !isDone { lines.append("return \(rows(part.result).text)") }
    if readsStates {
      lines.insert("states = None if cache is None else cache.layers[self.layer_idx].states", at: 0)
    }
  }

  /// Writes `line` as it is.
  func write(line: String) { lines.append(line) }

  /// Writes `items`.
  func write(_ items: [ModelPart.Item]) throws(ExportProblem) {
    for item in items {
      switch item {
      case .step(let step): try write(step)
      case .part(let part): try write(part)
      }
    }
  }

  private func write(_ step: Step) throws(ExportProblem) {
    var trial = call(step)
    _ = step.operation.pytorch(&trial)
    for (index, name) in trial.notes.variables.enumerated() where index < step.inputs.count {
      if let name { makeVariable(step.inputs[index], name, trial, index) }
    }
    while true {
      var call = call(step)
      guard let expression = step.operation.pytorch(&call) else {
        throw .noRendering(
          name: step.operation.name, scope: step.scope.text, attributes: step.operation.attributes.listing)
      }
      let names = names(of: step, call.notes)
      var constructor: PyTorchExpression?
      let isLong = expression.text.count + names.joined(separator: ", ").count + 3 > Self.columns
      if isLong, let input = longestPending(step.inputs) {
        materialize(input)
        continue
      }
      var written = expression
      for definition in call.notes.definitions {
        // Two functions of one name are told apart by a number.
        let name = file.define(definition.name, definition.text)
        if name == definition.name { continue }
        func renamed(_ text: PyTorchExpression) -> PyTorchExpression {
          PyTorchExpression(text.text.replacing("\(definition.name)(", with: "\(name)("), text.binding)
        }
        written = renamed(written)
        constructor = call.notes.constructor.map(renamed)
      }
      try finish(step, written, call.notes, names, constructor ?? call.notes.constructor)
      return
    }
  }

  /// The input whose expression is the longest of those that are no variables.
  private func longestPending(_ inputs: [Value]) -> Value? {
    inputs.filter { bindings[$0.index]?.isVariable == false }
      .max { (bindings[$0.index]?.expression.text.count ?? 0) < (bindings[$1.index]?.expression.text.count ?? 0) }
  }

  private func finish(
    _ step: Step, _ expression: PyTorchExpression, _ notes: PyTorchNotes, _ names: [String],
    _ constructor: PyTorchExpression?
  ) throws(ExportProblem) {
    let tensors = step.parameters.map { file.plan.parameters[$0] }
    if let constructor, let path = holderPath(of: step), canHold(step) {
      tree.place(constructor.text, at: path)
      holders.formUnion(step.parameters)
    }
    for (index, tensor) in zip(step.parameters, tensors) where !holders.contains(index) {
      if let place = places[index] {
        if place.first != "model" { tree.place(tensor: tensor.shape, at: place) }
        continue
      }
      if let name = sharedTensor(index, of: step) {
        needs.form(WrittenClass.Needs(tensors: [name]))
        continue
      }
      guard let path = file.path(of: tensor.name, below: part) else {
        throw .noPlace(scope: step.scope.text, what: "it reads '\(tensor.name)', which stands elsewhere")
      }
      tree.place(tensor: tensor.shape, at: path)
    }
    file.imports.formUnion(notes.imports)
    for setting in notes.settings where !settings.contains(where: { $0.0 == setting.0 }) { settings.append(setting) }
    if let noun = notes.noun { nouns.append(noun) }
    adjectives += notes.adjectives.filter { !adjectives.contains($0) }
    needs.form(
      WrittenClass.Needs(
        positions: notes.readsPositions, length: notes.readsLength, mask: notes.readsMask,
        keyPositions: notes.readsKeyPositions, padding: notes.readsPadding, cache: notes.readsCache,
        prefix: notes.readsPrefix, pictures: notes.readsPictures, types: notes.readsTypes, rows: notes.readsRows))
    for member in notes.members where !members.contains(where: { $0.name == member.name }) { members.append(member) }
    if notes.readsCache, file.facts.form == .transformers, !members.contains(where: { $0.name == "layer_idx" }) {
      members.append(("layer_idx", "layer_idx"))
    }
    readsStates = readsStates || notes.readsStates
    if notes.readsStates, !notes.readsPadding { file.countsPadding = true }
    lines += notes.statements
    let variables = step.inputs.reduce(into: Set<String>()) { $0.formUnion(bindings[$1.index]?.variables ?? []) }
    take(step.inputs)
    if notes.givesVariables {
      assign(step.outputs, expression, notes.layouts, names)
    } else {
      give(step.outputs, expression, notes.layouts, names, variables)
    }
  }

  private func write(_ part: ModelPart) throws(ExportProblem) {
    let child = file.shared.completed(part)
    let layouts = child.inputs.map { bindings[$0.index]?.layout == .own ? PyTorchLayout.own : .rows }
    let (number, written) = try file.write(child, layouts: layouts, names: child.inputs.map { name(of: $0) })
    let place = child.path.dropFirst(self.part.path.count)
    let settings = written.settings[0].map { "|\($0.name)=\($0.value)" }.joined()
    let layer = written.needs.cache && file.facts.form == .transformers ? ", layer_idx" : ""
    let made = "⟦\(number)⟧(config\(layer)⟪\(number)\(settings)⟫)"
    tree.place(made, at: Array(place))
    parts.append(
      WrittenClass.MadePart(number: number, noun: written.noun, place: place.joined(separator: "."), made: made))
    needs.form(written.needs)
    while true {
      let arguments =
        child.inputs.map { PyTorchExpression(rows($0).text) } + written.needs.words.map { PyTorchExpression($0) }
      let expression = PyTorchExpression.call(PythonText.place(["self"] + place), arguments)
      if expression.text.count + 6 > Self.columns, let input = longestPending(child.inputs) {
        materialize(input)
        continue
      }
      let variables = child.inputs.reduce(into: Set<String>()) { $0.formUnion(bindings[$1.index]?.variables ?? []) }
      take(child.inputs)
      give([child.result], expression, [.rows], ["y"], variables)
      return
    }
  }

  private func rows(_ value: Value) -> PyTorchExpression {
    guard let binding = bindings[value.index] else { return "x" }
    if case .heads = binding.layout { return binding.expression.method("flatten", "-2") }
    return binding.expression
  }

  func name(of value: Value) -> String { bindings[value.index]?.name ?? "x" }

  private func take(_ values: [Value]) { for value in values { remaining[value.index, default: 0] -= 1 } }

  private func give(
    _ outputs: [Value], _ expression: PyTorchExpression, _ layouts: [PyTorchLayout], _ names: [String],
    _ variables: Set<String>
  ) {
    if outputs.count == 1, outputs[0] == part.result, returns, remaining[outputs[0].index] == 1 {
      lines.append("return \(laidOut(expression, layouts[0]).text)")
      isDone = true
      return
    }
    if outputs.count == 1, remaining[outputs[0].index] == 1, expression.text.count <= Self.longest {
      bindings[outputs[0].index] = Binding(
        expression: expression, layout: layouts[0], variables: variables, isVariable: false, name: names[0])
      return
    }
    assign(outputs, expression, layouts, names)
  }

  private func laidOut(_ expression: PyTorchExpression, _ layout: PyTorchLayout) -> PyTorchExpression {
    if case .heads = layout { expression.method("flatten", "-2") } else { expression }
  }

  private func assign(
    _ outputs: [Value], _ expression: PyTorchExpression, _ layouts: [PyTorchLayout], _ names: [String]
  ) {
    var taken: Set<String> = []
    var chosen: [String] = []
    for (index, output) in outputs.enumerated() {
      let name = remaining[output.index, default: 0] > 0 ? freeName(names[index], besides: taken) : "_"
      taken.insert(name)
      chosen.append(name)
      bindings[output.index] = Binding(
        expression: PyTorchExpression(name), layout: layouts[index], variables: [name], isVariable: true,
        name: names[index])
    }
    lines.append("\(chosen.joined(separator: ", ")) = \(expression.text)")
  }

  /// A name that nothing which is still to be read has.
  private func freeName(_ wanted: String, besides taken: Set<String>) -> String {
    let alive = bindings.filter { remaining[$0.key, default: 0] > 0 }
    let used = alive.values.reduce(into: taken) { $0.formUnion($1.variables) }.union(file.reservedNames)
    if !used.contains(wanted) { return wanted }
    return (2...).lazy.map { "\(wanted)\($0)" }.first { !used.contains($0) } ?? wanted
  }

  /// Makes the expression of `value` a variable.
  func materialize(_ value: Value) {
    guard let binding = bindings[value.index], !binding.isVariable else { return }
    bindings[value.index] = nil
    assign([value], binding.expression, [binding.layout], [binding.name])
  }

  /// Makes input `index` of a call a variable that lies as the call wants it.
  private func makeVariable(_ value: Value, _ name: String, _ trial: PyTorchCall, _ index: Int) {
    guard let binding = bindings[value.index], !binding.isVariable else { return }
    bindings[value.index] = nil
    var (expression, layout) = (binding.expression, binding.layout)
    if let wanted = trial.notes.headCounts.first(where: { $0.input == index }), layout == .rows {
      var call = PyTorchCall(
        trial.step, for: trial.form, shapes: [], peers: [],
        inputs: [.init(expression, layout, headCount: nil, width: "")],
        parameters: [], holder: nil, states: [], outputWidths: [], settings: known)
      expression = call.heads(wanted.count, named: wanted.name)
      layout = .heads(wanted.count)
      for setting in call.notes.settings where !settings.contains(where: { $0.0 == setting.0 }) {
        settings.append(setting)
      }
    }
    assign([value], expression, [layout], [name])
  }
}
