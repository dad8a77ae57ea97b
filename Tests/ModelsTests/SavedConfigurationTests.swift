import Checkpoints
import Components
import Composition
import Files
import Foundation
import Models
import TestSupport
import Testing

/// Configurations that are made of a spec, against those that transformers 5.23 wrote of the same models.
@Suite struct SavedConfigurationTests {
  private static let folder = Here.package + "/Tests/Saved"
  private static let names =
    (try? FileManager.default.contentsOfDirectory(atPath: folder))?.filter { $0.hasSuffix(".json") }.sorted() ?? []

  /// Keys that say the same in another way, or that null leaves to the reference's own reckoning.
  private static let otherWords = [
    "falcon.json": ["new_decoder_architecture", "num_kv_heads", "num_ln_in_parallel_attn"],
    "gemma2.json": ["use_bidirectional_attention"], "gemma3_text.json": ["use_bidirectional_attention"],
    "mpt.json": ["attn_config.softmax_scale"], "gpt2.json": ["activation_function"],
    "gptj.json": ["activation_function"],
    // The width as it is, in place of one that is rounded up.
    "lfm2.json": ["block_auto_adjust_ff_dim", "intermediate_size"],
  ]

  @Test("a made configuration has the reference's values and kinds of values", arguments: names)
  func made(_ name: String) throws {
    try SmallModels.inFolder { folder in
      let reference = try #require(try JSONValue(contentsOf: Self.folder + "/" + name).object)
      let original = folder + "/original"
      try makeFolder(original)
      try writeAtomically(JSONValue.object(reference).serialized(pretty: true), to: original + "/config.json")
      try SafetensorsFile.write([], to: original + "/model.safetensors")
      let models = try Here.models()
      let first = try models.describe(original)
      let map = try CheckpointMap(try #require(first.architecture.checkpoint))
      let stored = try map.save(SmallModels.numbers(for: first.plan.parameters), count: first.architecture.count)
      try SafetensorsFile.write(stored, to: original + "/model.safetensors")

      try models.saveNative(models.describe(original), to: folder + "/native")
      try models.save(models.describe(folder + "/native"), to: folder + "/saved")
      let made = try #require(try CheckpointFolder.config(in: folder + "/saved")?.object)
      var common = 0
      for (key, value) in made where reference[key] != nil {
        common += 1
        Self.compare(value, reference[key] ?? .null, key, name)
      }
      #expect(common >= 12 && made["architectures"] == reference["architectures"], "\(name): \(common)")
      let saved = try SafetensorsFile(path: folder + "/saved/model.safetensors").tensors
      #expect(
        Dictionary(saved.map { ($0.name, $0.shape) }) { $1 } == Dictionary(stored.map { ($0.name, $0.shape) }) { $1 })
      #expect(try SmallModels.logits(folder + "/saved") == SmallModels.logits(original))

      // As it came, to the letter.
      try models.save(models.describe(original), to: folder + "/again")
      let again = try #require(try CheckpointFolder.config(in: folder + "/again"))
      #expect(again.serialized() == JSONValue.object(reference).serialized())
    }
  }

  /// Members of a group one by one: what others fill with their own values may be missing.
  private static func compare(_ made: JSONValue, _ reference: JSONValue, _ key: String, _ name: String) {
    if let members = made.object, let others = reference.object {
      for (inner, value) in members where others[inner] != nil {
        compare(value, others[inner] ?? .null, key + "." + inner, name)
      }
      return
    }
    if otherWords[name]?.contains(key) == true { return }
    #expect(made.serialized() == reference.serialized(), "\(name): \(key)")
  }
}
