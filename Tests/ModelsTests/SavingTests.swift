import Checkpoints
import Components
import Composition
import Files
import Foundation
import Kernels
import Models
import Specification
import TestSupport
import Testing
import Tokenization

/// What a saved folder carries beside its numbers.
@Suite struct SavingTests {
  private static let sizes = [
    "vocab_size=48", "context_length=32", "hidden_size=32", "layers.count=2", "attention.num_heads=4",
    "mlp.intermediate_size=24",
  ]

  /// A folder as others publish it, made of a family in small sizes, whose config.json is then changed.
  private func original(
    _ family: String, _ patches: [String], in folder: String, _ change: (inout JSONObject) -> Void
  ) throws -> String {
    let models = try Here.models()
    try SmallModels.write(SmallModels.architecture(family, Self.sizes + patches), to: folder + "/native")
    try models.save(models.describe(folder + "/native"), to: folder + "/original")
    var config = try #require(try CheckpointFolder.config(in: folder + "/original")?.object)
    change(&config)
    try writeAtomically(JSONValue.object(config).serialized(pretty: true), to: folder + "/original/config.json")
    return folder + "/original"
  }

  @Test("a folder keeps its configuration to the letter, with its ids, its words and its kinds of numbers")
  func verbatim() throws {
    try SmallModels.inFolder { folder in
      let path = try original("llama/family", [], in: folder) { config in
        config["eos_token_id"] = [2, 7]
        config["bos_token_id"] = 1
        config["pad_token_id"] = .null
        config["rms_norm_eps"] = 1e-5
        config["torch_dtype"] = config["dtype"]
        config["dtype"] = nil
        config["pretraining_tp"] = 1
      }
      let models = try Here.models()
      try models.save(models.describe(path), to: folder + "/saved")
      let (before, after) = (
        try CheckpointFolder.config(in: path), try CheckpointFolder.config(in: folder + "/saved")
      )
      #expect(after?.serialized() == before?.serialized())

      // Other numbers are of another type, and nothing else changes.
      try models.save(models.describe(path), to: folder + "/short", as: .bf16)
      var object = try #require(before?.object)
      object["torch_dtype"] = "bfloat16"
      #expect(try CheckpointFolder.config(in: folder + "/short")?.serialized() == JSONValue.object(object).serialized())
    }
  }

  @Test("ids that stand beside the configuration are carried over, and a native folder keeps those inside it")
  func ids() throws {
    try SmallModels.inFolder { folder in
      let path = try original("llama/family", [], in: folder) { config in
        config["eos_token_id"] = [2, 7]
        config["bos_token_id"] = 1
      }
      try writeAtomically(#"{"pad_token_id": 3}"#, to: path + "/generation_config.json")
      let models = try Here.models()
      try models.saveNative(models.describe(path), to: folder + "/again")
      let kept = try JSONValue(contentsOf: folder + "/again/generation_config.json")
      #expect(kept["eos_token_id"] == [2, 7] && kept["bos_token_id"] == 1 && kept["pad_token_id"] == 3)
      try models.save(models.describe(path), to: folder + "/saved")
      #expect(try JSONValue(contentsOf: folder + "/saved/generation_config.json") == ["pad_token_id": 3])
    }
  }

  @Test("a configuration that is made says null of ids that nobody knows, and what others ask for")
  func made() throws {
    try SmallModels.inFolder { folder in
      let path = try original("llama/family", [], in: folder) { _ in }
      let config = try #require(try CheckpointFolder.config(in: path)?.object)
      #expect(config["eos_token_id"] == .null && config["bos_token_id"] == .null && config["pad_token_id"] == .null)
      #expect(config["architectures"] == ["LlamaForCausalLM"] && config["dtype"] == "float32")
      #expect(config["num_key_value_heads"] == 4 && config["head_dim"] == 8)
    }
  }

  /// Families of others' libraries name the class that reads them; `write` of a family that is built on is another's.
  @Test("every family that reads a config.json says in its own file which architecture it writes")
  func architectures() throws {
    let catalog = Catalog(folders: [Here.architectures])
    let loader = SpecificationLoader(catalog: catalog, for: Composer(Standard.kit.registry))
    for (family, path) in catalog.familyFiles().map({ ($0.family, $0.path) }) {
      guard let config = try loader.tree("\(family)/\(Catalog.familyFile)")["config"],
        config["match"]?.place?.source == path
      else { continue }
      #expect(config["write"]?["architectures"]?.place?.source == path, "\(family)")
    }
  }

  @Test("the tokenizer's files come along, whatever they are called, and others do not")
  func companions() throws {
    try SmallModels.inFolder { folder in
      let path = try original("llama/family", [], in: folder) { _ in }
      for name in ["vocab_ascii.json", "a.tiktoken", "chat_template.jinja", "README.md", "pytorch_model.bin"] {
        try writeAtomically("x", to: path + "/" + name)
      }
      try makeFolder(path + "/additional_chat_templates")
      try writeAtomically("y", to: path + "/additional_chat_templates/tool.jinja")
      let models = try Here.models()
      try models.save(models.describe(path), to: folder + "/saved")
      #expect(
        try namesInFolder(folder + "/saved") == [
          "a.tiktoken", "additional_chat_templates", "chat_template.jinja", "config.json", "model.safetensors",
          "vocab_ascii.json",
        ])
      #expect(try namesInFolder(folder + "/saved/additional_chat_templates") == ["tool.jinja"])
    }
  }
}
