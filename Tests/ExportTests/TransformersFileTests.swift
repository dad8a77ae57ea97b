import Export
import Foundation
import Models
import Plans
import TestSupport
import Testing

/// Files for transformers, and what is said of runtimes.
///
/// Some files are compared with what was last reviewed; write them anew with
/// `CHIMERA_WRITE_EXPORTS=1 swift test -c release --filter TransformersFileTests`. What transformers makes of them is seen
/// by `make interop`.
@Suite struct TransformersFileTests {
  private static let folder = Here.package + "/Tests/Exported"

  private static func file(_ model: String, _ models: ModelLoader) throws -> TransformersFile {
    let described = try models.describe(model)
    let words = DocumentedParts(described, Standard.kit.registry)
    return try TransformersFile(described.plan, command: "chimera export \(model) --to hf") { words.words($0) }
  }

  @Test("a file is the one that was reviewed", arguments: ["tiny-hybrid", "story-hybrid", "gpt2-alibi"])
  func golden(_ model: String) throws {
    let file = try Self.file(model, Here.models())
    for (name, text) in [(file.names.modeling, file.modeling), (file.names.configuration, file.configuration)] {
      let path = "\(Self.folder)/\(name).py"
      if ProcessInfo.processInfo.environment["CHIMERA_WRITE_EXPORTS"] == "1" {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
      }
      #expect(
        text == (try? String(contentsOfFile: path, encoding: .utf8)), "\(name).py is not the one in Tests/Exported")
    }
  }

  @Test("every model of the zoo has files: no place is left open, no two tensors have one name, each layer has a type")
  func zoo() throws {
    let models = try Here.models()
    for model in models.catalog.models() {
      let plan = try models.describe(model.name).plan
      if plan.seesWholeTexts || !plan.otherAxes.isEmpty || ExportedFileTests.withoutFile.contains(model.name) {
        #expect(throws: ExportProblem.self) { try TransformersFile(plan, command: "") { _ in [] } }
        continue
      }
      let file = try TransformersFile(plan, command: "chimera export \(model.name)") { _ in [] }
      #expect(
        !file.modeling.contains("⟦") && !file.modeling.contains("{{"), "\(model.name) has a place that nothing filled")
      #expect(Set(file.tensorNames).count == plan.parameters.count, "\(model.name) has two tensors of one name")
      #expect(file.layerTypes.count == plan.shape.layerCount, "\(model.name)")
      // What a layer keeps besides keys and values needs a place in the cache.
      #expect(!file.modeling.contains(".states\n") || file.modeling.contains("class StateLayer"), "\(model.name)")
      // `generate` takes a class with this word for a state-space model of the library's own.
      #expect(!file.names.className.lowercased().contains("mamba"), "\(model.name)")
    }
  }

  @Test("a tied matrix is the head's and the embedding's, and is stored once")
  func tied() throws {
    let file = try Self.file("gpt2", Here.models())
    #expect(file.isTied)
    #expect(file.modeling.contains("_tied_weights_keys = {\"lm_head.weight\": \"model.embed.tokens.weight\"}"))
    #expect(!file.tensorNames.contains("lm_head.weight"))
    let other = try Self.file("tinyllama-1.1b", Here.models())
    #expect(!other.isTied)
    #expect(other.tensorNames.contains("lm_head.weight"))
  }

  @Test("a bias on scores is named where a runtime would drop it without a word")
  func bias() throws {
    let models = try Here.models()
    let rows = Reach(try models.describe("gpt2-alibi").plan, stock: "none", hasGGUF: false).rows
    let served = try #require(rows.first { $0.key == "vllm" })
    #expect(!served.isReached)
    #expect(served.why == "layer 0 adds 'alibi' to its scores, which its attention would drop without a word")
    #expect(rows.first { $0.key == "flex" }?.isReached == false)
    #expect(rows.first { $0.key == "sdpa" }?.isReached == true)
  }

  @Test("what a runtime computes follows from the plan")
  func reach() throws {
    let models = try Here.models()
    func reached(_ model: String) throws -> Set<String> {
      Set(Reach(try models.describe(model).plan, stock: "none", hasGGUF: false).rows.filter(\.isReached).map(\.key))
    }
    #expect(try reached("llama-3.1-8b") == ["eager", "sdpa", "flex", "compile", "vllm", "onnx"])
    #expect(try reached("jamba-style") == ["eager", "sdpa", "flex", "compile"])
    // Its layers without positions normalize queries, and vLLM takes the norm `q_norm` for a part of the projection `q`.
    #expect(try !reached("tiny-hybrid").contains("vllm") && reached("llama-sandwich-qknorm").contains("vllm"))
    #expect(try reached("gemma-2-2b") == ["eager", "flex", "compile", "vllm", "onnx"])
    #expect(try reached("gpt-oss-20b").contains("sdpa") == false)
  }
}
