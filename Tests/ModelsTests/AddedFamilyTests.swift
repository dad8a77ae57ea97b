import Checkpoints
import Components
import Composition
import Files
import Foundation
import Models
import Specification
import TestSupport
import Testing

/// Families that a user puts beside the zoo's, and specs that are used in place of a family.
@Suite("A family of a user's")
struct AddedFamilyTests {
  /// A very small LLaMA, whose weights have the reference's logits beside them.
  private static let llama = Here.package + "/Tests/Bindings/llama"

  /// Loads with `files`, by their paths below a folder, before the zoo.
  private func models(beside files: [String: String], in folder: String) throws -> ModelLoader {
    for (name, text) in files {
      let file = URL(fileURLWithPath: "\(folder)/\(name)")
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    return ModelLoader(
      catalog: Catalog(folders: [folder, Here.architectures]), composer: Composer(Standard.kit.registry))
  }

  private static let own = """
    extends: llama/family
    config:
      match: {model_type: llama}
      bind: {norm.eps: {from: null, default: null, value: 0.25}}
      ignore: [rms_norm_eps, pretraining_tp]
    """

  @Test("wins over the zoo's that reads the same configurations, and is told once") func wins() throws {
    try SmallModels.inFolder { folder in
      let models = try models(beside: ["mine/family.yaml": Self.own], in: folder)
      let described = try models.describe(Self.llama)
      #expect(described.architecture.resolved["norm"]?["eps"]?.number == 0.25)
      #expect(
        described.notes == ["\(folder)/mine/family.yaml reads this model, in place of the zoo's family 'llama'"])
    }
  }

  @Test(
    "that is broken keeps no other from reading", arguments: ["extends: [", "extends: nowhere/family", "config: 3", ""])
  func broken(_ text: String) throws {
    try SmallModels.inFolder { folder in
      let models = try models(beside: ["broken/family.yaml": text, "aaa/model.yaml": text], in: folder)
      let described = try models.describe(Self.llama)
      #expect(described.plan.parameterCount > 0 && described.notes.isEmpty)
      #expect(try models.describe("gpt2").plan.parameterCount == 124_439_808)
    }
  }

  @Test("or a spec without sizes takes those of a folder's configuration; what it says itself counts before them")
  func sizes() throws {
    try SmallModels.inFolder { folder in
      let models = try models(beside: [:], in: folder)
      let plain = try models.describe(Self.llama)
      let family = try models.describe(Self.llama, specification: "llama/family")
      #expect(family.plan == plain.plan)
      let file = folder + "/mine.yaml"
      try "extends: llama/family\nnorm: {eps: 0.125}\n".write(toFile: file, atomically: true, encoding: .utf8)
      let mine = try models.describe(Self.llama, specification: file)
      #expect(mine.architecture.resolved["norm"]?["eps"]?.number == 0.125)
      #expect(mine.plan.parameterCount == plain.plan.parameterCount && mine.plan != plain.plan)
    }
  }

  @Test("a folder that was stored in eight bits is saved as one that says nothing of them") func quantized() throws {
    try SmallModels.inFolder { folder in
      let models = try models(beside: [:], in: folder)
      let (source, saved) = (folder + "/source", folder + "/saved")
      try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
      var config = try #require(try JSONValue(contentsOf: Self.llama + "/config.json").object)
      config["quantization_config"] = ["quant_method": "fp8", "weight_block_size": [128, 128]]
      try JSONValue.object(config).serialized()
        .write(toFile: source + "/config.json", atomically: true, encoding: .utf8)
      // Of one matrix are bytes of float8_e4m3 in place of the numbers, with a scale: 0x38 is 1.
      let tensors = try SafetensorsFile(path: Self.llama + "/model.safetensors").tensors
      var header = JSONObject()
      var bytes: [UInt8] = []
      func add(_ name: String, _ type: String, _ shape: [Int], _ data: [UInt8]) {
        header[name] = [
          "dtype": .string(type), "shape": .array(shape.map { .integer($0) }),
          "data_offsets": [.integer(bytes.count), .integer(bytes.count + data.count)],
        ]
        bytes += data
      }
      for tensor in tensors {
        guard tensor.name == "model.layers.0.mlp.up_proj.weight" else {
          add(tensor.name, tensor.typeName, tensor.shape, Array(tensor.bytes))
          continue
        }
        add(tensor.name, "F8_E4M3", tensor.shape, [UInt8](repeating: 0x38, count: tensor.elementCount))
        add(
          "model.layers.0.mlp.up_proj.weight_scale_inv", "F32", [1, 1],
          withUnsafeBytes(of: Float(0.5).bitPattern.littleEndian) { Array($0) })
      }
      let text = JSONValue.object(header).serialized()
      let length = withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Array($0) }
      try Data(length + Array(text.utf8) + bytes).write(to: URL(fileURLWithPath: source + "/model.safetensors"))
      _ = try models.save(models.describe(source), to: saved, as: nil)
      let written = try #require(try JSONValue(contentsOf: saved + "/config.json").object)
      #expect(written["quantization_config"] == nil)
      #expect(try models.describe(saved).plan.parameterCount == models.describe(source).plan.parameterCount)
    }
  }
}
