import Checkpoints
import Components
import Composition
import Files
import Formats
import Foundation
import Kernels
import Models
import Specification
import TestSupport
import Testing

/// GGUF files saved as folders: the model that they were made from.
@Suite struct SavingGGUFTests {
  /// A family, the name that GGUF gives it, whether converters move the rows of q and k, and what they add to norms.
  static let families: [(family: String, kind: String, movesRows: Bool, addsToNorms: Float)] = [
    ("llama", "llama", true, 0), ("granite", "granite", true, 0), ("qwen2", "qwen2", false, 0),
    ("gemma", "gemma", false, 1), ("phi3", "phi3", false, 0), ("gpt2", "gpt2", false, 0),
  ]

  /// Rows of a head as `LlamaModel.permute` of llama.cpp's converter moves them.
  private func moved(_ rows: [Float], heads: Int, columns: Int) -> [Float] {
    let width = rows.count / columns / heads
    var result = rows
    for head in 0..<heads {
      for part in 0..<2 {
        for i in 0..<width / 2 {
          let (from, to) = (head * width + part * width / 2 + i, head * width + 2 * i + part)
          for column in 0..<columns { result[to * columns + column] = rows[from * columns + column] }
        }
      }
    }
    return result
  }

  private func numbers(_ tensor: StoredTensor) -> [Float] {
    Array(UnsafeRawBufferPointer(tensor.bytes).bindMemory(to: Float.self))
  }

  /// Writes the family as a folder and as the GGUF file that a converter would make of it.
  private func write(
    _ item: (family: String, kind: String, movesRows: Bool, addsToNorms: Float), in folder: String, blocks: Bool = false
  ) throws {
    let patches =
      [
        "vocab_size=48", "context_length=32", "hidden_size=64", "layers.count=2", "attention.num_heads=4",
        "mlp.intermediate_size=64",
      ] + (item.movesRows ? ["attention.num_kv_heads=2"] : [])
    let architecture = try SmallModels.architecture("\(item.family)/family", patches)
    try SmallModels.write(architecture, to: folder + "/native")
    let models = try Here.models()
    try models.save(models.describe(folder + "/native"), to: folder + "/original")

    let parts = ConfigBinding.parts(of: try #require(architecture.gguf))
    let plan = try Composer(Standard.kit.registry).compose(architecture)
    let changed = SmallModels.numbers(for: plan.parameters).map { tensor -> StoredTensor in
      var values = numbers(tensor)
      let name = tensor.name
      let columns = tensor.shape.count > 1 ? tensor.shape[1] : 1
      if item.movesRows, name.contains("attn.q.") { values = moved(values, heads: 4, columns: columns) }
      if item.movesRows, name.contains("attn.k.") { values = moved(values, heads: 2, columns: columns) }
      if name.hasSuffix("norm.weight") { values = values.map { $0 + item.addsToNorms } }
      return SmallModels.stored(values, as: name, shape: tensor.shape)
    }
    var stored = try CheckpointMap(parts.map).save(changed, count: architecture.count)
    if blocks { stored = try stored.map(quantized) }
    // What the file's keys say: the values of the configuration by the binding, read the other way.
    let shapes = Dictionary(stored.map { ($0.name, $0.shape) }) { first, _ in first }
    let config = try ConfigBinding(parts.binding).configuration(for: architecture.resolved, tensors: shapes)
    // A star stands for the architecture's own name.
    var metadata = GGUFFile.metadata(of: config).filter { $0.key != "general.architecture" }.map {
      ($0.key.hasPrefix("*.") ? item.kind + $0.key.dropFirst() : $0.key, $0.value)
    }
    metadata.insert(("general.architecture", .string(item.kind)), at: 0)
    metadata += [
      ("tokenizer.ggml.eos_token_id", .integer(2)), ("tokenizer.ggml.bos_token_id", .integer(1)),
      ("tokenizer.ggml.eot_token_id", .integer(7)),
    ]
    try GGUFFile.write(stored, metadata: metadata, to: folder + "/model.gguf")
  }

  /// The tensor in blocks of 32 numbers of 8 bits where it is a matrix.
  private func quantized(_ tensor: StoredTensor) throws -> StoredTensor {
    guard tensor.shape.count == 2 else { return tensor }
    let values = numbers(tensor)
    let bytes = try #require(StorageFormat.q8_0.byteCount(elements: values.count))
    let data = try #require(NSMutableData(length: bytes))
    narrow(values, count: values.count, to: .q8_0, into: data.mutableBytes)
    return StoredTensor(
      name: tensor.name, shape: tensor.shape, format: .q8_0,
      bytes: UnsafeRawBufferPointer(start: data.bytes, count: bytes), owner: data)
  }

  @Test("the saved folder is the one that the file was made from: tensors to the bit, and logits", arguments: families)
  func folders(_ item: (family: String, kind: String, movesRows: Bool, addsToNorms: Float)) throws {
    try SmallModels.inFolder { folder in
      try write(item, in: folder)
      let models = try Here.models()
      try models.save(models.describe(folder + "/model.gguf"), to: folder + "/saved")
      let before = try SafetensorsFile(path: folder + "/original/model.safetensors").tensors
      let after = try SafetensorsFile(path: folder + "/saved/model.safetensors").tensors
      #expect(after.map(\.name) == before.map(\.name) && after.map(\.shape) == before.map(\.shape))
      for (after, before) in zip(after, before) {
        let (x, y) = (after.bytes.bindMemory(to: Float.self), before.bytes.bindMemory(to: Float.self))
        // Where one was added to a number and taken off again, its last bits are gone.
        let bound: Float = item.addsToNorms == 0 ? 0 : 1e-6
        #expect(zip(x, y).allSatisfy { abs($0 - $1) <= bound }, "\(after.name)")
      }
      let (own, wanted) = (try SmallModels.logits(folder + "/saved"), try SmallModels.logits(folder + "/original"))
      #expect(zip(own, wanted).allSatisfy { abs($0 - $1) < 1e-4 })
      let config = try #require(try CheckpointFolder.config(in: folder + "/saved")?.object)
      let original = try #require(try CheckpointFolder.config(in: folder + "/original")?.object)
      #expect(config["eos_token_id"] == [2, 7] && config["bos_token_id"] == 1)
      for (key, value) in original where !key.hasSuffix("token_id") {
        #expect(config[key]?.serialized() == value.serialized(), "\(key)")
      }
    }
  }

  @Test("blocks are moved by whole rows, refused where safetensors would hold them, and kept by a native folder")
  func blocks() throws {
    try SmallModels.inFolder { folder in
      try write(Self.families[0], in: folder, blocks: true)
      let models = try Here.models()
      let described = try models.describe(folder + "/model.gguf")
      let problem = #expect(throws: Problems.self) { try models.save(described, to: folder + "/refused") }
      #expect(
        problem?.list.first?.sentence.hasSuffix("is stored as q8_0, which safetensors cannot hold; add --dtype bf16")
          == true)
      #expect(kind(ofPath: folder + "/refused") == .nothing)

      let wanted = try SmallModels.logits(folder + "/model.gguf")
      try models.save(described, to: folder + "/saved", as: .f32)
      let saved = try SmallModels.logits(folder + "/saved")
      #expect(zip(saved, wanted).allSatisfy { abs($0 - $1) < 1e-4 })

      try models.saveNative(described, to: folder + "/kept")
      #expect(try namesInFolder(folder + "/kept").contains("model.gguf"))
      #expect(try SmallModels.logits(folder + "/kept") == wanted)
    }
  }
}
