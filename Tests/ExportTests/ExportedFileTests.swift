import Export
import Foundation
import Models
import Plans
import Specification
import TestSupport
import Testing

/// The PyTorch files of the zoo.
///
/// Some are compared with what was last reviewed, without a Python: a changed rendering must show up as a diff of
/// `Tests/Exported`. Write them anew with `CHIMERA_WRITE_EXPORTS=1 swift test -c release --filter ExportedFileTests`.
@Suite struct ExportedFileTests {
  private static let folder = Here.package + "/Tests/Exported"
  private static let reviewed = [
    "gpt2", "llama-3.1-8b", "tiny-hybrid", "jamba-style", "deepseek-v2-lite", "gpt-oss-20b", "bert-base-uncased",
    "vit-base-patch16-224", "shapes-vl", "t5-small",
  ]

  /// Layers that give several residual streams, or share tensors with others, have no class.
  static let withoutFile = ["gemma-3n-e2b", "gemma-3n-e4b", "zamba-7b-v1"]

  private static func file(_ model: String, _ models: ModelLoader, set: [String] = []) throws -> PyTorchFile {
    let described = try models.describe(model, patches: Overrides(set).patches)
    let words = DocumentedParts(described, Standard.kit.registry)
    return try PyTorchFile(described.plan, command: "chimera export \(model)") { words.words($0) }
  }

  @Test("a file is the one that was reviewed", arguments: reviewed)
  func golden(_ model: String) throws {
    let text = try Self.file(model, Here.models()).text
    let path = "\(Self.folder)/\(model).py"
    if ProcessInfo.processInfo.environment["CHIMERA_WRITE_EXPORTS"] == "1" {
      try FileManager.default.createDirectory(atPath: Self.folder, withIntermediateDirectories: true)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let reviewed = try? String(contentsOfFile: path, encoding: .utf8)
    #expect(text == reviewed, "the file of \(model) is not the one in Tests/Exported")
  }

  @Test(
    "every model of the zoo has a file: without experts at most 250 lines where all layers are alike, else 270, with stacks 400"
  )
  func zoo() throws {
    let models = try Here.models()
    var count = 0
    for model in models.catalog.models() {
      let described = try models.describe(model.name)
      let isTextAlone = !described.plan.seesWholeTexts && described.plan.otherAxes.isEmpty
      let file: PyTorchFile
      do {
        file = try PyTorchFile(described.plan, command: "chimera export \(model.name)")
      } catch let problem as ExportProblem where !isTextAlone || Self.withoutFile.contains(model.name) {
        // What reads more than a text may have no form yet, and then a sentence says why.
        let words = ["cannot be written in PyTorch", "cannot be written as a class of PyTorch"]
        #expect(words.contains { problem.description.contains($0) }, "\(model.name): \(problem)")
        continue
      }
      let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
      let hasExperts = described.plan.parameters.contains { $0.chosen != nil }
      let most = !isTextAlone ? 400 : described.choices.kinds.count == 1 ? 250 : 270
      #expect(hasExperts || lines <= most, "\(model.name) has \(lines) lines")
      #expect(!file.text.contains("⟦") && !file.text.contains("{{"), "\(model.name) has a place that nothing filled")
      let broken = file.text.split(separator: "\n").first { $0.contains("  # ") && $0.hasSuffix("(") }
      #expect(broken == nil, "\(model.name) has a comment that is broken as code is: \(broken ?? "")")
      let kinds = file.text.split(separator: "\n").filter { $0.contains(" kinds = [") || $0.contains(" kinds[") }
        .map { $0.drop { $0 != "=" }.prefix { $0 != "*" }.filter { !"=[] ".contains($0) } }
      #expect(
        Set(kinds).count == kinds.count && !kinds.contains("()"),
        "\(model.name) has two kinds of layers that are one: \(kinds)")
      #expect(
        Set(file.tensorNames).count == described.plan.parameters.count, "\(model.name) has two tensors of one name")
      count += 1
    }
    #expect(count > 300)
  }

  @Test("an encoder sees all tokens, tells two texts apart, and continues none")
  func encoder() throws {
    let models = try Here.models()
    let text = try Self.file("bert-base-uncased", models).text
    #expect(text.contains("    def forward(self, tokens, types=None):"))
    #expect(
      text.contains("def attend_all(q, k, v, scale):")
        && text.contains("y = F.scaled_dot_product_attention(q, k, v, scale=scale)"))
    #expect(!text.contains("def generate") && !text.contains("cache") && text.contains("def loss"))
    // One vector of types is the same for all, and what has no head gives states.
    #expect(try Self.file("roberta-base", models).text.contains("    def forward(self, tokens):"))
    #expect(try !Self.file("all-minilm-l6-v2", models).text.contains("def loss"))
    let windows = try Self.file("modernbert-base", models).text
    #expect(windows.contains("mask = (query - key <= before) & (key - query <= after)"))
  }

  @Test("pictures are cut into rows, and a word of Python is a key of a module")
  func pictures() throws {
    let text = try Self.file("vit-base-patch16-224", Here.models()).text
    #expect(text.contains("    def forward(self, pixel_values):"))
    #expect(text.contains("rows = cut(pixel_values, self.patch_size, 1)"))
    #expect(text.contains("with_first(") && text.contains("self.embed[\"class\"].weight"))
    // Classes are told by the first row.
    #expect(text.contains("x = x[:, 0]") && !text.contains("vocab_size"))
  }

  @Test("a stack is a class, whose settings begin with its name, and its rows stand in the places of a token")
  func stacks() throws {
    let models = try Here.models()
    let file = try Self.file("shapes-vl", models)
    #expect(file.text.contains("class ImageStack(nn.Module):") && file.text.contains("class ImageBlock(nn.Module):"))
    #expect(file.text.contains("image_hidden_size: int = 128"))
    #expect(file.text.contains("image = None if pixel_values is None else self.image(pixel_values)"))
    #expect(file.text.contains("replace(") && file.text.contains("image, tokens == 1)"))
    #expect(file.tensorNames.contains("image.layers.0.attn.q.weight"))
    let translation = try Self.file("t5-small", models).text
    #expect(translation.contains("    def forward(self, tokens, source, cache=None):"))
    #expect(translation.contains("source = self.source(self.embed.tokens(source))"))
    // A table of distances is one for all layers of a stack.
    #expect(translation.contains("x = layer(x, source, self.relative.weight, "))
  }

  @Test("what has no form yet is named")
  func refused() throws {
    let models = try Here.models()
    let towers = #expect(throws: ExportProblem.self) { try Self.file("clip-vit-base-patch32", models) }
    #expect(
      towers?.description
        == "'clip-vit-base-patch32' cannot be written in PyTorch yet: it compares a text with what another stack reads")
    let blocks = #expect(throws: ExportProblem.self) { try Self.file("qwen2-vl-2b-instruct", models) }
    #expect(blocks?.description.contains("yet: it reads films") == true)
    let encoder = try models.describe("bert-base-uncased")
    let folder = #expect(throws: ExportProblem.self) {
      try TransformersFile(encoder.plan, command: "", words: { _ in [] })
    }
    #expect(
      folder?.description.hasPrefix(
        "folders for transformers have models that continue texts, and 'bert-base-uncased' is an encoder") == true)
  }

  @Test("parts that are numbered stand under their numbers, and each keeps a state of its own")
  func numbered() throws {
    let file = try Self.file("mamba-130m", Here.models(), set: ["attention.num_heads=2"])
    #expect(file.text.contains("self.heads = nn.ModuleDict({\"0\": nn.Module(), \"1\": nn.Module()})"))
    #expect(file.text.contains("self.heads[\"1\"].dt_in = nn.Linear(config.hidden_size, 48, bias=False)"))
    #expect(file.text.contains("\"attn.heads.0.state\"") && file.text.contains("\"attn.heads.1.state\""))
    #expect(file.tensorNames.contains("layers.3.attn.heads.1.a_log"))
  }

  @Test("layers that differ in the kind of a sublayer are one class, which is told the kind")
  func kinds() throws {
    let models = try Here.models()
    let text = try Self.file("tiny-hybrid", models).text
    #expect(text.contains("def __init__(self, config, attn, mlp):"))
    #expect(text.contains("kinds[0] = (Block, SlidingAttention, GatedMLP)"))
    #expect(text.contains("nn.ModuleList(block(config, *parts) for block, *parts in kinds)"))
    let simple = try Self.file("mamba2-attention", models).text
    #expect(simple.contains("nn.ModuleList(Block(config, kind) for kind in kinds)"))
    // Layers that differ in what a sublayer is told, here a window, stay two.
    let windows = try Self.file("gpt-oss-20b", models).text
    #expect(windows.contains("kinds = [SlidingAttentionBlock] * config.num_layers"))
    #expect(windows.contains("kinds[i] = AttentionBlock"))
    #expect(windows.contains("window=128)") && windows.contains("window=None)"))
  }

  @Test("a text that outgrows a length is computed again, and the logits are those of what is new")
  func recomputed() throws {
    let factors = Array(repeating: "1.5", count: 32).joined(separator: ", ")
    let lengths = "original_context: 8, factor: 2"
    let scaling = "type: longrope, short_factor: [\(factors)], long_factor: [\(factors)], \(lengths)"
    let text = try Self.file("gpt2-rope", Here.models(), set: ["position={type: rope, scaling: {\(scaling)}}"]).text
    #expect(text.contains("        new = tokens.size(1)\n") && text.contains("        x = x[:, -new:]\n"))
    #expect(try !Self.file("gpt2-rope", Here.models()).text.contains("-new"))
  }

  @Test("an operator that says nothing of PyTorch is named, with the place to add it")
  func noRendering() throws {
    var plan = PlanBuilder(shape: ModelShape(vocabSize: 5, contextLength: 4, hiddenSize: 2, layerCount: 1))
    let table = plan.parameter("embed.tokens.weight", shape: [5, 2], starts: .normal(1))
    let x = plan.apply(Silent(), to: [], parameters: [table])[0]
    let y = plan.layer(0) { plan in plan.apply(Silent(), to: [x], parameters: [table])[0] }
    let finished = try plan.finish(name: "silent", logits: y)
    let problem = try #require(throws: ExportProblem.self) { try PyTorchFile(finished, command: "") }
    #expect(
      problem.description
        == "the operator 'silent' in '' cannot be written in PyTorch: its 'func pytorch(_ call: inout PyTorchCall) -> "
        + "PyTorchExpression?', beside its kernel, says nothing of it")
  }

  private struct Silent: Operator {
    let name = "silent"
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [ValueShape(width: 2, axis: .tokens)] }
    func flops(step: Step, context: Int) -> Int { 0 }
  }
}
