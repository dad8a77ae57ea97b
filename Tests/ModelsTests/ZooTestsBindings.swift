import Checkpoints
import Components
import Execution
import Files
import Kernels
import Testing

/// Families on checkpoints: a folder or a GGUF file is bound by its family's file alone, every tensor is accounted for,
/// and the logits are those of the reference implementation.
@Suite("Families on checkpoints")
struct ZooTestsBindings {
  static let references: [(folder: String, family: String)] = [
    ("gpt2", "gpt2"), ("openai-gpt", "gpt1"), ("llama", "llama"), ("llama3-rope", "llama"), ("llama-linear", "llama"),
    ("llama-yarn", "llama"), ("qwen2", "qwen2"), ("qwen2-tied", "qwen2"), ("mistral", "mistral"),
    ("gpt_neox", "gpt_neox"), ("gpt_neox-serial", "gpt_neox"), ("phi", "phi"), ("gptj", "gptj"),
  ]

  @Test("bind a folder, and compute the reference's logits within 1e-4", arguments: references)
  func fixture(folder: String, family: String) throws {
    guard let data = PackageZoo.data else { return }
    let path = "\(data)/fixtures/\(folder)"
    let bound = try BoundCheckpoint(folder: path)
    #expect(bound.family == family)
    #expect(bound.unused == [])
    #expect(try largestError(bound, path) < 1e-4)
  }

  /// The spelling of transformers 4 moves `rope_parameters` apart and `dtype` to `torch_dtype`.
  @Test("bind the older spelling of a folder the same way", arguments: references)
  func olderSpelling(folder: String, family: String) throws {
    guard let data = PackageZoo.data else { return }
    let path = "\(data)/fixtures/\(folder)"
    let bound = try BoundCheckpoint(folder: path) { config in
      config["torch_dtype"] = config["dtype"]
      config["dtype"] = nil
      guard let parameters = config["rope_parameters"]?.object else { return }
      config["rope_parameters"] = nil
      let isNeoX = family == "gpt_neox"
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
    }
    #expect(bound.family == family)
    #expect(bound.unused == [])
    #expect(try largestError(bound, path) < 1e-4)
  }

  @Test("bind the checkpoints that people made") func folders() throws {
    guard let data = PackageZoo.data else { return }
    for (folder, member) in [("gpt2/nano-sort", "nano-sort"), ("llama/stories260K", "stories260K")] {
      let bound = try BoundCheckpoint(folder: "\(data)/\(folder)")
      #expect(bound.unused == [])
      // The member's own file says the same as the folder's configuration.
      let plan = try PackageZoo.plan(try PackageZoo.load(member))
      #expect(plan.parameters == bound.plan.parameters)
      #expect(plan.shape == bound.plan.shape)
      #expect(plan.steps.map(\.operation.detail) == bound.plan.steps.map(\.operation.detail))
    }
  }

  @Test("bind GGUF files") func gguf() throws {
    guard let data = PackageZoo.data else { return }
    let files = [
      ("stories260K/stories260K.gguf", "stories260K"),
      ("smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct"),
    ]
    for (file, member) in files {
      let bound = try BoundCheckpoint(gguf: "\(data)/llama/\(file)")
      #expect(bound.family == "llama")
      #expect(bound.unused == [])
      let plan = try PackageZoo.plan(try PackageZoo.load(member))
      #expect(plan.parameters == bound.plan.parameters)
      #expect(plan.shape == bound.plan.shape)
    }
  }

  @Test("find in the file of characters what its member says") func characters() throws {
    guard let data = PackageZoo.data else { return }
    let folder = "\(data)/gpt2/tinystories-char-223k"
    let architecture = try PackageZoo.load("tinystories-char-223k")
    let map = try CheckpointMap(#require(architecture.checkpoint))
    let plan = try PackageZoo.plan(architecture)
    #expect(try map.match(plan.parameters, with: CheckpointFolder(path: folder).tensors).ignored == [])
  }

  /// The largest difference to the logits in `expected.safetensors`.
  private func largestError(_ bound: BoundCheckpoint, _ folder: String) throws -> Float {
    let expected = try SafetensorsFile(path: folder + "/expected.safetensors").tensors
    let ids = try #require(expected.first { $0.name == "input_ids" })
    let logits = try #require(expected.first { $0.name == "logits" })
    let (rows, length) = (ids.shape[0], ids.shape[1])
    let parameters = try Parameters(bound.plan, stored: try bound.match.load())
    let executor = try PlanExecutor(bound.plan, parameters, pool: ThreadPool(threads: 1), maximumRows: length)
    var error: Float = 0
    for row in 0..<rows {
      let tokens = (0..<length).map { Int(ids.bytes.loadUnaligned(fromByteOffset: (row * length + $0) * 8, as: Int64.self)) }
      let sequence = try executor.openSequence(length: length)
      var computed: [Float] = []
      try executor.forward([(sequence, tokens)], logits: .all) { _, _, row in computed += row }
      let start = row * computed.count
      for (i, value) in computed.enumerated() {
        let wanted = logits.bytes.loadUnaligned(fromByteOffset: (start + i) * 4, as: Float.self)
        error = max(error, abs(value - wanted))
      }
    }
    return withExtendedLifetime((ids.file, logits.file)) { error }
  }
}
