import Checkpoints
import Components
import Files
import Foundation
import Kernels
import Models
import Specification
import TestSupport
import Testing

/// Configurations of which one thing was changed, with the logits that the reference implementation gives them.
///
/// `Tests/Bindings` was made by `Tests/Interop/bindings`: `tiny.py`, `references.py` and `stored.py`, with transformers
/// 5.23.0 and torch 2.15.0 (float32, eager attention).
@Suite("Changed configurations")
struct ChangedConfigurationTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Bindings").path
  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    .filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/cases.json") }.sorted()

  @Test("there are some of many families") func inventory() {
    #expect(Self.names.count >= 40)
  }

  @Test("give the reference's logits, or are refused", arguments: names)
  func changed(_ name: String) throws {
    let path = "\(Self.folder)/\(name)"
    let config = try #require(try JSONValue(contentsOf: path + "/config.json").object)
    let cases = try #require(try JSONValue(contentsOf: path + "/cases.json", literals: true).array)
    let expected = try SafetensorsFile(path: path + "/logits.safetensors").tensors
    let ids = try #require(expected.first { $0.name == "input_ids" })
    let tokens = (0..<ids.elementCount).map {
      Int(ids.bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self))
    }
    var agreed = 0
    for index in -1..<cases.count {
      let title = index < 0 ? "unchanged" : cases[index]["title"]?.string ?? ""
      var changed = config
      if index >= 0 {
        for (key, value) in cases[index]["set"]?.object ?? JSONObject() { changed[key] = value }
        for key in cases[index]["remove"]?.array ?? [] { changed[key.string ?? ""] = nil }
      }
      let wanted = try #require(expected.first { $0.name == (index < 0 ? "unchanged" : String(index)) })
      do {
        let difference = try largestDifference(from: wanted, of: changed, weights: path, tokens)
        // Two orders of float32 sums over rows of 8; the changes move logits by more than 1e-3.
        #expect(difference < 2e-4, "\(name): \(title): off by \(difference)")
        agreed += 1
      } catch let problems as Problems {
        // Refused: right where the spec cannot say it, never for the folder as it came, nor for what stands on the hub
        // (`published.py`).
        #expect(
          index >= 0 && title != "as published" && !problems.list.isEmpty,
          "\(name): \(title): \(problems.list.first?.sentence ?? "")")
      }
    }
    #expect(agreed > 0, "\(name)")
  }

  /// Made by `gguf_files.py`.
  @Test(
    "GGUF files say rotary scaling by metadata of any age and by tensors",
    arguments: [
      "llama-rope-freqs", "qwen2-rope-freqs", "llama-scale-linear", "qwen2-scale-linear", "qwen2-factor-alone",
      "qwen2-yarn", "phi3-rope-factors",
    ])
  func scaledAngles(_ name: String) throws {
    let path = "\(Self.folder)/gguf/\(name)"
    let models = try Here.models()
    let loaded = try models.load(models.describe(path + ".gguf"))
    let found = try Verification(
      loaded, expected: path + ".safetensors", pool: ThreadPool(threads: 1), computeType: .f32)
    #expect(found.holds(tolerance: 2e-4), "off by \(found.largestDifference)")
  }

  @Test("factors that a GGUF file stores hold for a model that is wired by a spec too") func storedFactors() throws {
    let spec = NSTemporaryDirectory() + "chimera-wired-\(UUID().uuidString).yaml"
    defer { try? FileManager.default.removeItem(atPath: spec) }
    try """
    extends: llama/family
    name: wired
    vocab_size: 16
    context_length: 32
    hidden_size: 8
    layers: {count: 4}
    attention: {num_heads: 2, num_kv_heads: 1}
    mlp: {intermediate_size: 12}
    norm: {eps: 1.0e-6}
    """.write(toFile: spec, atomically: true, encoding: .utf8)
    let models = try Here.models()
    let path = "\(Self.folder)/gguf/llama-rope-freqs"
    let loaded = try models.load(models.describe(spec, weights: path + ".gguf"))
    let found = try Verification(
      loaded, expected: path + ".safetensors", pool: ThreadPool(threads: 1), computeType: .f32)
    #expect(found.holds(tolerance: 2e-4), "off by \(found.largestDifference)")
  }

  @Test("a key that nobody knows is refused by name, and passes when that is asked for") func unknownKeys() throws {
    let path = "\(Self.folder)/llama"
    let folder = NSTemporaryDirectory() + "chimera-unknown-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var config = try #require(try JSONValue(contentsOf: path + "/config.json").object)
    config["attention_twist"] = 0.5
    try JSONValue.object(config).serialized().write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/model.safetensors", withDestinationPath: path + "/model.safetensors")
    let models = try Here.models()
    do {
      _ = try models.describe(folder)
      Issue.record("the key was let pass")
    } catch let problems as Problems {
      #expect(
        problems.list.map(\.sentence) == [
          "\(folder)/config.json: the family 'llama' does not know the key 'attention_twist', which may decide numbers"
        ])
    }
    let lenient = ModelLoader(catalog: models.catalog, composer: models.composer, ignoredKeys: ["attention_twist"])
    #expect(try lenient.describe(folder).plan.parameterCount > 0)
  }

  @Test("ignore no key that decides numbers") func ignoredKeys() throws {
    let deciding = try #require(try JSONValue(contentsOf: Self.folder + "/deciding.json").object)
    let models = try Here.models()
    var checked = 0
    for (kind, keys) in deciding {
      let source = ConfigSource(name: "config.json", config: ["model_type": .string(kind)], tensors: [])
      guard let (family, binding) = try models.family(matching: source, in: "config") else {
        Issue.record("no family reads \(kind)")
        continue
      }
      for key in keys.array ?? [] {
        checked += 1
        #expect(!binding.ignores(key.string ?? ""), "\(family) ignores \(key.serialized()), which decides numbers")
      }
    }
    // All that deciding.json lists, of 72 kinds: were a family no longer asked, there would be fewer.
    #expect(checked >= 279)
  }

  private func largestDifference(
    from wanted: StoredTensorEntry, of config: JSONObject, weights: String, _ tokens: [Int]
  ) throws -> Float {
    let folder = NSTemporaryDirectory() + "chimera-changed-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try JSONValue.object(config).serialized().write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/model.safetensors", withDestinationPath: weights + "/model.safetensors")
    let models = try Here.models()
    let loaded = try models.load(models.describe(folder))
    let executor = try loaded.executor(pool: ThreadPool(threads: 1), states: .f32, computeType: .f32)
    let sequence = try executor.openSequence(length: tokens.count)
    let width = wanted.elementCount / tokens.count
    var worst: Float = 0
    try executor.forward([(sequence, tokens)], logits: .all) { _, position, logits in
      for (id, logit) in logits.enumerated() where id < width {
        let right = wanted.bytes.loadUnaligned(fromByteOffset: 4 * (position * width + id), as: Float.self)
        let difference = abs(logit - right) / max(1, abs(right))
        if !(difference <= worst) { worst = difference.isNaN ? .infinity : difference }
      }
    }
    return worst
  }
}
