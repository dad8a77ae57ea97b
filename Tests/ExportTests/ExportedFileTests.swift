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
    "gpt2", "llama-3.1-8b", "tiny-hybrid", "jamba-style", "deepseek-v2-lite", "gpt-oss-20b",
  ]

  private static func file(_ model: String, _ models: ModelLoader, set: [String] = []) throws -> PyTorchFile {
    let described = try models.describe(model, patches: Overrides(set).patches)
    let words = DocumentedParts(described, Standard.kit.registry)
    return try PyTorchFile(described.plan, command: "chimera export \(model)") { words.words($0, $1) }
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

  @Test("every model of the zoo has a file: without experts at most 250 lines where all layers are alike, else 270")
  func zoo() throws {
    let models = try Here.models()
    var count = 0
    for model in models.catalog.models() {
      let described = try models.describe(model.name)
      if described.plan.seesWholeTexts || !described.plan.otherAxes.isEmpty {
        #expect(throws: ExportProblem.self) { try PyTorchFile(described.plan, command: "") }
        continue
      }
      let file = try PyTorchFile(described.plan, command: "chimera export \(model.name)")
      let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
      let hasExperts = described.plan.parameters.contains { $0.chosen != nil }
      let most = described.choices.kinds.count == 1 ? 250 : 270
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
    #expect(count > 200)
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
