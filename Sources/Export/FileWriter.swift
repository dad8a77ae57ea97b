import Plans

/// What a file holds while it is written: functions, classes, imports; and where tensors stand in its modules.
final class FileWriter {
  let plan: Plan
  let facts: PlanFacts
  /// Modules to import.
  var imports: Set<String> = []
  /// Functions and classes of operators, in the order in which they are first needed.
  private(set) var definitions: [(name: String, text: String)] = []
  /// The classes of parts, those that others are made of first.
  var classes: [WrittenClass] = []
  /// Whether an operator carries something from token to token and says nothing of padding.
  var countsPadding = false
  /// What sublayers of one name are given alike, so that one class holds whichever of them.
  var shared: SharedArguments
  /// Tensors that layers share, by their index, as the arguments that layers read them by.
  let sharedTensors: [Int: String]
  private let firstReaders: [Int: Step]

  /// Names that no variable may have.
  let reservedNames: Set<String>

  /// A file of `plan`, whose functions are given `inputs`.
  init(
    _ plan: Plan, _ facts: PlanFacts, _ shared: SharedArguments, sharedTensors: [Int: String] = [:],
    inputs: [String] = []
  ) {
    self.shared = shared
    self.sharedTensors = sharedTensors
    self.plan = plan
    self.facts = facts
    var readers: [Int: Step] = [:]
    for step in plan.steps { for index in step.parameters where readers[index] == nil { readers[index] = step } }
    firstReaders = readers
    let ofTransformers = [
      "attend", "attention_mask", "key_positions", "padding", "states", "kwargs", "init", "texts",
      "past", "given", "T", "kind", "kinds", "block", "parts", "new",
    ]
    reservedNames = facts.definitions.union([
      "self", "config", "cache", "positions", "length", "start", "tokens", "F", "nn", "torch", "math", "layer", "kept",
      "keys", "values",
    ]).union(facts.form == .transformers ? ofTransformers : []).union(inputs).union(sharedTensors.values)
  }

  /// Writes `text` at the top of the file, under `name` or, where that is taken by another text, a name like it.
  func define(_ name: String, _ text: String) -> String {
    var candidate = name
    var number = 1
    while let other = definitions.first(where: { $0.name == candidate }) {
      if other.text == text.replacing(" \(name)(", with: " \(candidate)(") { return candidate }
      number += 1
      candidate = "\(name)\(number)"
    }
    definitions.append((candidate, text.replacing(" \(name)(", with: " \(candidate)(")))
    return candidate
  }

  /// Writes `part` as a class, or finds the one that is the same; gives its number.
  func write(_ part: ModelPart, layouts: [PyTorchLayout], names wanted: [String]) throws(ExportProblem)
    -> (number: Int, written: WrittenClass)
  {
    var names: [String] = []
    for (index, name) in wanted.enumerated() {
      let name = index == 0 ? "x" : name
      var number = 2
      var unique = name
      while names.contains(unique) || reservedNames.contains(unique) {
        (unique, number) = ("\(name)\(number)", number + 1)
      }
      names.append(unique)
    }
    let inputs = names.indices.map { (name: names[$0], word: $0 == 0 ? "x" : wanted[$0], layout: layouts[$0]) }
    let writer = PartWriter(part, in: self, inputs: inputs)
    try writer.write()
    let stack = part.steps.first?.scope.stack
    let prefix = stack.map { $0 + "_" } ?? ""
    let settings = writer.settings.map { (name: $0.0, value: "{{\(prefix)\($0.0)|\($0.1.text)}}") }
    var needs = writer.needs
    if stack == nil { needs.form(shared.needs(at: part.path)) }
    let own = writer.nouns.max { $0.rank < $1.rank }?.text ?? Self.noun(of: part)
    let noun = (stack.map(Self.word) ?? "") + own
    let written = WrittenClass(
      settings: [settings], constructor: writer.members.map { "self.\($0.name) = \($0.value)" } + writer.tree.lines,
      arguments: names, forward: writer.lines, noun: noun,
      adjectives: writer.adjectives, parts: writer.parts, path: part.path, stack: stack,
      layer: part.steps.first?.scope.layer, needs: needs)
    if let number = classes.firstIndex(where: { $0.key == written.key }) {
      classes[number].settings.append(settings)
      if noun.count < classes[number].noun.count { classes[number].noun = noun }
      return (number, written)
    }
    classes.append(written)
    return (classes.count - 1, written)
  }

  /// What a part is where no operator says it: its title, or the word of its scope.
  private static func noun(of part: ModelPart) -> String {
    guard let word = part.path.last else { return "Block" }
    let titles = Set(part.steps.map(\.part))
    let words =
      if part.path.count > 1, titles.count == 1, let title = titles.first, !title.isEmpty {
        title.split(separator: " ").map(String.init)
      } else {
        word.split(separator: "_").map(String.init)
      }
    return words.map { $0.count < 4 ? $0.uppercased() : $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// `name` as a word of a class's name.
  static func word(_ name: String) -> String {
    name.split { $0 == "_" || $0 == "-" }.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  // Where tensors stand.

  /// The words that lead from the class of `part` to the place `name`; nil where it is not below.
  func path(of name: TensorName, below part: ModelPart) -> [String]? {
    guard let scope = part.steps.first?.scope, name.isBeside(scope), name.path.starts(with: part.path) else {
      return nil
    }
    var numbers = name.numbers[...]
    let words = name.path.map { $0 == "*" ? numbers.popFirst().map(String.init) ?? $0 : $0 }
    return words.dropFirst(part.path.count).filter { $0 != "*" }
  }

  /// The place of the module that could hold all tensors of `step`.
  func holderPath(of step: Step, below part: ModelPart) -> [String]? {
    let owners = Set(step.parameters.map { plan.parameters[$0].name.owner })
    guard let owner = owners.first, owners.count == 1, let path = path(of: owner, below: part), !path.isEmpty
    else { return nil }
    return path
  }

  /// How the class of `part` reads `tensor`.
  func expression(of tensor: PlannedTensor, below part: ModelPart) -> PyTorchExpression {
    PyTorchExpression(PythonText.place(["self"] + (path(of: tensor.name, below: part) ?? [])))
  }

  /// The first step that reads the tensor at `index`.
  func firstReader(of index: Int) -> Step? { firstReaders[index] }

  /// The name of a state in its layer's cache.
  func stateName(_ index: Int, in step: Step) -> String {
    let name = plan.states[index].name
    let word = name.path.last ?? "state"
    let others = plan.states.filter { $0.name.isBeside(name) && $0.name.path.last == word }
    return others.count > 1 ? name.localText : word
  }
}
