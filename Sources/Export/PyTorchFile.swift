import Operators
import Plans

/// A plan as one file of Python that needs nothing but torch.
///
/// A config, a class for each distinct kind of layer and of its parts, and `Model`, whose tensors have the plan's canonical
/// names; several experts' tensors are one, with an axis more.
public struct PyTorchFile: Sendable {
  /// The text.
  public let text: String
  /// The name of each of the plan's tensors in the module, in the plan's order.
  public let tensorNames: [String]

  /// What the file says of its parts: for the scope of a class, in the layer it was written from, lines of a doc comment.
  public typealias Words = (_ scope: TensorName) -> [String]

  /// The file of `plan`, which `command` writes. Throws `ExportProblem` where an operator has no rendering.
  public init(_ plan: Plan, command: String, words: Words = { _ in [] }) throws {
    let model = try ModelWriter(plan, for: .plain)
    var layers: Set<TensorName> = []
    for step in plan.steps
    where step.operation is Attend && step.states.contains(where: { plan.states[$0].axis.isOfText }) {
      guard layers.insert(TensorName(stack: step.scope.stack, layer: step.scope.layer)).inserted else {
        throw ExportProblem.noPlace(
          scope: step.scope.text, what: "two attentions of one layer have one place in the cache of a file")
      }
    }
    let file = model.file
    let names = ClassNames(
      file.classes, besides: Set(file.definitions.map(\.name)).union(["Model", "Config", "Cache"]))
    tensorNames = plan.parameters.map { Self.place($0) }

    var classes: [String] = []
    for (index, written) in file.classes.enumerated() where !written.isLeftOut {
      classes.append(
        ClassText(
          name: names.names[index], base: "nn.Module", doc: words(written.scope),
          told: written.kinds + written.told,
          constructor: written.statements, arguments: written.arguments + written.needs.arguments,
          forward: written.forward
        ).text)
    }
    let keeps = model.inputs.keeps
    let main = Self.model(plan, model)
    let definitions = file.definitions.map(\.text)
    var body = (definitions + classes + (keeps ? [Self.cache(plan)] : []) + [main]).map {
      names.fill(names.tell($0, file.classes))
    }
    let config = ConfigText(body.joined(separator: "\n"), plan: plan, words: [:])
    body = body.map { config.resolve($0) }
    let imports = file.imports.union(body.contains { $0.contains("math.") } ? ["math"] : [])
    var head = ["\"\"\"\(plan.name): \(plan.parameterCount.grouped) parameters.", ""]
    head += PythonText.filled(
      "Written by `\(command)`. Tensors are named as in model.safetensors; shapes in comments are [batch, tokens, …].",
      indent: 0)
    head += ["\"\"\"", ""]
    head += imports.sorted().map { "import \($0)" }
    head += [
      "from dataclasses import dataclass", "", "import torch", "import torch.nn.functional as F",
      "from torch import nn",
    ]
    text = ([head.joined(separator: "\n"), config.text] + body).joined(separator: "\n\n\n") + "\n"
  }

  /// Where a tensor stands in the module.
  static func place(_ tensor: PlannedTensor) -> String {
    tensor.name.text.split(separator: ".").filter { $0 != "*" }.joined(separator: ".")
  }

  private static func cache(_ plan: Plan) -> String {
    if !plan.recomputationLengths.isEmpty {
      return """
        class Cache:
            \"""What decoding keeps of a text: its tokens, and what each layer reads again.\"""

            def __init__(self, count):
                self.count, self.tokens = count, None
                self.clear()

            def clear(self):
                self.length = 0
                self.layers = [{} for _ in range(self.count)]
        """
    }
    let isBesideSource = plan.otherAxes.contains { plan.axes[$0.index].inputWidth == nil }
    return """
      class Cache:
          \"""What decoding keeps of a text: its length, and what each layer reads again\(isBesideSource ? ", and the states of its source" : "").\"""

          def __init__(self, count):
              self.length = 0
              self.layers = [{} for _ in range(count)]\(isBesideSource ? "\n        self.source = None" : "")
      """
  }

  private static func model(_ plan: Plan, _ model: ModelWriter) -> String {
    let starts = InitialWeights(plan, functions: "nn.init", place: place)
    let (keeps, inputs) = (model.inputs.keeps, model.inputs)
    let beside = inputs.beside(model.needs)
    let given = inputs.readsTokens ? beside.count == 0 ? "tokens" : words(of: beside, inputs) : "pictures"
    var lines = ["class Model(nn.Module):"]
    lines += [
      "    \"\"\"\(plan.name): \(given) to \(results(plan)).\"\"\"", "", "    def __init__(self, config=None):",
    ]
    lines += ClassText.statements(["super().__init__()", "config = config or Config()"] + model.constructor)
    lines += ["", "    @torch.no_grad()", "    def init_weights(self):"]
    lines += [
      "        \"\"\"Starts training anew; a model made on the meta device goes `to_empty` first.\"\"\"",
      "        for name, tensor in self.named_parameters():",
    ]
    lines += starts.lines.map { "            \($0)" }
    let own = inputs.readsTokens ? ["tokens"] : [ModelInputs.pixels]
    let arguments = own + beside.map { $0.isOptional ? "\($0.name)=None" : $0.name } + (keeps ? ["cache=None"] : [])
    lines += ["", "    def forward(self, \(arguments.joined(separator: ", "))):"]
    lines += documentation(plan, inputs, beside)
    lines += ClassText.statements(model.forward)
    if plan.prediction == .tokens, inputs.readsTokens {
      let others = beside.map { ", \($0.isOptional ? "\($0.name)=None" : $0.name)" }.joined()
      let passed = beside.map { ", \($0.name)" }.joined()
      lines += ["", "    def loss(self, tokens, targets\(others)):"]
      lines += [
        plan.seesWholeTexts
          ? "        \"\"\"The mean loss of what should stand in the tokens' places, in nats; -1 is none.\"\"\""
          : "        \"\"\"The mean loss of the tokens' successors, in nats; -1 is none.\"\"\"",
        "        logits = self(tokens\(passed)).float().flatten(0, 1)",
        "        return F.cross_entropy(logits, targets.flatten(), ignore_index=-1)",
      ]
      if !plan.seesWholeTexts { lines += generate(keeps: keeps, beside) }
    }
    return lines.joined(separator: "\n")
  }

  /// What the model is given, in words.
  private static func words(of beside: [ModelInputs.Beside], _ inputs: ModelInputs) -> String {
    var words: [String] = []
    if inputs.source != nil { words.append("a source's tokens") }
    if inputs.pictures != nil { words.append("pictures") }
    return (words + ["tokens"]).joined(separator: " and ")
  }

  /// What the model gives, in a word.
  private static func results(_ plan: Plan) -> String {
    switch plan.prediction {
    case .tokens: "logits"
    case .states, .pairs: "states"
    case .classes: "scores of classes"
    }
  }

  private static func documentation(_ plan: Plan, _ inputs: ModelInputs, _ beside: [ModelInputs.Beside]) -> [String] {
    let rows = inputs.readsTokens ? "tokens" : "rows"
    let result =
      switch plan.prediction {
      case .tokens: "Logits [batch, tokens, vocab_size]"
      case .states, .pairs: "States [batch, \(rows), hidden_size]"
      case .classes: "Scores [batch, classes]"
      }
    let sentence = inputs.keeps ? "\(result) of tokens that follow those in `cache`." : "\(result)."
    var more = beside.map(\.words)
    if !inputs.readsTokens { more = ["\(ModelInputs.pixels): [batch, channels, height, width]"] }
    if more.isEmpty { return ["        \"\"\"\(sentence)\"\"\""] }
    return ["        \"\"\"\(sentence)", ""] + more.map { "        \($0)." } + ["        \"\"\""]
  }

  private static func generate(keeps: Bool, _ beside: [ModelInputs.Beside]) -> [String] {
    let hasPrefix = beside.contains { $0.name == "prefix" }
    let required = beside.filter { !$0.isOptional }.map { "\($0.name), " }.joined()
    let optional = beside.filter { $0.isOptional && $0.name != "prefix" }.map { ", \($0.name)=None" }.joined()
    let passed = beside.map { "\($0.name), " }.joined()
    var lines = [
      "", "    @torch.no_grad()", "    def generate(self, tokens, \(required)count, temperature=0.0\(optional)):",
      "        \"\"\"`tokens` and `count` more; the likeliest ones at a temperature of 0.\"\"\"",
    ]
    if keeps { lines.append("        cache = Cache(len(self.layers))") }
    if keeps { lines.append("        new = tokens") }
    if hasPrefix { lines.append("        prefix = tokens.size(1)") }
    lines += [
      "        for _ in range(count):",
      "            logits = self(\(keeps ? "new, \(passed)cache" : "tokens"))[:, -1]",
    ]
    // Pictures stand in the beginning alone.
    for argument in beside where argument.isForBeginning && keeps {
      lines.append("            \(argument.name) = None")
    }
    lines += [
      "            new = logits.argmax(-1, keepdim=True)",
      "            if temperature:",
      "                new = torch.multinomial((logits / temperature).softmax(-1), 1)",
      "            tokens = torch.cat([tokens, new], dim=1)",
      "        return tokens",
    ]
    return lines
  }
}
