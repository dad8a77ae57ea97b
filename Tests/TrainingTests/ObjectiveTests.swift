import Checkpoints
import Components
import Conformance
import Execution
import Files
import Foundation
import Kernels
import Models
import Specification
import StandardComponents
import TestSupport
import Testing
import Training

/// What objectives make of texts, and encoders that are trained to fill in tokens.
@Suite struct ObjectiveTests {
  private static let registry = Result { try Registry(standardComponents) }
  /// A vocabulary of 13 tokens: a beginning, an end and a mask among them.
  private static let marks = TextMarks(vocabulary: 13, before: [0], behind: [1], mask: 2, special: [0, 1, 2])

  private static func objective(_ text: String) throws -> any Objective {
    var settings = TrainingSettings(try registry.get(), inStudy: false)
    settings.objective = try YAML.read(text)
    return try settings.makeObjective()
  }

  private static func rows(
    _ objective: any Objective, _ tokens: [Int], number: Int, given: [Range<Int>] = []
  ) -> TrainedRows {
    objective.rows(
      of: TrainedSequence(tokens, given: given), marks, CounterRandom(seed: 1, stream: UInt64(number)))
  }

  /// A run of a tiny encoder on made-up tokens, of which each follows from those on both sides.
  private struct Tiny {
    let model: TinyModel
    var settings: TrainingSettings
    let text: TokenText

    init(_ patches: String...) throws {
      model = try TinyModel(patches: patches.isEmpty ? ["position=learned", "attention.mask=full"] : patches)
      settings = TrainingSettings(try ObjectiveTests.registry.get(), inStudy: false)
      (settings.steps, settings.batch, settings.context, settings.warmup) = (40, 4, 10, 2)
      (settings.saveEvery, settings.validateEvery, settings.keep, settings.threads) = (1, 20, 50, 1)
      (settings.validationBatches, settings.rate) = (0, 0.02)
      settings.objective = Setting(text: "masked_tokens")
      let cycle: [UInt8] = [3, 7, 4, 8, 5, 9, 6]
      let tokens: [UInt8] = (0..<600).flatMap { (index: Int) -> [UInt8] in [cycle[index % 7], 0] }
      let file = FileManager.default.temporaryDirectory.path + "/objective-\(UUID().uuidString).bin"
      try Data(tokens).write(to: URL(fileURLWithPath: file))
      text = TokenText([try TokenShard.rawTokens(MappedFile(path: file))])
      try removeFile(file)
    }

    func trainer(_ marks: TextMarks? = ObjectiveTests.marks, seed: UInt64 = 5) throws -> Trainer {
      let (training, validation) = text.split(last: 0.2)
      return try Trainer(
        model.plan, Parameters(model.plan, seed: seed), settings, training: training, validation: validation,
        marks: marks, pool: ThreadPool(threads: settings.threads))
    }

    func run(_ trainer: Trainer, in path: String) throws -> TrainingRun {
      try TrainingRun(
        trainer, RunDescription(model: "name: tiny\n", settings: settings, data: JSONObject(), dataFingerprint: "x"),
        in: RunFolder(path), files: [])
    }

    func values(_ trainer: Trainer) -> [[Float]] { model.plan.parameters.indices.map(trainer.parameters.values) }
  }

  @Test("the usual objective is the one that needs no word, and is left out of a run's description") func usual() throws
  {
    let registry = try Self.registry.get()
    let usual = try #require(registry.defaultNames[.objective])
    #expect(registry.names(in: .objective).contains(usual))
    var settings = TrainingSettings(registry, inStudy: false)
    #expect(settings.hasUsualObjective && settings.json["objective"] == nil)
    settings.objective = try YAML.read("{type: \(usual)}")
    #expect(settings.hasUsualObjective && settings.json["objective"] == nil)
    settings.objective = try YAML.read("{type: masked_tokens, rate: 0.3}")
    try settings.normalize()
    #expect(!settings.hasUsualObjective)
    let back = try #require(TrainingSettings(settings.json, registry))
    #expect(back.objective == settings.objective && back.objective["rate"]?.number == 0.3)
    #expect(TrainingSettings(registry, inStudy: false).differences(from: back).map(\.key) == ["objective"])
  }

  @Test("of a text each token but the first is predicted, of a question its answer") func nextTokens() throws {
    let objective = try Self.objective("next_token")
    #expect(objective.window(of: 8, nil) == TextWindow(stride: 8, tokens: 9))
    #expect(Self.rows(objective, [3, 4, 5], number: 0) == TrainedRows(inputs: [3, 4], targets: [4, 5]))
    #expect(
      Self.rows(objective, [3, 4, 5, 6], number: 0, given: [0..<3])
        == TrainedRows(inputs: [3, 4, 5], targets: [-1, -1, 6]))
    #expect(Self.rows(objective, [3, 4, 5, 6, 7], number: 0, given: [0..<1, 2..<4]).targets == [4, -1, -1, 7])
  }

  @Test("of the tokens so many are chosen, of which four in five are masked and one in ten is any token")
  func parts() throws {
    let objective = try Self.objective("masked_tokens")
    #expect(objective.window(of: 42, Self.marks) == TextWindow(stride: 40, tokens: 40))
    let text = (0..<40).map { $0 % 8 == 0 ? 2 : 3 + $0 % 10 }  // 5 of them are marks
    var (chosen, masked, kept, other) = (0, 0, 0, 0)
    for number in 0..<2000 {
      let rows = Self.rows(objective, text, number: number)
      #expect(rows.inputs.count == 42 && rows.inputs.first == 0 && rows.inputs.last == 1)
      #expect(rows.targets.first == -1 && rows.targets.last == -1)
      for (place, token) in text.enumerated() {
        let (read, target) = (rows.inputs[place + 1], rows.targets[place + 1])
        if target < 0 {
          #expect(read == token)
          continue
        }
        #expect(target == token && token != 2)
        chosen += 1
        if read == 2 { masked += 1 } else if read == token { kept += 1 } else { other += 1 }
      }
      #expect((5...6).contains(rows.targets.count { $0 >= 0 }))  // 0.15·35 = 5.25
    }
    // Of 10,500 draws three deviations are 1.2, 0.9 and 0.9 parts of a hundred; any token is the mark, or the token itself, once in 13.
    let parts = [masked, kept, other].map { Double($0) / Double(chosen) }
    #expect(abs(Double(chosen) / 2000 - 5.25) < 0.03)
    #expect(abs(parts[0] - 0.8 - 0.1 / 13) < 0.012)
    #expect(abs(parts[1] - 0.1 - 0.1 / 13) < 0.009)
    #expect(abs(parts[2] - 0.1 * 11 / 13) < 0.009)
  }

  @Test("rows follow from the random numbers alone, every place is chosen some time, and at least one is") func draws()
    throws
  {
    let objective = try Self.objective("{type: masked_tokens, rate: 0.02, mask: 1, random: 0}")
    let text = (0..<10).map { 3 + $0 }
    var places: Set<Int> = []
    for number in 0..<300 {
      let rows = Self.rows(objective, text, number: number)
      #expect(rows == Self.rows(objective, text, number: number))
      let own = rows.targets.indices.filter { rows.targets[$0] >= 0 }
      #expect(own.count == 1 && own.allSatisfy { rows.inputs[$0] == 2 })
      places.formUnion(own)
    }
    #expect(places == Set(1...10))
    // A text of marks alone has nothing to predict, and of a question nothing is.
    #expect(Self.rows(objective, [0, 1, 2], number: 0).targets.allSatisfy { $0 < 0 })
    let all = try Self.objective("{type: masked_tokens, rate: 1}")
    #expect(Self.rows(all, text, number: 0, given: [0..<4]).targets == [-1, -1, -1, -1, -1] + text.dropFirst(4) + [-1])
  }

  @Test("parts of more than one whole are refused") func wholes() {
    #expect(throws: Problems.self) { try Self.objective("{type: masked_tokens, mask: 0.95, random: 0.1}") }
    #expect(throws: Problems.self) { try Self.objective("{type: masked_tokens, rate: 1.5}") }
  }

  @Test("an encoder learns to fill in tokens, and a run that is stopped goes on to the same bits") func learns() throws
  {
    let path = FileManager.default.temporaryDirectory.path + "/objective-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let tiny = try Tiny()
    let whole = try tiny.trainer()
    let before = try #require(try whole.validate())
    #expect(try tiny.run(whole, in: path).run { _ in } == .finished)
    #expect(try #require(try whole.validate()) < before - 0.3)
    let end = tiny.values(whole)
    for stop in [1, 17, 39] {
      try removeFolder(path)
      var done = 0
      let first = try tiny.run(try tiny.trainer(), in: path)
      let ending = try first.run(shouldStop: { done >= stop }) { event in
        if case .step = event { done += 1 }
      }
      #expect(ending == .stopped)
      first.close()
      let second = try tiny.trainer()
      #expect(try tiny.run(second, in: path).run { _ in } == .finished)
      #expect(tiny.values(second) == end, "stopped after \(stop)")
    }
  }

  @Test("validation leaves out the same tokens whatever the seed and the step, and is what an evaluation gives")
  func validation() throws {
    var tiny = try Tiny()
    let first = try tiny.trainer()
    let loss = try #require(try first.validate())
    tiny.settings.seed = 99
    #expect(try tiny.trainer().validate() == loss)
    _ = try first.advance()
    #expect(try first.validate() != loss)
    let plan = tiny.model.plan
    let evaluation = try ObjectiveEvaluation(
      plan, Parameters(plan, seed: 5), tiny.settings.makeObjective(), on: tiny.text.split(last: 0.2).last,
      marks: Self.marks, context: tiny.settings.context, among: Self.registry.get(), pool: ThreadPool(threads: 1))
    // Sums of the same losses in other batches.
    #expect(abs(evaluation.loss - loss) < 1e-12 * loss)
    // 120 tokens are 15 windows of 8 beside the marks, and of 8 one or two are chosen.
    #expect((15...30).contains(evaluation.predictions))
  }

  @Test("what does not fit is refused in a sentence, with what does") func refuses() throws {
    let causal = try Tiny("position=rope")
    #expect(
      throws: TrainingProblem.unsuited(
        "tiny", objective: "masked_tokens",
        why: "its tokens see none after them, and a masked one is predicted from all others", others: ["next_token"])
    ) { try causal.trainer() }
    var tiny = try Tiny()
    #expect(
      throws: TrainingProblem.unsuited(
        "tiny", objective: "masked_tokens", why: "it has no tokenizer here, which tells what a masked token is",
        others: [])
    ) { try tiny.trainer(nil) }
    #expect(throws: TrainingProblem.self) {
      try tiny.trainer(TextMarks(vocabulary: 13, before: [], behind: [], mask: nil, special: []))
    }
    tiny.settings.context = 2
    #expect(throws: TrainingProblem.shortContext(2)) { try tiny.trainer() }
    tiny.settings.context = 8
    tiny.settings.objective = Setting(text: "next_token")
    #expect(
      throws: TrainingProblem.unsuited(
        "tiny", objective: "next_token", why: "its tokens see those after them", others: ["masked_tokens"])
    ) { try tiny.trainer() }
  }

  // Sums of a few dozen f32 terms in another order than torch's, relative to the largest of all: the bound of other fixtures.
  @Test(
    "the loss of masked tokens and its gradients are torch's", arguments: ["bert", "roberta", "modernbert"])
  func gradients(_ name: String) throws {
    let path = Here.package + "/Tests/Encoders/" + name
    let models = try Here.models()
    let loaded = try models.load(models.describe(path))
    let plan = loaded.description.plan
    let expected = try ExpectedTraining(path, of: loaded.description, models)
    let (ids, mask, labels) = try (
      expected.integers("input_ids"), expected.integers("attention_mask"), expected.integers("labels")
    )
    let lengths = [0, 22].map { start in mask[start..<start + 22].reduce(0, +) }
    let inputs = zip([0, 22], lengths).map { Array(ids[$0..<$0 + $1]) }
    let targets = zip([0, 22], lengths).map { labels[$0..<$0 + $1].map { max(-1, $0) } }
    let executor = try GradientExecutor(
      plan, loaded.parameters, pool: ThreadPool(threads: 2), rows: 44, loss: try Self.objective("masked_tokens").loss,
      options: TrainingOptions(precision: .f32))
    let loss = try executor.trainingLoss(inputs, targets: targets)
    #expect(abs(loss - expected.loss) < 1e-5 * expected.loss)
    try expected.compare(plan, executor)
  }
}

/// Settings as a command's option has them.
private enum YAML {
  static func read(_ text: String) throws -> Setting { try YAMLReader(source: "test").read(text) }
}

/// What `Tests/Interop/objectives.py` wrote beside a model: a batch, its loss and the gradients.
struct ExpectedTraining {
  private let entries: [String: StoredTensorEntry]
  private let gradients: [String: [Float]]
  let loss: Double

  init(_ path: String, _ name: String = "training", of described: ModelDescription, _ models: ModelLoader) throws {
    let file = try SafetensorsFile(path: "\(path)/\(name).safetensors")
    entries = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
    let stored = file.tensors.filter { $0.name.hasPrefix("grad.") }.map { $0.renamed(String($0.name.dropFirst(5))) }
    gradients = try models.canonical(stored, of: described).mapValues { tensor in
      withExtendedLifetime(tensor.owner) {
        (0..<tensor.bytes.count / 4).map { tensor.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
      }
    }
    loss = Double(try #require(entries["loss"]).bytes.loadUnaligned(as: Float.self))
  }

  func integers(_ name: String) throws -> [Int] {
    let entry = try #require(entries[name])
    return (0..<entry.elementCount).map { Int(entry.bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
  }

  /// Holds the gradients that `executor` computed against those that were written, 1e-4 of the largest of all.
  func compare(_ plan: Plan, _ executor: GradientExecutor) throws {
    let largest = gradients.values.reduce(Float(0)) { $1.reduce($0) { max($0, abs($1)) } }
    #expect(gradients.count == plan.parameters.count && largest > 0)
    for (index, tensor) in plan.parameters.enumerated() {
      let wanted = try #require(gradients[tensor.name.text], "no gradient of \(tensor.name)")
      #expect(largestDifference(wanted, Array(executor.gradient(index))) < 1e-4 * largest, "\(tensor.name)")
    }
  }
}
