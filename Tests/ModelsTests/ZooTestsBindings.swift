import Checkpoints
import Components
import Composition
import Files
import Foundation
import Kernels
import Models
import SharedData
import TestSupport
import Testing

/// What families make of configurations in other spellings than those of the fixtures' own files.
@Suite("Families on checkpoints")
struct ZooTestsBindings {
  /// The spelling of transformers 4 moves `rope_parameters` apart and calls `dtype` `torch_dtype`.
  @Test("bind the older spelling of a folder the same way", .needs("fixtures"), arguments: Here.fixtures)
  func olderSpelling(folder: String) throws {
    let path = try SharedData.path("fixtures/\(folder)")
    let original = try Here.models().describe(path)
    try withVariant(of: path) { config in
      config["torch_dtype"] = config["dtype"]
      config["dtype"] = nil
      // Where each kind of layer has its own angles, the older spelling is a family's own.
      guard let parameters = config["rope_parameters"]?.object, parameters["rope_theta"] != nil else { return }
      config["rope_parameters"] = nil
      let isNeoX = original.architecture.family == "gpt_neox"
      config[isNeoX ? "rotary_emb_base" : "rope_theta"] = parameters["rope_theta"]
      config[isNeoX ? "rotary_pct" : "partial_rotary_factor"] = parameters["partial_rotary_factor"]
      guard let type = parameters["rope_type"], type.string != "default" else {
        config["rope_scaling"] = .null
        return
      }
      // Llama 3 said rope_type before the rest did.
      var scaling = JSONObject()
      scaling[type.string == "llama3" ? "rope_type" : "type"] = type
      for (key, value) in parameters where !key.hasPrefix("rope_") { scaling[key] = value }
      config["rope_scaling"] = .object(scaling)
    } run: { model in
      #expect(model.architecture.family == original.architecture.family)
      #expect(model.notes == [])
      #expect(
        model.plan.steps.map(\.operation.attributes.listing) == original.plan.steps.map(\.operation.attributes.listing))
      let holds = try agrees(model, path)
      #expect(holds)
    }
  }

  @Test("give the layers of Qwen 2 their windows, whether they are listed or counted", .needs("fixtures/qwen2"))
  func windows() throws {
    let path = try SharedData.path("fixtures/qwen2")
    for listed in [true, false] {
      try withVariant(of: path) { config in
        config["use_sliding_window"] = .bool(true)
        config["sliding_window"] = .integer(8)
        config["max_window_layers"] = .integer(3)
        config["layer_types"] =
          listed ? .array(["full", "full", "full", "sliding"].map { .string($0 + "_attention") }) : nil
      } run: { model in
        #expect(model.notes == [])
        #expect(model.architecture.layers.map { $0[.attention]?.options["window"]?.integer } == [nil, nil, nil, 8])
      }
    }
  }

  @Test("leave out a window that is null, as in later versions of Mistral", .needs("fixtures/mistral")) func noWindow()
    throws
  {
    let path = try SharedData.path("fixtures/mistral")
    try withVariant(of: path) {
      $0["sliding_window"] = .null
    } run: { model in
      #expect(model.architecture.layers.allSatisfy { $0[.attention]?.options["window"] == nil })
    }
  }

  @Test("refuse what a spec of the family cannot say", .needs("fixtures/gpt2", "fixtures/llama")) func refusals() throws
  {
    let gpt2 = try SharedData.path("fixtures/gpt2")
    let llama = try SharedData.path("fixtures/llama")
    #expect(throws: Problems.self) {
      try withVariant(of: gpt2) {
        $0["add_cross_attention"] = .bool(true)
      } run: { _ in
      }
    }
    #expect(throws: Problems.self) {
      try withVariant(of: llama) {
        $0["hidden_act"] = .string("mish")
      } run: { _ in
      }
    }
  }

  @Test(
    "find in folders and GGUF files what the zoo's members say",
    .needs("gpt2", "llama/stories260K", SharedData.smolLM2))
  func members() throws {
    let models = try Here.models()
    for (path, member) in [
      ("gpt2/nano-sort", "nano-sort"), ("llama/stories260K", "stories260K"),
      ("llama/stories260K/stories260K.gguf", "stories260K"),
      ("llama/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct"),
    ] {
      let file = try SharedData.path(path)
      let found = try models.describe(file)
      #expect(found.notes == [], "\(path)")
      _ = try models.match(found)
      let wired = try models.describe(member, weights: file)
      _ = try models.match(wired)
      #expect(wired.plan.parameters == found.plan.parameters, "\(path)")
      #expect(wired.plan.shape == found.plan.shape, "\(path)")
      // Angles and scales too; a file of GGUF gives theta and eps in single precision.
      if !path.hasSuffix(".gguf") {
        #expect(
          wired.plan.steps.map(\.operation.attributes.listing) == found.plan.steps.map(\.operation.attributes.listing),
          "\(path)")
      }
    }
    let folder = try SharedData.path("gpt2/tinystories-char-223k")
    let characters = try models.describe("tinystories-char-223k", weights: folder)
    #expect(try models.match(characters).ignored == [])
  }

  /// The model of the folder at `path` with another configuration.
  private func withVariant(
    of path: String, _ change: (inout JSONObject) -> Void, run: (ModelDescription) throws -> Void
  ) throws {
    let folder = NSTemporaryDirectory() + "chimera-zoo-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var config = try #require(try JSONValue(contentsOf: path + "/config.json").object)
    change(&config)
    try JSONValue.object(config).serialized(pretty: true).write(
      toFile: folder + "/config.json", atomically: true, encoding: .utf8)
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/model.safetensors", withDestinationPath: path + "/model.safetensors")
    try run(Here.models().describe(folder))
  }

  /// Whether the logits are those in the folder's `expected.safetensors`, and the greedy continuation too.
  private func agrees(_ model: ModelDescription, _ folder: String) throws -> Bool {
    let loaded = try Here.models().load(model)
    let found = try Verification(
      loaded, expected: folder + "/expected.safetensors", pool: ThreadPool(threads: 1), computeType: .stored)
    return found.holds(tolerance: 1e-4) && found.greedy != nil
  }
}
