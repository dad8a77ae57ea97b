import Checkpoints
import Components
import Files
import Foundation
import Models
import TestSupport
import Testing

/// Adapters as PEFT saves them, put into the weights that they change.
@Suite struct AdapterTests {
  private static let sizes = [
    "vocab_size=48", "context_length=32", "hidden_size=32", "layers.count=2", "attention.num_heads=4",
    "mlp.intermediate_size=24",
  ]

  /// A folder of a family in small sizes, as others publish it.
  private static func model(_ family: String, _ patches: [String] = [], in folder: String) throws -> String {
    let models = try Here.models()
    try SmallModels.write(SmallModels.architecture(family, sizes + patches), to: folder + "/native")
    try models.save(models.describe(folder + "/native"), to: folder + "/model")
    return folder + "/model"
  }

  /// Numbers that are all different.
  private static func numbers(_ count: Int, _ start: Float) -> [Float] {
    (0..<count).map { start + 0.1 * sin(Float($0) * 1.7 + start) }
  }

  private static func write(
    _ tensors: [(name: String, shape: [Int], numbers: [Float])], _ config: String, to path: String
  ) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let stored = tensors.map {
      StoredTensor(name: "base_model.model." + $0.name, shape: $0.shape, numbers: $0.numbers)
    }
    try SafetensorsFile.write(stored, to: path + "/adapter_model.safetensors")
    try Data(config.utf8).write(to: URL(fileURLWithPath: path + "/adapter_config.json"))
  }

  /// Factors of a module.
  private static func factors(_ module: String, rank: Int, _ rows: Int, _ columns: Int, lengths: Bool = false) -> [(
    name: String, shape: [Int], numbers: [Float]
  )] {
    var all = [
      (module + ".lora_A.weight", [rank, columns], numbers(rank * columns, 0.2)),
      (module + ".lora_B.weight", [rows, rank], numbers(rows * rank, -0.3)),
    ]
    if lengths { all.append((module + ".lora_magnitude_vector", [rows], numbers(rows, 1.5))) }
    return all
  }

  private static func values(_ tensor: StoredTensor?) throws -> [Float] {
    let tensor = try #require(try tensor?.stored(as: .f32))
    return withExtendedLifetime(tensor.owner) {
      (0..<tensor.bytes.count / 4).map { tensor.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  /// The matrix `name` of the model, without and with the adapter.
  private static func matrix(_ name: String, of model: String, _ adapter: String) throws -> ([Float], [Float]) {
    let models = try Here.models()
    let plain = try models.weights(of: models.describe(model))
    let changed = try models.weights(of: models.describe(model, adapter: adapter))
    return (try values(plain[name]), try values(changed[name]))
  }

  /// W + s·B·A in double, and with rows of the lengths m.
  private static func expected(
    _ w: [Float], _ a: [Float], _ b: [Float], rank: Int, scale: Double, lengths m: [Float]? = nil
  ) -> [Float] {
    let rows = b.count / rank
    let columns = w.count / rows
    return (0..<rows).flatMap { row -> [Float] in
      var line = (0..<columns).map { column in
        Double(w[row * columns + column])
          + scale * (0..<rank).reduce(0.0) { $0 + Double(b[row * rank + $1]) * Double(a[$1 * columns + column]) }
      }
      if let m {
        let length = line.reduce(0) { $0 + $1 * $1 }.squareRoot()
        line = line.map { $0 * Double(m[row]) / length }
      }
      return line.map { Float($0) }
    }
  }

  /// Sums of few products in f32: their rounding is some 1e-7 of numbers below 2.
  private static func isClose(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 2e-6 }
  }

  @Test(
    "a matrix changes by s·B·A, with α / r, α / √r, and rows of the adapter's lengths",
    arguments: [("", 1.5, false), (", \"use_rslora\": true", 3, false), (", \"use_dora\": true", 1.5, true)])
  func formulas(_ more: String, _ scale: Double, _ lengths: Bool) throws {
    try SmallModels.inFolder { folder in
      let model = try Self.model("llama/family", in: folder)
      let all = Self.factors("model.layers.1.mlp.down_proj", rank: 4, 32, 24, lengths: lengths)
      try Self.write(
        all, "{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 6, \"target_modules\": [\"down_proj\"]\(more)}",
        to: folder + "/adapter")
      let (before, after) = try Self.matrix("layers.1.mlp.down.weight", of: model, folder + "/adapter")
      let wanted = Self.expected(
        before, all[0].numbers, all[1].numbers, rank: 4, scale: scale, lengths: lengths ? all[2].numbers : nil)
      #expect(Self.isClose(after, wanted))
      #expect(!Self.isClose(after, before))
    }
  }

  @Test("a module that holds q, k and v changes each of them by its own rows")
  func fused() throws {
    try SmallModels.inFolder { folder in
      let model = try Self.model("gpt2/family", in: folder)
      let all = Self.factors("transformer.h.0.attn.c_attn", rank: 2, 96, 32)
      try Self.write(
        all,
        "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 2, \"target_modules\": \"all-linear\", \"fan_in_fan_out\": true}",
        to: folder + "/adapter")
      for (part, name) in ["q", "k", "v"].enumerated() {
        let (before, after) = try Self.matrix("layers.0.attn.\(name).weight", of: model, folder + "/adapter")
        let b = Array(all[1].numbers[part * 64..<(part + 1) * 64])
        #expect(Self.isClose(after, Self.expected(before, all[0].numbers, b, rank: 2, scale: 1)), "\(name)")
      }
    }
  }

  @Test("patterns of ranks and alphas go by the ends of names, whole names and expressions, the first that fits")
  func patterns() throws {
    try SmallModels.inFolder { folder in
      let model = try Self.model("llama/family", in: folder)
      let up = Self.factors("model.layers.0.mlp.up_proj", rank: 3, 24, 32)
      let gate = Self.factors("model.layers.1.mlp.gate_proj", rank: 2, 24, 32)
      try Self.write(
        up + gate,
        """
        {"peft_type": "LORA", "r": 8, "lora_alpha": 8, "target_modules": ["up_proj", "gate_proj"],
         "rank_pattern": {"mlp.up_proj": 3, "model.layers.[01].mlp.gate_proj": 2},
         "alpha_pattern": {"gate_proj": 5, "up_proj": 6}}
        """, to: folder + "/adapter")
      let one = try Self.matrix("layers.0.mlp.up.weight", of: model, folder + "/adapter")
      #expect(Self.isClose(one.1, Self.expected(one.0, up[0].numbers, up[1].numbers, rank: 3, scale: 2)))
      let other = try Self.matrix("layers.1.mlp.gate.weight", of: model, folder + "/adapter")
      #expect(Self.isClose(other.1, Self.expected(other.0, gate[0].numbers, gate[1].numbers, rank: 2, scale: 2.5)))
    }
  }

  @Test("saved with an adapter, a folder computes what the model with it computes, and so does the adapter by itself")
  func saved() throws {
    try SmallModels.inFolder { folder in
      let model = try Self.model("llama/family", in: folder)
      try Self.write(
        Self.factors("model.layers.0.self_attn.q_proj", rank: 2, 32, 32) + [
          ("model.norm.weight", [32], Self.numbers(32, 1))
        ],
        """
        {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["q_proj"], "modules_to_save": ["norm"],
         "base_model_name_or_path": "\(model)"}
        """, to: folder + "/adapter")
      let models = try Here.models()
      try models.save(models.describe(model, adapter: folder + "/adapter"), to: folder + "/merged")
      let merged = try SmallModels.logits(folder + "/merged")
      #expect(merged == (try SmallModels.logits(folder + "/adapter")))
      #expect(merged != (try SmallModels.logits(model)))
    }
  }

  /// What is wrong with an adapter, and what is said of it.
  private static let mistakes: [(tensors: String, config: String, sentence: String)] = [
    ("q 4 32 32", "\"peft_type\": \"IA3\"", "'peft_type' is IA3; adapters of the type LORA are read"),
    (
      "q 4 32 32", "\"r\": 8",
      "the factors of 'model.layers.0.self_attn.q_proj' have rank 4, and adapter_config.json says 8"
    ),
    (
      "q 4 64 32", "",
      "the factors of 'model.layers.0.self_attn.q_proj' are [4, 32] and [64, 4]; the model's matrix takes [4, 32] and [32, 4]"
    ),
    ("other 4 32 32", "", "the adapter is one of another model: it has 'other', and this model no such module"),
    (
      "q 4 32 32", "\"target_modules\": [\"v_proj\"]",
      "the adapter has factors of 'model.layers.0.self_attn.q_proj', which its target_modules and their kin leave out"
    ),
    ("q 4 32 32", "\"layers_to_transform\": [1]", "which its target_modules and their kin leave out"),
    ("q 4 32 32", "\"use_dora\": true", "has no lora_magnitude_vector, and 'use_dora' is true"),
    ("q 4 32 32", "\"lora_beta\": 3", "nobody knows the key 'lora_beta', which may decide numbers"),
    ("q 4 32 32", "\"layer_replication\": [[0, 2]]", "'layer_replication' changes numbers in a way that is not read"),
    ("q 4 32 32", "\"init_lora_weights\": \"pissa\"", "which changes the model's own matrices too"),
    ("q 4 32 32", "\"rank_pattern\": {\"(a+)+\": 3}", "repeats groups, or too often, for a pattern of modules"),
    ("q 0 32 32", "", "has no tensors"),
  ]

  @Test("what is wrong with an adapter is said in one sentence", arguments: mistakes.indices)
  func refused(_ index: Int) throws {
    let mistake = Self.mistakes[index]
    try SmallModels.inFolder { folder in
      let model = try Self.model("llama/family", in: folder)
      let words = mistake.tensors.split(separator: " ").map(String.init)
      let (rank, rows, columns) = (Int(words[1])!, Int(words[2])!, Int(words[3])!)
      let name = words[0] == "q" ? "model.layers.0.self_attn.q_proj" : words[0]
      var config = JSONObject()
      for text in [
        "\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 4, \"target_modules\": [\"q_proj\"]", mistake.config,
      ] {
        for (key, value) in try JSONValue(parsing: "{\(text)}").object ?? JSONObject() { config[key] = value }
      }
      try Self.write(
        rank == 0 ? [] : Self.factors(name, rank: rank, rows, columns), JSONValue.object(config).serialized(),
        to: folder + "/adapter")
      let models = try Here.models()
      let problems = #expect(throws: Problems.self) { try models.describe(model, adapter: folder + "/adapter") }
      #expect(
        problems?.list.first?.sentence.contains(mistake.sentence) == true, "\(problems?.list.first?.sentence ?? "")")
    }
  }
}
