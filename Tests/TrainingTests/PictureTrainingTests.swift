import Components
import Execution
import Files
import Foundation
import Kernels
import Models
import StandardComponents
import TestSupport
import Testing
import Training

/// The very small LLaVA of `Tests/Pictures`, trained on questions about its pictures.
@Suite struct PictureTrainingTests {
  private static let folder = Here.package + "/Tests/Pictures"

  /// A run on three questions about two pictures.
  private struct Tiny {
    let described: ModelDescription
    let examples: TrainingExamples
    var settings: TrainingSettings

    init(frozen: [String] = []) throws {
      let described = try Here.models().describe(folder + "/llava")
      self.described = described
      let stack = try #require(described.plan.pictureStacks.first)
      let reader = try PictureReader(described, stack: stack)
      let token = try #require(stack.placeholder)
      let places = Array(repeating: token, count: 10)
      examples = TrainingExamples(
        [
          .init([([5] + places + [7, 9], [11, 2])], picture: "one.png"),
          .init([([5] + places + [8], [12, 13, 2])], picture: "one.png"),
          .init([([5] + places + [7, 9], [14, 2])], picture: "two.png"),
        ], axis: stack.axis, promptIsSeen: false
      ) { try reader.read([folder + "/" + $0])[0].tiles[0] }
      settings = TrainingSettings(try Registry(standardComponents), inStudy: false)
      (settings.steps, settings.batch, settings.context, settings.warmup) = (8, 2, 15, 1)
      (settings.saveEvery, settings.validateEvery, settings.keep, settings.threads) = (2, 4, 9, 1)
      settings.rate = 0.01
      settings.frozen = frozen
    }

    func trainer() throws -> Trainer {
      try Trainer(
        described.plan, Parameters(described.plan, seed: 3), settings, training: examples, validation: examples,
        pool: ThreadPool(threads: settings.threads))
    }

    func run(_ trainer: Trainer, in path: String) throws -> TrainingRun {
      try TrainingRun(
        trainer,
        RunDescription(model: "name: tiny\n", settings: settings, data: JSONObject(), dataFingerprint: "x"),
        in: RunFolder(path), files: [])
    }

    func values(_ trainer: Trainer) -> [String: [Float]] {
      Dictionary(
        uniqueKeysWithValues: described.plan.parameters.indices.map {
          (described.plan.parameters[$0].name.text, trainer.parameters.values($0))
        })
    }
  }

  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/pictures-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test("of a question nothing is predicted, and of an answer every token and its end")
  func rows() throws {
    let tiny = try Tiny()
    let maker = BatchMaker(try tiny.settings.makeObjective(), nil)
    let batch = try tiny.examples.batch([1, 2], numbers: [1, 2], seed: 0, maker)
    #expect(batch.inputs.map(\.count) == [14, 14] && batch.predictions == 5)
    #expect(batch.targets[0].suffix(3) == [12, 13, 2] && batch.targets[0].dropLast(3).allSatisfy { $0 == -1 })
    #expect(batch.inputs[0].suffix(3) == [8, 12, 13])
    // Of a conversation every answer.
    let conversation = TrainingExamples.Example([([5, 6, 7], [8, 2]), ([9], [10, 11, 2])], picture: "one.png")
    let all = TrainingExamples([conversation], axis: tiny.examples.axis, promptIsSeen: true) { _ in [] }
    let turns = try all.batch([0], numbers: [0], seed: 0, maker)
    #expect(conversation.length == 8 && all.longest == 8 && turns.predictions == 5)
    #expect(turns.inputs == [[5, 6, 7, 8, 2, 9, 10, 11]] && turns.targets == [[-1, -1, 8, 2, -1, 10, 11, 2]])
    // Cut where another picture begins.
    let (first, last) = tiny.examples.split(last: 0.5)
    #expect((first.count, last.count) == (0, 3))
    #expect(tiny.examples.split(last: 0.2).last.count == 1)
  }

  @Test("the answers are learned, by text, projector and encoder, and a run that is stopped goes on to the same bits")
  func learns() throws {
    try inFolder { path in
      let tiny = try Tiny()
      let whole = try tiny.trainer()
      let start = tiny.values(whole)
      let before = try #require(try whole.validate())
      #expect(try tiny.run(whole, in: path).run { _ in } == .finished)
      let after = try #require(try whole.validate())
      #expect(after < before - 0.5)
      let end = tiny.values(whole)
      for (name, numbers) in end where numbers.count > 1 { #expect(numbers != start[name], "\(name) did not move") }
      for stop in [1, 4, 7] {
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
  }

  @Test(
    "what is frozen keeps its bits, has no moments, and is saved with the rest",
    arguments: [["stacks.image"], ["stacks.text", "stacks.image.layers"], ["layers.0", "embed"]])
  func freezes(_ parts: [String]) throws {
    try inFolder { path in
      let tiny = try Tiny(frozen: parts)
      let trainer = try tiny.trainer()
      let start = tiny.values(trainer)
      _ = try tiny.run(trainer, in: path).run { _ in }
      var (frozen, moved) = (0, 0)
      for (index, tensor) in trainer.plan.parameters.enumerated() {
        let same = trainer.parameters.values(index) == start[tensor.name.text]
        #expect(same == tensor.isFrozen, "\(tensor.name)")
        if tensor.isFrozen { frozen += 1 } else { moved += 1 }
      }
      #expect(frozen > 0 && moved > 0)
      #expect(trainer.storedParameters.count == frozen + moved)
      // It goes on from its checkpoint as others do.
      let again = try tiny.trainer()
      _ = try tiny.run(again, in: path)
      #expect(again.step == 8 && tiny.values(again) == tiny.values(trainer))
      let settings = try #require(TrainingSettings(tiny.settings.json, Registry(standardComponents)))
      #expect(settings.frozen == parts)
    }
  }

  @Test("what cannot be is refused in a sentence")
  func refuses() throws {
    #expect(
      throws: TrainingProblem.noPart("stacks.sound", known: ["stacks.image", "embed", "layers", "final_norm"])
    ) { try Tiny(frozen: ["stacks.sound"]).trainer() }
    #expect(throws: TrainingProblem.self) { try Tiny(frozen: ["stacks.image", "stacks.text"]).trainer() }
    let tiny = try Tiny()
    var short = tiny
    short.settings.context = 13
    #expect(throws: TrainingProblem.longExample(tokens: 14, context: 13)) { try short.trainer() }
    #expect(throws: TrainingProblem.noExamples(what: "validation")) {
      try Trainer(
        tiny.described.plan, Parameters(tiny.described.plan, seed: 3), tiny.settings, training: tiny.examples,
        validation: tiny.examples.prefix(0), pool: ThreadPool(threads: 1))
    }
  }
}
