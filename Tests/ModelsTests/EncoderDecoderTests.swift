import Checkpoints
import Components
import Conformance
import Execution
import Files
import Foundation
import Generation
import Kernels
import Models
import SharedData
import TestSupport
import Testing

/// Models that read one text and write another, with what transformers 5.23 computed: `Tests/EncoderDecoders`, made by
/// `Tests/Interop/encoder_decoders.py`, and the shared fixture.
@Suite struct EncoderDecoderTests {
  static let folder = Here.package + "/Tests/EncoderDecoders"
  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  private static let pool = ThreadPool(threads: 2)

  @Test("six of five families are there") func there() { #expect(Self.names.count == 6) }

  /// The tensors of a folder's `expected.safetensors`, by name.
  private static func expected(_ name: String) throws -> [String: StoredTensorEntry] {
    let file = try SafetensorsFile(path: folder + "/\(name)/expected.safetensors")
    return Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
  }

  private static func integers(_ entry: StoredTensorEntry?) throws -> [Int] {
    let entry = try #require(entry)
    return (0..<entry.elementCount).map { Int(entry.bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
  }

  private static func numbers(_ tensor: StoredTensor?) -> [Float] {
    tensor.map { Array($0.bytes.bindMemory(to: Float.self)) } ?? []
  }

  // Float sums of a few dozen terms near 1, in another order than torch's; scores of T5 1.1 are unscaled, about 6 times as large.
  @Test("a folder gives the reference's logits and greedy tokens through its family alone", arguments: names)
  func agrees(_ name: String) throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(Self.folder + "/" + name))
    #expect(loaded.description.notes.isEmpty)
    #expect(!loaded.description.plan.seesWholeTexts)
    let result = try Verification(
      loaded, expected: Self.folder + "/\(name)/expected.safetensors", pool: Self.pool, computeType: .stored)
    #expect(result.largestDifference < 2e-5)
    #expect(result.count == 2 * 9 * 50)
    #expect(result.greedy?.wanted == 8 && result.greedy?.agreed == 8)
  }

  @Test("the shared fixture of T5 agrees within its bound", .needs("fixtures-multimodal"))
  func shared() throws {
    let folder = try SharedData.path("fixtures-multimodal/t5")
    let models = try Here.models()
    let result = try Verification(
      models.load(models.describe(folder)), expected: folder + "/expected.safetensors", pool: Self.pool,
      computeType: .stored)
    #expect(result.largestDifference < 1e-4)
    #expect(result.greedy?.wanted == result.greedy?.agreed)
  }

  @Test("four beams find what the reference's find", arguments: names)
  func beams(_ name: String) throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(Self.folder + "/" + name))
    let expected = try Self.expected(name)
    let source = Array(try Self.integers(expected["input_ids"])[..<15])
    let wanted = try Self.integers(expected["beams"])
    let plan = loaded.description.plan
    let axis = try #require(plan.otherAxes.first)
    var settings = TextGenerator.Settings()
    settings.beside = [axis: .tokens(source)]
    settings.maximumTokens = 8
    settings.ends = [2]
    let start = try DecoderStart(in: loaded.description.source.folder)
    #expect(start.tokens == [wanted[0]])
    let executor = try loaded.executor(pool: Self.pool, longest: 15, states: .f32, computeType: .stored)
    let found = try BeamSearch(executor, tokenizer: nil).generate(start.tokens, beams: 4, settings)
    #expect(start.tokens + (found.first?.result.tokens ?? []) == wanted.filter { $0 != 2 || wanted[0] == 2 })
  }

  // The bound is the fixtures': 1e-4 of the largest gradient.
  @Test("gradients are those of the reference implementation", arguments: ["t5", "t5-1.1", "bart"])
  func gradients(_ name: String) throws {
    let models = try Here.models()
    let described = try models.describe(Self.folder + "/" + name)
    let parameters = try models.load(described).parameters
    let (plan, expected) = (described.plan, try Self.expected(name))
    let axis = try #require(plan.otherAxes.first)
    let (source, text) = (try Self.integers(expected["input_ids"]), try Self.integers(expected["decoder_input_ids"]))
    let batch = (0..<2).map { Array(text[$0 * 9..<$0 * 9 + 9]) }
    let given: [[RowAxis: AxisInput]] = [
      [axis: .tokens(Array(source[..<15]))], [axis: .tokens(Array(source[15..<26]))],
    ]
    let executor = try GradientExecutor(
      plan, parameters, pool: Self.pool, rows: 32, options: TrainingOptions(precision: .f32))
    let loss = try executor.trainingLoss(
      batch, targets: batch.map { Array($0.dropFirst()) + [2] }, beside: given)
    let wantedLoss = try #require(expected["loss"]).bytes.loadUnaligned(as: Float.self)
    #expect(abs(loss - Double(wantedLoss)) < 1e-5 * Double(wantedLoss))
    let stored = expected.values.filter { $0.name.hasPrefix("grad.") }.map { entry in
      StoredTensorEntry(
        name: String(entry.name.dropFirst(5)), typeName: entry.typeName, format: entry.format, shape: entry.shape,
        range: entry.range, file: entry.file)
    }
    let map = try CheckpointMap(try #require(described.architecture.checkpoint))
    // What is added to the scores is a constant there, and has no gradient.
    let learned = plan.parameters.filter { $0.name != "head.bias" }
    let wanted = try map.match(learned, with: stored, count: described.architecture.count).load()
    let largest = learned.flatMap { Self.numbers(wanted[$0.name.text]) }.reduce(0) { max($0, abs($1)) }
    for (index, tensor) in plan.parameters.enumerated() where tensor.name != "head.bias" {
      let difference = largestDifference(Self.numbers(wanted[tensor.name.text]), Array(executor.gradient(index)))
      #expect(difference < 1e-4 * largest, "\(tensor.name)")
    }
  }

  @Test("a saved one has the original's tensors, and reads its own folder")
  func saves() throws {
    for name in Self.names {
      let target = NSTemporaryDirectory() + "chimera-encoder-decoder-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: target) }
      let models = try Here.models()
      try models.save(models.describe(Self.folder + "/" + name), to: target)
      let result = try Verification(
        models.load(models.describe(target)), expected: Self.folder + "/\(name)/expected.safetensors", pool: Self.pool,
        computeType: .stored)
      #expect(result.largestDifference < 2e-5)
    }
  }

  @Test("what continues single texts refuses a model that reads another")
  func refuses() throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(Self.folder + "/t5"))
    #expect(throws: ModelProblem.noSource("t5", stacks: ["source"])) {
      try TextGenerator.limit(of: loaded.description.plan, for: [0])
    }
    let executor = try loaded.executor(pool: Self.pool, states: .f32, computeType: .stored)
    let sequence = try executor.openSequence(length: 2)
    #expect(throws: ExecutionProblem.missingInput("source")) {
      try executor.forward([(sequence, [0])], logits: .last) { _, _, _ in }
    }
  }
}
