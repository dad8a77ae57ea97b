import Describing
import Operators
import Plans

/// Writes a plan as classes: one for each distinct layer, and `Model`, which holds them.
struct ModelWriter {
  let file: FileWriter
  /// The statements of `Model.__init__` after the first.
  private(set) var constructor: [String] = []
  /// The statements of `Model.forward`; in transformers those between the embedding and the last hidden states.
  private(set) var forward: [String] = []
  /// What the whole of it needs.
  private(set) var needs = WrittenClass.Needs()
  /// The classes of layers, by number.
  private(set) var layerClasses: [Int] = []
  /// What makes logits of hidden states; nil where the model does so itself.
  private(set) var head: HeadWriter?
  let plan: Plan
  /// What it is given.
  let inputs: ModelInputs

  /// What sublayers of one name could be given alike.
  private var shared = SharedArguments()

  /// The classes of `plan`. Throws where an operator has no rendering, or a value no place.
  init(_ plan: Plan, for form: PyTorchForm) throws(ExportProblem) {
    let own = try Self(plan, for: form, sharing: SharedArguments())
    let other = own.layerClasses.count > 1 ? try Self(plan, for: form, sharing: own.shared) : own
    self = other.layerClasses.count < own.layerClasses.count ? other : own
  }

  private init(_ plan: Plan, for form: PyTorchForm, sharing: SharedArguments) throws(ExportProblem) {
    self.plan = plan
    inputs = try ModelInputs(plan, for: form)
    let sharedTensors = try Self.sharedTensors(plan)
    let stacks = PlanStacks(plan)
    let text = stacks.text
    guard let first = text.layers.first else { throw .noPlace(scope: plan.name, what: "it has no layers") }
    let (before, layers, after) = (text.before, text.layers, text.after)
    let facts = try PlanFacts(plan, for: form, writing: stacks.others.flatMap(\.steps) + text.steps)
    file = FileWriter(
      plan, facts, SharedArguments(), sharedTensors: sharedTensors, inputs: inputs.names)
    var calls: [StackCall] = []
    for stack in stacks.others { calls.append(try write(stack)) }
    file.shared = sharing

    // The residual stream is what the first step of a layer reads; all else comes from before the layers.
    let parts = try Self.parts(of: layers, reads: facts.reads)
    let given = calls.flatMap(\.before)
    let written = Set((given + before).flatMap(\.outputs)).union(calls.map(\.result))
    let shared = try Self.shared(parts, of: layers, written: written)
    guard let stream = first.steps.first?.inputs.first else { return }
    // The library has the model without its head as a class of its own: what follows the first matrix is the head.
    let border = form == .plain ? after.endIndex : after.firstIndex { reads(matrix: $0) } ?? after.endIndex
    let last = after[border...].first?.inputs.first ?? plan.logits
    let own = given + before + after[..<border]
    let root = ModelPart(path: [], items: own.map { .step($0) }, inputs: [], result: last)
    let writer = PartWriter(root, in: file, inputs: [], returns: false)
    writer.reserve(stream)
    for value in shared + calls.flatMap(\.inputs) { writer.reserve(value) }
    for call in calls { try write(call, writer, mayBeNone: facts.mayBeNone) }
    try writer.write(before.map { .step($0) })
    let linesBefore = writer.tree.lines.count
    for value in [stream] + shared { writer.materialize(value) }
    let writtenLayers = try writeLayers(zip(layers, parts).map { ($0, $1) }, shared, writer, stream)
    layerClasses = writtenLayers.classes
    self.shared = writtenLayers.shared
    for step in after[..<border] {
      for value in step.inputs where !written.contains(value) && writer.binding(of: value) == nil {
        writer.bind(value, to: "x")
      }
      if plan.prediction == .classes, step.operation is SelectRows, let x = writer.binding(of: step.inputs[0]) {
        // Classes are those of a text, told by its first row.
        writer.write(line: "x = \(x.expression.at(":, 0").text)")
        writer.bind(step.outputs[0], to: "x")
        continue
      }
      try writer.write([.step(step)])
    }
    var settings = writer.settings.map { "self.\($0.0) = {{\($0.0)|\($0.1.text)}}" }
    if writer.needs.rows, let size = inputs.patchSize(of: nil) { settings.append(size) }
    let modules = writer.tree.lines
    let made = calls.map { "self.\($0.name) = ⟦\($0.number)⟧(config)" }
    constructor =
      made + settings + modules.prefix(linesBefore) + writtenLayers.constructor + modules.dropFirst(linesBefore)
    needs = writer.needs
    if form == .transformers {
      forward = writer.lines
      if let result = writer.binding(of: last), result.expression.text != "x" {
        forward.append("x = \(result.expression.text)")
      }
      head = try HeadWriter(Array(after[border...]), reading: last, in: file)
      return
    }
    forward = starting(writer.needs) + writer.lines
    if inputs.keeps {
      forward.append("if cache is not None:\n    cache.length += tokens.size(1)")
    }
    if let result = writer.binding(of: plan.logits) { forward.append("return \(result.expression.text)") }
  }

  /// The tensors that several layers read, each with the name of the argument that it is there. Throws for those that belong to
  /// one of the layers.
  private static func sharedTensors(_ plan: Plan) throws(ExportProblem) -> [Int: String] {
    var users: [Int: TensorName] = [:]
    var shared: [Int: String] = [:]
    for step in plan.steps {
      guard let layer = step.scope.layer else { continue }
      for index in step.parameters {
        let name = plan.parameters[index].name
        if let attend = step.operation as? Attend, attend.table != nil, index == step.parameters.last, name.layer == nil
        {
          shared[index] = name.owner.path.joined(separator: "_")
          continue
        }
        let own = TensorName(stack: step.scope.stack, layer: layer)
        if users.updateValue(own, forKey: index) ?? own != own {
          throw .noPlace(
            scope: step.scope.text, what: "'\(name.text)' is another layer's too, and each has its own")
        }
      }
    }
    return shared
  }

  /// The parts that `layers` are.
  private static func parts(of layers: [PlanSections.Section], reads: [Int: Int]) throws(ExportProblem) -> [ModelPart] {
    try layers.map { section throws(ExportProblem) in try ModelPart(section.steps, path: [], reads: reads) }
  }

  /// What `layers`, whose `parts` these are, read beside the residual stream: of the values that are `written` before them.
  private static func shared(_ parts: [ModelPart], of layers: [PlanSections.Section], written: Set<Value>)
    throws(ExportProblem) -> [Value]
  {
    var shared: [Value] = []
    for (part, section) in zip(parts, layers) {
      guard let stream = section.steps.first?.inputs.first, part.inputs.contains(stream) else {
        throw .noPlace(
          scope: section.steps.first?.scope.text ?? "", what: "its first step does not read the residual stream")
      }
      for value in part.inputs where value != stream && !shared.contains(value) {
        guard written.contains(value) else {
          throw .noPlace(scope: section.steps[0].scope.text, what: "it reads a value of another layer")
        }
        shared.append(value)
      }
    }
    return shared
  }

  private func reads(matrix step: Step) -> Bool { step.parameters.contains { plan.parameters[$0].use == .matrix } }

  /// What stands before everything else: where the text is, and what is computed again when it outgrows a length.
  private func starting(_ needs: WrittenClass.Needs) -> [String] {
    var lines: [String] = []
    let keeps = inputs.keeps
    if keeps, !plan.recomputationLengths.isEmpty {
      lines.append(
        """
        new = tokens.size(1)
        if cache is not None:
            # A text that outgrows these lengths is computed again from its beginning.
            ends = cache.length, cache.length + tokens.size(1)
            tokens = torch.cat([cache.tokens, tokens], dim=1) if cache.length else tokens
            cache.tokens = tokens
            if any(ends[0] <= border < ends[1] for border in (\(plan.recomputationLengths.map { "\($0)," }.joined(separator: " ")))):
                cache.clear()
            tokens = tokens[:, cache.length :]
        """)
    }
    if needs.rows, let rows = inputs.rows(in: file) { lines.append(rows) }
    if needs.types { lines.append("types = torch.zeros_like(tokens) if types is None else types") }
    if needs.pictures, let token = inputs.placeholder {
      lines.append(
        """
        # The runs of the token that pictures stand for, numbered.
        places = tokens == \(token)
        pictures = (places & ~F.pad(places[:, :-1], (1, 0))).cumsum(1) * places
        """)
    }
    if needs.prefix { lines.append("prefix = 0 if prefix is None else prefix") }
    let given = inputs.readsTokens ? "tokens" : "rows"
    if keeps, needs.positions || needs.length {
      lines.append("start = 0 if cache is None else cache.length")
      if needs.length { lines.append("length = start + tokens.size(1)") }
      if needs.positions {
        lines.append("positions = torch.arange(start, start + tokens.size(1), device=tokens.device)")
      }
      return lines
    }
    if needs.length { lines.append("length = \(given).size(1)") }
    if needs.positions { lines.append("positions = torch.arange(\(given).size(1), device=\(given).device)") }
    return lines
  }

  /// A stack beside the text's, as `Model` calls it.
  private struct StackCall {
    /// What it is called, and the number of its class.
    let name: String
    let number: Int
    /// Steps that stand before it, for the tensors that they read are the text's too.
    let before: [Step]
    /// What it reads of others, in the order of its arguments, and whether it is given pictures before them.
    let inputs: [Value]
    let readsPictures: Bool
    /// What others read of it.
    let result: Value
    /// What it is given where it reads tokens of its own.
    let tokens: String?
  }

  /// Writes `stack` as a class.
  private func write(_ stack: PlanStacks.Stack) throws(ExportProblem) -> StackCall {
    let name = stack.name ?? ""
    // What reads tensors of the text's stands outside: a table of tokens, which both look up.
    let outside = stack.before.prefix { step in
      !step.parameters.isEmpty && step.parameters.allSatisfy { plan.parameters[$0].name.stack != stack.name }
    }
    let before = Array(stack.before[outside.endIndex...])
    let steps = before + stack.layers.flatMap(\.steps) + stack.after
    // Layers stand for others of their kind, so what is read is asked of all steps.
    let all = plan.steps.filter { $0.scope.stack == stack.name }
    let results = ModelPart.results(of: all, reads: file.facts.reads)
    guard results.count == 1, let result = results.first else {
      throw .noPlace(scope: name, what: "others read \(results.count) of its values, and a class gives one")
    }
    let given = ModelPart.inputs(of: Array(outside) + steps).filter { value in
      !all.contains { $0.outputs.contains(value) }
    }
    let inputs = outside.flatMap(\.outputs).filter { value in steps.contains { $0.inputs.contains(value) } } + given
    let root = ModelPart(
      path: [], items: steps.filter { $0.scope.layer == nil }.map { .step($0) }, inputs: inputs, result: result)
    var names: [String] = []
    for index in inputs.indices { names.append(index == 0 ? "x" : "x\(index + 1)") }
    let writer = PartWriter(root, in: file, inputs: names.map { (name: $0, word: $0, layout: .rows) }, returns: false)
    var made: (before: Int, layers: [String]) = (0, [])
    if let stream = stack.layers.first?.steps.first?.inputs.first {
      let parts = try Self.parts(of: stack.layers, reads: file.facts.reads)
      let shared = try Self.shared(
        parts, of: stack.layers, written: Set(before.flatMap(\.outputs)).union(inputs))
      writer.reserve(stream)
      for value in shared { writer.reserve(value) }
      try writer.write(before.map { .step($0) })
      made.before = writer.tree.lines.count
      for value in [stream] + shared { writer.materialize(value) }
      made.layers = try writeLayers(zip(stack.layers, parts).map { ($0, $1) }, shared, writer, stream).constructor
    } else {
      try writer.write(before.map { .step($0) })
      made.before = writer.tree.lines.count
    }
    for step in stack.after {
      for value in step.inputs where writer.binding(of: value) == nil { writer.bind(value, to: "x") }
      try writer.write([.step(step)])
    }
    let readsTokens = all.contains { $0.operation is EmbeddingLookup && !outside.contains($0) }
    let lastValue = stack.layers.isEmpty || !stack.after.isEmpty ? writer.binding(of: result)?.expression.text : "x"
    var start: [String] = []
    if writer.needs.rows, let rows = self.inputs.rows(in: file) { start.append(rows) }
    if writer.needs.positions || writer.needs.length {
      let own = writer.needs.rows ? "rows" : readsTokens ? "tokens" : "x"
      if writer.needs.length { start.append("length = \(own).size(1)") }
      if writer.needs.positions { start.append("positions = torch.arange(\(own).size(1), device=\(own).device)") }
    }
    var settings = writer.settings.map { "self.\($0.0) = {{\(name)_\($0.0)|\($0.1.text)}}" }
    if writer.needs.rows, let size = self.inputs.patchSize(of: name) { settings.append(size) }
    let modules = writer.tree.lines
    let arguments = (writer.needs.rows ? [ModelInputs.pixels] : []) + (readsTokens ? ["tokens"] : []) + names
    file.classes.append(
      WrittenClass(
        settings: [[]],
        constructor: settings + modules.prefix(made.before) + made.layers + modules.dropFirst(made.before),
        arguments: arguments, forward: start + writer.lines + ["return \(lastValue ?? "x")"],
        noun: FileWriter.word(name) + "Stack", adjectives: [], parts: [], path: [], stack: name, layer: nil,
        needs: WrittenClass.Needs()))
    let source = self.inputs.source?.name
    return StackCall(
      name: name, number: file.classes.count - 1,
      before: outside.map { step in
        Step(
          scope: TensorName(path: step.scope.path), operation: step.operation, inputs: step.inputs,
          outputs: step.outputs, parameters: step.parameters, states: step.states, part: step.part, role: step.role)
      }, inputs: inputs, readsPictures: writer.needs.rows, result: result, tokens: readsTokens ? source : nil)
  }

  /// Writes the call of a stack into `Model`; texts without pictures may leave it out where `mayBeNone` says so of what it gives.
  private func write(_ call: StackCall, _ writer: PartWriter, mayBeNone: Set<Int>) throws(ExportProblem) {
    writer.tokens = inputs.source?.name ?? "tokens"
    try writer.write(call.before.map { .step($0) })
    writer.tokens = "tokens"
    let arguments =
      (call.readsPictures ? [ModelInputs.pixels] : []) + (call.tokens.map { [$0] } ?? [])
      + call.inputs.map { writer.binding(of: $0)?.expression.text ?? "x" }
    let made = "self.\(call.name)(\(arguments.joined(separator: ", ")))"
    if call.readsPictures {
      guard mayBeNone.contains(call.result.index) else {
        throw .noPlace(scope: call.name, what: "something reads its rows that a text without pictures has none of")
      }
      writer.write(line: "\(call.name) = None if \(ModelInputs.pixels) is None else \(made)")
    } else if inputs.source != nil, inputs.keeps {
      writer.write(
        line: """
          if cache is None or cache.source is None:
              \(call.name) = \(made)
          else:
              \(call.name) = cache.source
          if cache is not None:
              cache.source = \(call.name)
          """)
    } else {
      writer.write(line: "\(call.name) = \(made)")
    }
    writer.bind(call.result, to: call.name)
  }

  /// The layers of a stack: the lines that make them, the classes that they are of, and what their sublayers could be given alike.
  private typealias WrittenLayers = (constructor: [String], classes: [Int], shared: SharedArguments)

  private func writeLayers(
    _ layers: [(section: PlanSections.Section, part: ModelPart)], _ shared: [Value], _ writer: PartWriter,
    _ stream: Value
  ) throws(ExportProblem) -> WrittenLayers {
    let layouts = [PyTorchLayout.rows] + shared.map { writer.binding(of: $0)?.layout ?? .rows }
    let names = ["x"] + shared.map { writer.binding(of: $0)?.name ?? "y" }
    var numbers: [Int] = []
    var needs = WrittenClass.Needs()
    for (section, part) in layers {
      guard let own = section.steps.first?.inputs.first else { continue }
      let uniform = ModelPart(path: [], items: part.items, inputs: [own] + shared, result: part.result)
      let (number, written) = try file.write(uniform, layouts: layouts, names: names)
      numbers.append(number)
      needs.form(written.needs)
    }
    for number in numbers { file.classes[number].needs = needs }
    let classes = Array(Set(numbers)).sorted()
    let sharedArguments = SharedArguments(layers.map(\.part), shared, file.classes)
    let kinds = LayerKinds(classes, in: &file.classes)
    writer.form(needs)
    let lines = layerLines(zip(layers, numbers).map { ($0.section.layers, $1) }, kinds)
    let result: WrittenLayers = (lines, Set(kinds.standing.values).sorted(), sharedArguments)
    guard let streamName = writer.binding(of: stream)?.expression.text else { return result }
    if streamName != "x" { writer.write(line: "x = \(streamName)") }
    var words: [String] = []
    for word in needs.words {
      // A tensor that layers share stands beside them.
      let tensor = file.sharedTensors.first { index, name in
        name == word && plan.parameters[index].name.stack == layers.first?.section.stack
      }
      if needs.tensors.contains(word), let tensor {
        let name = plan.parameters[tensor.key].name
        writer.tree.place(tensor: plan.parameters[tensor.key].shape, at: name.path)
        words.append(PythonText.place(["self"] + name.path))
      } else {
        words.append(word == "cache" && file.facts.form == .plain ? "kept" : word)
      }
    }
    let arguments = ["x"] + shared.map { writer.binding(of: $0)?.expression.text ?? "" } + words
    let call = "x = layer(\(arguments.joined(separator: ", ")))"
    if file.facts.form == .transformers {
      for line in try TransformersLayers(file.plan).masks { writer.write(line: line) }
      writer.write(line: "for layer in self.layers:\n    \(TransformersText.recorded)\n    \(call)")
    } else if needs.cache, inputs.keeps {
      writer.write(line: "caches = [None] * len(self.layers) if cache is None else cache.layers")
      writer.write(line: "for layer, kept in zip(self.layers, caches):\n    \(call)")
      if !plan.recomputationLengths.isEmpty { writer.write(line: "x = x[:, -new:]") }
    } else {
      writer.write(line: "for layer in self.layers:\n    \(call)")
    }
    return result
  }

  /// The layers, each of its class and told the kinds of its sublayers where those differ.
  private func layerLines(_ numbered: [(layers: [Int], number: Int)], _ kinds: LayerKinds) -> [String] {
    let stack = numbered.first.flatMap { file.classes[$0.number].stack }
    let number = numbered.reduce(0) { $0 + $1.layers.count }
    let count = "{{\(stack.map { $0 + "_" } ?? "")num_layers|\(stack == nil ? plan.shape.layerCount : number)}}"
    var byClass: [Int: [Int]] = [:]
    for (layers, number) in numbered { byClass[number, default: []] += layers }
    let ordered = byClass.sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }
    guard let most = ordered.first else { return [] }
    let isNumbered = file.facts.form == .transformers && file.classes[most.key].needs.cache
    let index = isNumbered ? ", i" : ""
    if ordered.count == 1 {
      return [
        "self.layers = nn.ModuleList(⟦\(most.key)⟧(config\(index)) for \(isNumbered ? "i" : "_") in range(\(count)))"
      ]
    }
    /// The kind of a layer: its class, what that is told, or both.
    func kind(_ number: Int) -> String {
      let told = (kinds.told[number] ?? []).map { "⟦\($0)⟧" }
      let own = "⟦\(kinds.standing[number] ?? number)⟧"
      if kinds.isOne { return told.count == 1 ? told[0] : "(\(told.joined(separator: ", ")))" }
      if isTold { return told.isEmpty ? "(\(own),)" : "(\(own), \(told.joined(separator: ", ")))" }
      return own
    }
    let isTold = kinds.told.values.contains { !$0.isEmpty }
    var lines = ["kinds = [\(kind(most.key))] * \(count)"]
    for (number, layers) in ordered.dropFirst() {
      let layers = layers.sorted()
      let own = kind(number)
      lines.append(
        layers.count == 1
          ? "kinds[\(layers[0])] = \(own)" : "for i in \(Self.range(layers)):\n    kinds[i] = \(own)")
    }
    let (made, variables) =
      if kinds.isOne, let own = kinds.standing[most.key] {
        ("⟦\(own)⟧(config\(index), \(kinds.told[most.key]?.count == 1 ? "" : "*")kind)", "kind")
      } else if isTold {
        ("block(config\(index), *parts)", isNumbered ? "(block, *parts)" : "block, *parts")
      } else {
        ("kind(config\(index))", "kind")
      }
    let each = isNumbered ? "i, \(variables) in enumerate(kinds)" : "\(variables) in kinds"
    return lines + ["self.layers = nn.ModuleList(\(made) for \(each))"]
  }

  /// Numbers as Python counts them, where they are evenly spaced.
  private static func range(_ numbers: [Int]) -> String {
    let steps = Set(zip(numbers, numbers.dropFirst()).map { $1 - $0 })
    guard let step = steps.first, steps.count == 1, numbers.count > 2, let last = numbers.last else {
      return "(\(numbers.map(String.init).joined(separator: ", ")))"
    }
    return "range(\(numbers[0] == 0 && step == 1 ? "" : "\(numbers[0]), ")\(last + 1)\(step == 1 ? "" : ", \(step)"))"
  }
}
