import Checkpoints
import Components
import Execution
import Files
import Foundation
import Generation
import Kernels
import Models
import SharedData
import TestSupport
import Testing

/// Encoders with what transformers 5.23 and sentence-transformers 6.2 computed: `Tests/Encoders`, made by
/// `Tests/Interop/encoders.py`, and the shared fixture.
@Suite struct EncoderTests {
  static let folder = Here.package + "/Tests/Encoders"
  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    .filter { $0 != "README.md" && $0 != "sentences" }.sorted()
  private static let pool = ThreadPool(threads: 2)

  @Test("twenty encoders of seven families are there") func there() { #expect(Self.names.count == 20) }

  // Float sums of a few dozen terms near 1, in another order than torch's.
  @Test("a folder of an encoder gives the reference's logits, or states, through its family alone", arguments: names)
  func agrees(_ name: String) throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(Self.folder + "/" + name))
    #expect(loaded.description.notes.isEmpty)
    #expect(loaded.description.plan.seesWholeTexts)
    #expect(loaded.description.plan.states.isEmpty)
    let result = try Verification(
      loaded, expected: Self.folder + "/\(name)/expected.safetensors", pool: Self.pool, computeType: .stored)
    #expect(result.largestDifference < 1e-5)
    // Row 1 has 17 tokens before its padding; classes are those of a row.
    let plan = loaded.description.plan
    #expect(result.count == (plan.prediction == .classes ? 2 : 22 + 17) * plan.logits.width)
  }

  @Test("the shared fixture of BERT agrees within its bound", .needs("fixtures-multimodal"))
  func shared() throws {
    let folder = try SharedData.path("fixtures-multimodal/bert")
    let models = try Here.models()
    let result = try Verification(
      models.load(models.describe(folder)), expected: folder + "/expected.safetensors", pool: Self.pool,
      computeType: .stored)
    #expect(result.largestDifference < 1e-4)
    #expect(result.count == (24 + 19) * 160)
  }

  @Test(
    "a saved encoder has the original's tensors: names, shapes and bytes",
    arguments: [
      "bert", "roberta", "distilbert", "electra", "modernbert", "mpnet", "t5-encoder-gated", "bert-classes",
      "roberta-classes", "distilbert-classes", "electra-classes", "modernbert-mean",
    ])
  func saves(_ name: String) throws {
    let target = NSTemporaryDirectory() + "chimera-encoder-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: target) }
    let models = try Here.models()
    try models.save(models.describe(Self.folder + "/" + name), to: target)
    let original = try SafetensorsFile(path: Self.folder + "/\(name)/model.safetensors").tensors
      .sorted { $0.name < $1.name }
    let saved = try SafetensorsFile(path: target + "/model.safetensors").tensors.sorted { $0.name < $1.name }
    #expect(saved.map(\.name) == original.map(\.name))
    for (saved, original) in zip(saved, original) {
      #expect(saved.shape == original.shape && saved.bytes.elementsEqual(original.bytes), "\(saved.name)")
    }
    let again = try Verification(
      models.load(models.describe(target)), expected: Self.folder + "/\(name)/expected.safetensors", pool: Self.pool,
      computeType: .stored)
    #expect(again.largestDifference < 1e-5)
  }

  @Test("texts have the vectors that sentence-transformers gives them, in any order and company")
  func vectors() throws {
    let folder = Self.folder + "/sentences"
    let models = try Here.models()
    let loaded = try models.load(models.describe(folder))
    let tokenizer = try #require(loaded.tokenizer)
    let pooling = try TextPooling(of: loaded.description.plan, in: folder)
    #expect(pooling.mode == .mean && pooling.normalizes && pooling.maximumTokens == 24)
    let embedder = TextEmbedder(loaded, pooling, pool: Self.pool, computeType: .stored)
    let texts = try JSONValue(contentsOf: folder + "/texts.json").array?.compactMap(\.string) ?? []
    let read = try texts.map { try embedder.tokens(of: $0, tokenizer) }
    #expect(read.map(\.leftOut) == [0, 0, 0, 0, 18, 0])
    let results = try embedder.vectors(of: read, keepingStates: false)
    let expected = try #require(try SafetensorsFile(path: folder + "/expected.safetensors").tensors.first)
    #expect(expected.shape == [texts.count, 16])
    for (row, result) in results.enumerated() {
      for (column, number) in result.vector.enumerated() {
        let wanted = expected.bytes.loadUnaligned(fromByteOffset: (row * 16 + column) * 4, as: Float.self)
        #expect(abs(number - wanted) < 1e-5, "text \(row), number \(column)")
      }
      // By itself a text has the same vector, but for roundings: few rows and many are added up in different orders.
      let alone = try embedder.vectors(of: [read[row]], keepingStates: false)[0].vector
      #expect(zip(alone, result.vector).allSatisfy { abs($0 - $1) < 1e-6 }, "text \(row)")
    }
  }

  @Test("pooling and states agree: their mean, the first, the last and the largest")
  func pools() throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(Self.folder + "/bert"))
    var pooling = TextPooling(of: loaded.description.plan)
    let text = TextEmbedder(loaded, pooling, pool: Self.pool, computeType: .stored)
    let read = [text.tokens(ids: [7, 8, 30, 9])]
    let states = try text.vectors(of: read, keepingStates: true)[0].states
    #expect(states.count == 4)
    for (mode, wanted) in [
      (TextPooling.Mode.cls, states[0]), (.last, states[3]),
      (.max, states[0].indices.map { column in states.map { $0[column] }.max() ?? 0 }),
    ] {
      pooling.mode = mode
      let embedder = TextEmbedder(loaded, pooling, pool: Self.pool, computeType: .stored)
      #expect(try embedder.vectors(of: read, keepingStates: false)[0].vector == wanted, "\(mode)")
    }
  }

  @Test("an encoder continues no text and is refused where one would be")
  func refuses() throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(Self.folder + "/bert"))
    let executor = try loaded.executor(pool: Self.pool, states: .f32, computeType: .stored)
    #expect(throws: ModelProblem.noContinuation("bert", isEncoder: true)) {
      try TextGenerator(executor, tokenizer: nil).generate([7, 8], TextGenerator.Settings()) { _, _ in true }
    }
    let sequence = try executor.openSequence(length: 8)
    try executor.forward([(sequence, [7, 8, 9])], logits: .all) { _, _, _ in }
    #expect(throws: ExecutionProblem.continued) {
      try executor.forward([(sequence, [7])], logits: .all) { _, _, _ in }
    }
  }

  @Test("a text longer than a pass is no text of an encoder, rather than one in parts")
  func long() throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(Self.folder + "/bert"))
    let executor = try PlanExecutor(
      loaded.description.plan, loaded.parameters, pool: Self.pool, maximumRows: 16, states: .f32, fusing: true,
      computeType: .stored)
    #expect(throws: ExecutionProblem.tooLong(tokens: 17, limit: 16)) { try executor.openSequence(length: 17) }
  }
}
