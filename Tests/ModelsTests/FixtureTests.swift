import Formats
import Checkpoints
import Components
import Conformance
import Execution
import Files
import Foundation
import Kernels
import Models
import SharedData
import TestSupport
import Testing

/// Tiny checkpoints with the logits, gradients and losses that Hugging Face transformers 5.23 computed (torch 2.15,
/// float32); how they were made stands in the README beside them.
@Suite struct FixtureTests {
  @Test("the families read what was made for them", .needs("fixtures"))
  func families() {
    #expect(Here.fixtures.count >= 44)
    #expect(Here.trainingFixtures.count >= 18)
  }

  // Float sums of a few hundred terms near 1, in another order than torch's: 1e-6 to 1e-5; the fixtures' bound is 1e-4.
  @Test(
    "a folder of the reference implementation gives its logits through the family alone", .needs("fixtures"),
    arguments: Here.fixtures)
  func logits(_ name: String) throws {
    let folder = try SharedData.path("fixtures/\(name)")
    let models = try Here.models()
    let loaded = try models.load(models.describe(folder))
    #expect(loaded.description.notes.isEmpty)
    let result = try Verification(
      loaded, expected: folder + "/expected.safetensors", pool: ThreadPool(threads: 2), computeType: .stored)
    #expect(result.largestDifference < 1e-4)
    #expect(result.count == 2 * 24 * 128)
    #expect(result.greedy?.wanted == 16)
    #expect(result.greedy?.agreed == 16)
  }

  @Test(
    "a saved folder has the original's tensors: names, shapes and bytes", .needs("fixtures"), arguments: Here.fixtures)
  func saves(_ name: String) throws {
    let folder = try SharedData.path("fixtures/\(name)")
    let target = NSTemporaryDirectory() + "chimera-fixture-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: target) }
    let models = try Here.models()
    try models.save(models.describe(folder), to: target)
    let original = try SafetensorsFile(path: folder + "/model.safetensors").tensors.sorted { $0.name < $1.name }
    let saved = try SafetensorsFile(path: target + "/model.safetensors").tensors.sorted { $0.name < $1.name }
    #expect(saved.map(\.name) == original.map(\.name))
    #expect(saved.map(\.shape) == original.map(\.shape))
    for (saved, original) in zip(saved, original) {
      #expect(saved.bytes.elementsEqual(original.bytes), "\(saved.name)")
    }
  }

  // bf16 keeps 8 bits of each weight, so logits near 1 are off by some thousandths, and by anything where a router turns
  // to another expert; f32 is not touched.
  @Test(
    "saved natively, any model is read back whole; in bf16 its numbers are the nearest", .needs("fixtures"),
    arguments: ["llama", "gpt2", "deepseek_v3"])
  func savesNatively(_ name: String) throws {
    let folder = try SharedData.path("fixtures/\(name)")
    let models = try Here.models()
    let described = try models.describe(folder)
    for (format, bound) in [(nil, Float(1e-4)), (StorageFormat.bf16, name == "deepseek_v3" ? .infinity : 0.1)] {
      let target = NSTemporaryDirectory() + "chimera-native-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: target) }
      try models.saveNative(described, to: target, as: format)
      let loaded = try models.load(models.describe(target))
      #expect(loaded.description.plan.parameterCount == described.plan.parameterCount)
      let result = try Verification(
        loaded, expected: folder + "/expected.safetensors", pool: ThreadPool(threads: 2), computeType: .f32)
      #expect(result.largestDifference < bound && (format == nil || result.largestDifference > 1e-4))
      let stored = try SafetensorsFile(path: target + "/model.safetensors").tensors
      #expect(stored.allSatisfy { $0.format == format ?? .f32 })
    }
  }

  @Test("a number that f16 cannot hold is named, not made infinite")
  func tooLargeForHalf() throws {
    let numbers: [Float] = [1, -65_519, 70_000]
    let memory = NSData(bytes: numbers, length: 12)
    func tensor(_ count: Int) -> StoredTensor {
      let bytes = UnsafeRawBufferPointer(start: memory.bytes, count: 4 * count)
      return StoredTensor(name: "w", shape: [count], format: .f32, bytes: bytes, owner: memory)
    }
    #expect(try tensor(2).stored(as: .f16).bytes.count == 4)
    let problem = #expect(throws: Problems.self) { try tensor(3).stored(as: .f16) }
    #expect(problem?.list.first?.sentence == "'w' has the number 70000.0, which f16 cannot hold")
  }

  // The bound is the fixtures': 1e-4 of the largest gradient.
  @Test("gradients are those of the reference implementation", .needs("fixtures"), arguments: Here.trainingFixtures)
  func gradients(_ name: String) throws {
    let folder = try SharedData.path("fixtures/\(name)")
    let models = try Here.models()
    let described = try models.describe(folder)
    let plan = described.plan
    let parameters = try models.load(described).parameters
    let expected = try SafetensorsFile(path: folder + "/expected.safetensors")
    let training = try SafetensorsFile(path: folder + "/training.safetensors")
    let ids = try #require(expected.tensors.first { $0.name == "input_ids" })
    let batch = (0..<2).map { row in
      (0..<24).map { Int(ids.bytes.loadUnaligned(fromByteOffset: (row * 24 + $0) * 8, as: Int64.self)) }
    }
    let executor = try GradientExecutor(
      plan, parameters, pool: ThreadPool(threads: 2), rows: 48, options: TrainingOptions(precision: .f32))
    let loss = try executor.trainingLoss(batch, targets: batch.map { Array($0.dropFirst()) + [-1] })
    let wantedLoss = try #require(training.tensors.first { $0.name == "loss" }).bytes.loadUnaligned(as: Float.self)
    #expect(abs(loss - Double(wantedLoss)) < 1e-5 * Double(wantedLoss))

    // The stored gradients are named and laid out like the weights, so they load like weights.
    let stored = training.tensors.filter { $0.name.hasPrefix("grad.") }.map { entry in
      StoredTensorEntry(
        name: String(entry.name.dropFirst(5)), typeName: entry.typeName, format: entry.format, shape: entry.shape,
        range: entry.range, file: entry.file)
    }
    let map = try CheckpointMap(try #require(described.architecture.checkpoint))
    let wanted = try Parameters(
      plan, stored: map.match(plan.parameters, with: stored, count: described.architecture.count).load())
    let largest = plan.parameters.indices.flatMap { wanted.values($0) }.reduce(0) { max($0, abs($1)) }
    for (index, tensor) in plan.parameters.enumerated() {
      let difference = largestDifference(wanted.values(index), Array(executor.gradient(index)))
      #expect(difference < 1e-4 * largest, "\(tensor.name)")
    }
  }
}
