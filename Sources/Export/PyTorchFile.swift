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

  /// What the file says of its parts: for the scope of a class and the layer it was written from, lines of a doc comment.
  public typealias Words = (_ scope: [String], _ layer: Int?) -> [String]

  /// The file of `plan`, which `command` writes. Throws `ExportProblem` where an operator has no rendering.
  public init(_ plan: Plan, command: String, words: Words = { _, _ in [] }) throws {
    let model = try ModelWriter(plan, for: .plain)
    var layers: Set<TensorName> = []
    for step in plan.steps where step.operation is Attend && !step.states.isEmpty {
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
          name: names.names[index], base: "nn.Module", doc: words(written.path, written.layer),
          told: written.kinds + written.told,
          constructor: written.statements, arguments: written.arguments + written.needs.arguments,
          forward: written.forward
        ).text)
    }
    let keeps = !plan.states.isEmpty
    let main = Self.model(plan, model, keeps: keeps)
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
    return """
      class Cache:
          \"""What decoding keeps of a text: its length, and what each layer reads again.\"""

          def __init__(self, count):
              self.length = 0
              self.layers = [{} for _ in range(count)]
      """
  }

  private static func model(_ plan: Plan, _ model: ModelWriter, keeps: Bool) -> String {
    let starts = InitialWeights(plan, functions: "nn.init", place: place)
    var lines = ["class Model(nn.Module):"]
    lines += ["    \"\"\"\(plan.name): tokens to logits.\"\"\"", "", "    def __init__(self, config=None):"]
    lines += ClassText.statements(["super().__init__()", "config = config or Config()"] + model.constructor)
    lines += ["", "    @torch.no_grad()", "    def init_weights(self):"]
    lines += [
      "        \"\"\"Starts training anew; a model made on the meta device goes `to_empty` first.\"\"\"",
      "        for name, tensor in self.named_parameters():",
    ]
    lines += starts.lines.map { "            \($0)" }
    lines += ["", "    def forward(self, tokens\(keeps ? ", cache=None" : "")):"]
    lines.append("        \"\"\"Logits [batch, tokens, vocab_size] of tokens that follow those in `cache`.\"\"\"")
    if !keeps { lines[lines.count - 1] = "        \"\"\"Logits [batch, tokens, vocab_size].\"\"\"" }
    lines += ClassText.statements(model.forward)
    lines += ["", "    def loss(self, tokens, targets):"]
    lines += [
      "        \"\"\"The mean loss of the tokens' successors, in nats; -1 is none.\"\"\"",
      "        logits = self(tokens).float().flatten(0, 1)",
      "        return F.cross_entropy(logits, targets.flatten(), ignore_index=-1)",
      "", "    @torch.no_grad()", "    def generate(self, tokens, count, temperature=0.0):",
      "        \"\"\"`tokens` and `count` more; the likeliest ones at a temperature of 0.\"\"\"",
    ]
    if keeps { lines.append("        cache = Cache(len(self.layers))") }
    lines += [
      "        new = tokens", "        for _ in range(count):",
      "            logits = self(\(keeps ? "new, cache" : "tokens"))[:, -1]",
      "            new = logits.argmax(-1, keepdim=True)",
      "            if temperature:",
      "                new = torch.multinomial((logits / temperature).softmax(-1), 1)",
      "            tokens = torch.cat([tokens, new], dim=1)",
      "        return tokens",
    ]
    if !keeps { lines.removeAll { $0 == "        new = tokens" } }
    return lines.joined(separator: "\n")
  }
}
