import Checkpoints
import Components
import Conformance
import Execution
import Files
import Foundation
import Generation
import Kernels
import Models
import Specification
import StandardComponents
import TestSupport
import Testing
import Training

/// A very small CLIP and a very small SigLIP with what transformers 5.23 computed: `Tests/Towers`, made by `Tests/Interop/objectives.py`, and
/// models like the first that are trained on pictures with captions.
@Suite struct TowerTrainingTests {
  private static let folder = Here.package + "/Tests/Towers/"
  private static let pool = ThreadPool(threads: 2)

  private static func objective(_ loss: String) throws -> any Objective {
    var settings = TrainingSettings(try Registry(standardComponents), inStudy: false)
    settings.objective = Setting(
      .group([.init("type", Setting(text: "contrastive")), .init("loss", Setting(text: loss))]))
    return try settings.makeObjective()
  }

  /// The fixture: the model, three texts, and the rows of three pictures, or of two.
  private struct Fixture {
    let loaded: LoadedModel
    let texts: [[Int]]
    let pictures: [[Float]]
    let axis: RowAxis
    private let entries: [String: StoredTensorEntry]

    init(_ name: String = "clip", _ changes: [String] = []) throws {
      let models = try Here.models()
      loaded = try models.load(models.describe(folder + name, patches: Overrides(changes).patches))
      let stack = try #require(loaded.description.plan.pictureStacks.first)
      axis = stack.axis
      let file = try SafetensorsFile(path: folder + "\(name)/expected.safetensors")
      let entries = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
      self.entries = entries
      func integers(_ name: String) throws -> [Int] {
        let entry = try #require(entries[name])
        return (0..<entry.elementCount).map { Int(entry.bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
      }
      let ids = try integers("input_ids")
      let mask = entries["attention_mask"] == nil ? ids.map { _ in 1 } : try integers("attention_mask")
      texts = (0..<3).map { row in
        Array(ids[row * 9..<row * 9 + mask[row * 9..<row * 9 + 9].reduce(0, +)])
      }
      let pixels = try Self.floats(entries["pixel_values"])
      // A class row of zeros, where there is one, then patches of 4×4 pixels, of each channel row by row.
      pictures = (0..<pixels.count / 432).map { picture in
        var rows = [Float](repeating: 0, count: 48 * stack.patches.rowsBefore)
        for patch in 0..<9 {
          for element in 0..<48 {
            let (channel, y, x) = (element / 16, element / 4 % 4 + patch / 3 * 4, element % 4 + patch % 3 * 4)
            rows.append(pixels[(picture * 3 + channel) * 144 + y * 12 + x])
          }
        }
        return rows
      }
    }

    /// What training holds the logarithm of the factor at.
    static func limit(of model: LoadedModel) -> Double? {
      model.description.plan.parameters.first { $0.name == "head.scale" }?.most
    }

    static func floats(_ entry: StoredTensorEntry?) throws -> [Float] {
      let entry = try #require(entry)
      return (0..<entry.elementCount).map { entry.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }

    func expected(_ name: String) throws -> [Float] { try Self.floats(entries[name]) }
  }

  // Float sums of a few dozen terms near 1, in another order than torch's.
  @Test(
    "texts and pictures have the reference's vectors, and these are the halves of an output",
    arguments: [("clip", 20), ("siglip", 26)])
  func agrees(_ name: String, _ width: Int) throws {
    let fixture = try Fixture(name)
    #expect(fixture.loaded.description.notes.isEmpty)
    let plan = fixture.loaded.description.plan
    #expect(plan.prediction == .pairs && plan.seesWholeTexts && plan.logits.width == width)
    var pooling = TextPooling(of: plan)
    pooling.mode = .last
    let embedder = TextEmbedder(fixture.loaded, pooling, pool: Self.pool, computeType: .f32)
    let own = try embedder.vectors(of: fixture.texts.map { embedder.tokens(ids: $0) }, keepingStates: false)
    let others = try embedder.vectors(beside: fixture.pictures, on: fixture.axis)
    // A text that ends earlier is filled up, where the model reads texts of one length.
    let short = fixture.texts.map { text in Array(text.prefix((text.lastIndex { $0 != 1 } ?? 0) + 1)) }
    #expect(plan.filling == (name == "siglip" ? 1 : nil))
    #expect(short.map { embedder.tokens(ids: $0).tokens } == fixture.texts)
    #expect(largestDifference(own.flatMap(\.vector), try fixture.expected("text_embeds")) < 1e-5)
    #expect(largestDifference(others.flatMap(\.vector), try fixture.expected("image_embeds")) < 1e-5)
    let executor = try PlanExecutor(
      plan, fixture.loaded.parameters, pool: Self.pool, maximumRows: 64, states: .f32, fusing: true, computeType: .f32)
    let products = try fixture.expected("logits_per_text")
    let columns = fixture.pictures.count
    for (index, text) in fixture.texts.prefix(columns).enumerated() {
      let sequence = try executor.openSequence(length: text.count)
      try executor.forward(
        [(sequence, text)], beside: [[fixture.axis: .rows(fixture.pictures[index])]], logits: .last
      ) { _, _, row in
        let product = zip(row.prefix(width / 2), row.suffix(width / 2)).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        #expect(abs(product - products[(columns + 1) * index]) < 1e-5)
      }
    }
  }

  @Test(
    "vectors and products are compared with the reference's, and what is not there or of another shape is told",
    arguments: [("clip", 30 + 30 + 9 + 9), ("siglip", 36 + 24 + 6 + 6)])
  func verifies(_ name: String, _ count: Int) throws {
    let fixture = try Fixture(name)
    func result(_ path: String) throws -> Verification {
      try Verification(fixture.loaded, expected: path, pool: Self.pool, computeType: .stored)
    }
    let found = try result(Self.folder + "\(name)/expected.safetensors")
    #expect(found.compared == ["text_embeds", "image_embeds", "logits_per_text", "logits_per_image"])
    #expect(found.largestDifference < 1e-5 && found.count == count && found.greedy == nil)
    // One number of one tensor is another: the file's header stays as it is.
    let path = FileManager.default.temporaryDirectory.path + "/pairs-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "\(name)/expected.safetensors"))
    let entry = try #require(
      SafetensorsFile(path: Self.folder + "\(name)/expected.safetensors").tensors.first {
        $0.name == "logits_per_image"
      })
    let place = entry.range.lowerBound + 4 * (fixture.texts.count + 1)
    withUnsafeBytes(of: Float(99)) { bytes.replaceSubrange(place..<place + 4, with: $0) }
    try bytes.write(to: URL(fileURLWithPath: path))
    let other = try result(path)
    #expect(other.largestDifference > 50 && other.tensor == "logits_per_image")
    #expect(other.place.row == 1 && other.place.id == 1 && !other.holds(tolerance: 1))
    #expect(throws: FileProblem.self) { try result(Self.folder + "\(name)/model.safetensors") }
  }

  // Sums of a few dozen f32 terms in another order than torch's, relative to the largest of all: the bound of other fixtures.
  @Test(
    "the losses of pairs and their gradients are torch's, of both towers and of the scale",
    arguments: [
      ("clip", "softmax", "training"), ("clip", "sigmoid", "sigmoid"), ("siglip", "sigmoid", "training"),
    ])
  func gradients(_ name: String, _ loss: String, _ file: String) throws {
    let fixture = try Fixture(name)
    let plan = fixture.loaded.description.plan
    let expected = try ExpectedTraining(Self.folder + name, file, of: fixture.loaded.description, Here.models())
    let texts = fixture.texts.prefix(fixture.pictures.count)
    let executor = try GradientExecutor(
      plan, fixture.loaded.parameters, pool: Self.pool, rows: 32, loss: try Self.objective(loss).loss,
      options: TrainingOptions(precision: .f32))
    let found = try executor.trainingLoss(
      Array(texts), targets: texts.map { Array(repeating: -1, count: $0.count - 1) + [0] },
      beside: fixture.pictures.map { [fixture.axis: .rows($0)] })
    #expect(abs(found - expected.loss) < 1e-5 * expected.loss)
    try expected.compare(plan, executor)
  }

  /// A run on the fixture's pictures, each with a caption of its own, from random weights.
  private struct Tiny {
    let fixture: Fixture
    let examples: TrainingExamples
    var settings: TrainingSettings
    let parameterSeed: UInt64 = 3

    init(_ loss: String = "softmax", _ fixture: Fixture? = nil) throws {
      let fixture = try fixture ?? Fixture()
      self.fixture = fixture
      let pictures = fixture.pictures
      examples = TrainingExamples(
        fixture.texts.enumerated().map { .init(caption: $1, picture: String($0)) }, axis: fixture.axis,
        promptIsSeen: false
      ) { pictures[try #require(Int($0))] }
      settings = TrainingSettings(try Registry(standardComponents), inStudy: false)
      (settings.steps, settings.batch, settings.context, settings.warmup) = (12, 3, 9, 1)
      (settings.saveEvery, settings.validateEvery, settings.keep, settings.threads) = (1, 6, 20, 1)
      settings.rate = 0.02
      settings.objective = Setting(
        .group([.init("type", Setting(text: "contrastive")), .init("loss", Setting(text: loss))]))
    }

    var plan: Plan { fixture.loaded.description.plan }

    func trainer() throws -> Trainer {
      try Trainer(
        plan, Parameters(plan, seed: parameterSeed), settings, training: examples, validation: examples,
        pool: ThreadPool(threads: 1))
    }

    func run(_ trainer: Trainer, in path: String) throws -> TrainingRun {
      try TrainingRun(
        trainer, RunDescription(model: "name: tiny\n", settings: settings, data: JSONObject(), dataFingerprint: "x"),
        in: RunFolder(path), files: [])
    }

    func values(_ trainer: Trainer) -> [[Float]] { plan.parameters.indices.map(trainer.parameters.values) }
  }

  @Test(
    "both towers learn which texts and pictures belong together, and a run that is stopped goes on to the same bits",
    arguments: ["softmax", "sigmoid"])
  func learns(_ loss: String) throws {
    let path = FileManager.default.temporaryDirectory.path + "/towers-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let tiny = try Tiny(loss)
    let whole = try tiny.trainer()
    let start = tiny.values(whole)
    let before = try #require(try whole.validate())
    #expect(try tiny.run(whole, in: path).run { _ in } == .finished)
    let after = try #require(try whole.validate())
    #expect(after < before - 0.3, "\(before) to \(after)")
    let end = tiny.values(whole)
    for (index, tensor) in tiny.plan.parameters.enumerated() {
      #expect(end[index] != start[index], "\(tensor.name) did not move")
    }
    for stop in [1, 7] {
      try removeFolder(path)
      var done = 0
      let first = try tiny.run(try tiny.trainer(), in: path)
      _ = try first.run(shouldStop: { done >= stop }) { event in
        if case .step = event { done += 1 }
      }
      first.close()
      let second = try tiny.trainer()
      #expect(try tiny.run(second, in: path).run { _ in } == .finished)
      #expect(tiny.values(second) == end, "stopped after \(stop)")
    }
    let evaluation = try ObjectiveEvaluation(
      tiny.plan, whole.parameters, Self.objective(loss), on: tiny.examples, together: 3, marks: nil,
      among: tiny.settings.registry, pool: ThreadPool(threads: 1))
    #expect(evaluation.loss == after && evaluation.predictions == 3)
  }

  @Test("the factor of products is learned up to its limit, and beyond where nothing holds it")
  func limits() throws {
    // The scale starts at 1.5, and its first step is upward.
    func scale(_ most: String) throws -> [Float] {
      let tiny = try Tiny("softmax", Fixture("clip", ["head.most=\(most)"]))
      let trainer = try tiny.trainer()
      let index = try #require(tiny.plan.parameters.firstIndex { $0.name == "head.scale" })
      return try (0..<30).map { _ in
        _ = try trainer.advance()
        return trainer.parameters.values(index)[0]
      }
    }
    let (held, free) = (try scale(String(exp(1.505))), try scale("none"))
    let limit: Float = 1.505
    #expect(held.allSatisfy { $0 <= limit.nextUp } && held.contains { abs($0 - limit) < 1e-6 })
    #expect(free.max() ?? 0 > limit + 0.005)
    #expect(Fixture.limit(of: try Fixture().loaded) == log(100))
  }

  @Test("what has not two towers is not trained so, and what has is not trained otherwise") func refuses() throws {
    var tiny = try Tiny()
    tiny.settings.objective = Setting(text: "next_token")
    #expect(
      throws: TrainingProblem.unsuited(
        tiny.plan.name, objective: "next_token", why: "it predicts no token", others: ["contrastive"])
    ) { try tiny.trainer() }
    let text = try TinyModel()
    #expect(try Self.objective("softmax").obstacle(to: text.plan) != nil)
  }
}
