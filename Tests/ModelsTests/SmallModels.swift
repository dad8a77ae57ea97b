import Checkpoints
import Components
import Composition
import Conformance
import Execution
import Files
import Formats
import Foundation
import Kernels
import Models
import Specification
import TestSupport

/// Small models in folders of their own, with random numbers in which no weight is one and no bias zero.
enum SmallModels {
  static let tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 12, 7, 7, 0, 11]

  /// Calls `run` with the path of a folder that is gone afterwards.
  static func inFolder<Result>(_ run: (String) throws -> Result) throws -> Result {
    let folder = NSTemporaryDirectory() + "chimera-saving-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try run(folder)
  }

  /// The architecture that the zoo's file `name` describes with `patches` such as `layers.count=2`.
  static func architecture(_ name: String, _ patches: [String]) throws -> Architecture {
    let catalog = Catalog(folders: [Here.architectures])
    return try SpecificationLoader(catalog: catalog, for: Composer(Standard.kit.registry))
      .load(name, patches: Overrides(["name=small"] + patches).patches)
  }

  /// Random numbers for `tensors`, the same every time.
  static func numbers(for tensors: [PlannedTensor]) -> [StoredTensor] {
    var noise = Noise(seed: 5)
    return tensors.flatMap(\.members).map { tensor in
      let scale: Float = tensor.shape.count == 1 ? 0.4 : 0.3
      let numbers = (0..<tensor.count).map { _ in scale * noise.next() + (tensor.shape.count == 1 ? 0.3 : 0) }
      return stored(numbers, as: tensor.name.text, shape: tensor.shape)
    }
  }

  static func stored(_ numbers: [Float], as name: String, shape: [Int]) -> StoredTensor {
    let data = numbers.withUnsafeBytes { NSData(bytes: $0.baseAddress, length: $0.count) }
    return StoredTensor(
      name: name, shape: shape, format: .f32,
      bytes: UnsafeRawBufferPointer(start: data.bytes, count: numbers.count * 4), owner: data)
  }

  /// Writes `architecture` with random numbers as a native folder.
  static func write(_ architecture: Architecture, to folder: String) throws {
    let plan = try Composer(Standard.kit.registry).compose(architecture)
    var resolved = architecture.resolved
    resolved["expected_params"] = nil
    try CheckpointFolder.write(numbers(for: plan.parameters), config: nil, to: folder)
    try writeAtomically(YAMLWriter().write(resolved), to: folder + "/resolved.yaml")
  }

  /// The logits of the model at `path`, of every one of `tokens`.
  static func logits(_ path: String) throws -> [Float] {
    let models = try Here.models()
    let loaded = try models.load(models.describe(path))
    let executor = try loaded.executor(pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, computeType: .f32)
    let sequence = try executor.openSequence(length: tokens.count)
    var logits: [Float] = []
    try executor.forward([(sequence, tokens)], logits: .all) { _, _, row in logits += row }
    return logits
  }
}
