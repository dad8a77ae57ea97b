import Describing
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
    guard plan.axes.count == PlannedAxis.ofText.count else {
      throw .noContinuation(name: plan.name, what: "reads more than a text")
    }
    guard !plan.seesWholeTexts, plan.prediction == .tokens else {
      throw .noContinuation(name: plan.name, what: "is an encoder")
    }
    var users: [Int: Int] = [:]
    for step in plan.steps {
      guard let layer = step.scope.layer else { continue }
      for index in step.parameters where users.updateValue(layer, forKey: index) ?? layer != layer {
        throw .noPlace(
          scope: step.scope.text,
          what: "'\(plan.parameters[index].name.text)' is another layer's too, and each has its own")
      }
    }
    let sections = PlanSections(plan).sections
    let layers = sections.filter { !$0.layers.isEmpty }
    guard let first = layers.first, let start = sections.firstIndex(where: { !$0.layers.isEmpty }) else {
      throw .noPlace(scope: plan.name, what: "it has no layers")
    }
    let before = sections[..<start].flatMap(\.steps)
    let after = sections[(start + layers.count)...].flatMap(\.steps)
    file = FileWriter(plan, try PlanFacts(plan, for: form, writing: before + layers.flatMap(\.steps) + after), sharing)

    // The residual stream is what the first step of a layer reads; all else comes from before the layers.
    let parts = try layers.map { section throws(ExportProblem) in
      try ModelPart(section.steps, path: [], reads: file.facts.reads)
    }
    let written = Set(before.flatMap(\.outputs))
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
    guard let stream = first.steps.first?.inputs.first else { return }
    // The library has the model without its head as a class of its own: what follows the first matrix is the head.
    let border = form == .plain ? after.endIndex : after.firstIndex { reads(matrix: $0) } ?? after.endIndex
    let last = after[border...].first?.inputs.first ?? plan.logits
    let own = before + after[..<border]
    let root = ModelPart(path: [], items: own.map { .step($0) }, inputs: [], result: last)
    let writer = PartWriter(root, in: file, inputs: [], returns: false)
    writer.reserve(stream)
    for value in shared { writer.reserve(value) }
    try writer.write(before.map { .step($0) })
    let linesBefore = writer.tree.lines.count
    for value in [stream] + shared { writer.materialize(value) }
    try writeLayers(zip(layers, parts).map { ($0, $1) }, shared, writer, stream)
    for step in after[..<border] {
      for value in step.inputs where !written.contains(value) && writer.binding(of: value) == nil {
        writer.bind(value, to: "x")
      }
      try writer.write([.step(step)])
    }
    let settings = writer.settings.map { "self.\($0.0) = {{\($0.0)|\($0.1.text)}}" }
    let modules = writer.tree.lines
    constructor = settings + modules.prefix(linesBefore) + constructor + modules.dropFirst(linesBefore)
    needs = writer.needs
    if form == .transformers {
      forward = writer.lines
      if let result = writer.binding(of: last), result.expression.text != "x" {
        forward.append("x = \(result.expression.text)")
      }
      head = try HeadWriter(Array(after[border...]), reading: last, in: file)
      return
    }
    forward += starting(writer.needs) + writer.lines
    if !plan.states.isEmpty {
      forward.append("if cache is not None:\n    cache.length += tokens.size(1)")
    }
    if let result = writer.binding(of: plan.logits) { forward.append("return \(result.expression.text)") }
  }

  private func reads(matrix step: Step) -> Bool { step.parameters.contains { plan.parameters[$0].use == .matrix } }

  /// What stands before everything else: where the text is, and what is computed again when it outgrows a length.
  private func starting(_ needs: WrittenClass.Needs) -> [String] {
    var lines: [String] = []
    let keeps = !plan.states.isEmpty
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
    if needs.positions || needs.length {
      lines.append(keeps ? "start = 0 if cache is None else cache.length" : "start = 0")
    }
    if needs.length { lines.append("length = start + tokens.size(1)") }
    if needs.positions {
      lines.append("positions = torch.arange(start, start + tokens.size(1), device=tokens.device)")
    }
    return lines
  }

  private mutating func writeLayers(
    _ layers: [(section: PlanSections.Section, part: ModelPart)], _ shared: [Value], _ writer: PartWriter,
    _ stream: Value
  ) throws(ExportProblem) {
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
    layerClasses = Array(Set(numbers)).sorted()
    self.shared = SharedArguments(layers.map(\.part), shared, file.classes)
    let kinds = LayerKinds(layerClasses, in: &file.classes)
    layerClasses = Set(kinds.standing.values).sorted()
    writer.form(needs)
    constructor = layerLines(zip(layers, numbers).map { ($0.section.layers, $1) }, kinds)
    guard let streamName = writer.binding(of: stream)?.expression.text else { return }
    if streamName != "x" { writer.write(line: "x = \(streamName)") }
    let arguments =
      ["x"] + shared.map { writer.binding(of: $0)?.expression.text ?? "" }
      + needs.words.map { $0 == "cache" && file.facts.form == .plain ? "kept" : $0 }
    let call = "x = layer(\(arguments.joined(separator: ", ")))"
    if file.facts.form == .transformers {
      for line in try TransformersLayers(file.plan).masks { writer.write(line: line) }
      writer.write(line: "for layer in self.layers:\n    \(TransformersText.recorded)\n    \(call)")
    } else if needs.cache {
      writer.write(line: "caches = [None] * len(self.layers) if cache is None else cache.layers")
      writer.write(line: "for layer, kept in zip(self.layers, caches):\n    \(call)")
      if !plan.recomputationLengths.isEmpty { writer.write(line: "x = x[:, -new:]") }
    } else {
      writer.write(line: "for layer in self.layers:\n    \(call)")
    }
  }

  /// The layers, each of its class and told the kinds of its sublayers where those differ.
  private func layerLines(_ numbered: [(layers: [Int], number: Int)], _ kinds: LayerKinds) -> [String] {
    let count = "{{num_layers|\(plan.shape.layerCount)}}"
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
