import Components
import Conformance
import Execution
import Files
import Foundation
import Kernels
import StandardComponents
import TestSupport
import Testing

import Training

@Suite struct TrainingRunTests {
  /// A run of the tiny model on made-up tokens.
  private struct Tiny {
    let model: TinyModel
    var settings: TrainingSettings
    let text: TokenText
    let folder: RunFolder

    init(in path: String, _ patches: String...) throws {
      model = try TinyModel(patches.isEmpty ? "position=rope" : patches[0])
      settings = TrainingSettings(try Registry(standardComponents), inStudy: false)
      (settings.steps, settings.batch, settings.context, settings.warmup) = (12, 2, 8, 2)
      (settings.saveEvery, settings.validateEvery, settings.keep, settings.threads) = (4, 6, 3, 2)
      settings.validationBatches = 0
      folder = RunFolder(path + "/run")
      // 600 tokens that repeat every seven, which is easy to learn.
      let cycle: [UInt8] = [3, 1, 4, 1, 5, 9, 2]
      let tokens: [UInt8] = (0..<600).flatMap { (index: Int) -> [UInt8] in [cycle[index % 7], 0] }
      let file = path + "/tokens.bin"
      try Data(tokens).write(to: URL(fileURLWithPath: file))
      text = TokenText([try TokenShard.rawTokens(MappedFile(path: file))])
    }

    func trainer() throws -> Trainer {
      let (training, validation) = text.split(last: 0.2)
      return try Trainer(
        model.plan, Parameters(model.plan, seed: 5), settings, training: training, validation: validation,
        pool: ThreadPool(threads: settings.threads))
    }

    func run(_ trainer: Trainer) throws -> TrainingRun {
      let description = RunDescription(
        model: "name: tiny\n", settings: settings, data: JSONObject(), dataFingerprint: "x")
      return try TrainingRun(trainer, description, in: folder, files: [("vocab.json", Array("{}".utf8))])
    }

    func parameters(_ trainer: Trainer) -> [[Float]] {
      model.plan.parameters.indices.map { trainer.parameters.values($0) }
    }

    /// The metrics without the speed.
    func metrics() throws -> [String] {
      try String(contentsOfFile: folder.metrics, encoding: .utf8).split(separator: "\n").map { line in
        String(line.split(separator: ",").filter { !$0.contains("tokens_per_second") }.joined(separator: ","))
      }
    }
  }

  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  @Test("the loss falls, every step and validation has its line, and the last checkpoints are kept")
  func learns() throws {
    try inFolder { path in
      let tiny = try Tiny(in: path)
      let trainer = try tiny.trainer()
      let before = try #require(try trainer.validate())
      let ending = try tiny.run(trainer).run { _ in }
      #expect(ending == .finished)
      let after = try #require(try trainer.validate())
      #expect(after < before - 0.1)
      #expect(try tiny.metrics().count == 12 + 2)
      #expect(try Checkpoint.all(in: tiny.folder).map(\.step) == [12, 8, 4])
      #expect(
        try namesInFolder(tiny.folder.path) == [
          ".lock", "checkpoints", "metrics.jsonl", "model.safetensors", "resolved.yaml", "training.json", "vocab.json",
        ])
    }
  }

  @Test(
    "stopped after any step and continued, a run ends in the same bits",
    arguments: TrainingComponentTests.optimizers, [0.0, 0.2])
  func resumes(_ optimizer: String, _ dropout: Double) throws {
    try resumes(optimizer, dropout, TrainingOptions(precision: .f32))
  }

  @Test("so it does in bf16, with cheap values computed again; in f32 it would end in others")
  func resumesInHalfPrecision() throws {
    let (half, full) = (TrainingOptions(precision: .bf16, recomputation: .cheap), TrainingOptions(precision: .f32))
    #expect(try resumes("adamw", 0.2, half) != resumes("adamw", 0.2, full))
  }

  @discardableResult
  private func resumes(_ optimizer: String, _ dropout: Double, _ options: TrainingOptions) throws -> [[Float]] {
    var end: [[Float]] = []
    try inFolder { path in
      var whole = try Tiny(in: path)
      whole.settings.optimizer = .init(text: optimizer)
      whole.settings.dropout = dropout
      whole.settings.accumulate = 2
      whole.settings.options = options
      #expect(try TrainingSettings(whole.settings.json, Registry(standardComponents))?.options == options)
      let trainer = try whole.trainer()
      _ = try whole.run(trainer).run { _ in }
      let expected = (whole.parameters(trainer), try whole.metrics())
      try removeFolder(whole.folder.path)
      for stop in [0, 1, 5, 11] {
        var done = 0
        let first = try whole.run(try whole.trainer())
        let ending = try first.run(shouldStop: { done >= stop }) { event in
          if case .step = event { done += 1 }
        }
        #expect(ending == .stopped)
        let second = try whole.trainer()
        first.close()
        _ = try whole.run(second).run { _ in }
        #expect(whole.parameters(second) == expected.0, "stopped after \(stop)")
        #expect(try whole.metrics() == expected.1)
        try removeFolder(whole.folder.path)
      }
      end = expected.0
    }
    return end
  }

  @Test(
    "a damaged checkpoint is passed over for the one before it, and said",
    arguments: ["model.safetensors", "optimizer.safetensors", "checkpoint.json"], [true, false])
  func damaged(_ file: String, _ cuts: Bool) throws {
    try inFolder { path in
      let tiny = try Tiny(in: path)
      let trainer = try tiny.trainer()
      let whole = try tiny.run(trainer)
      _ = try whole.run { _ in }
      whole.close()
      let expected = (tiny.parameters(trainer), try tiny.metrics())
      let url = URL(fileURLWithPath: tiny.folder.checkpoints + "/step-00000012/" + file)
      var bytes = try Data(contentsOf: url)
      if cuts { bytes.removeLast(bytes.count / 3) } else { bytes[bytes.count / 2] ^= 0x10 }
      try bytes.write(to: url)
      let again = try tiny.trainer()
      let run = try tiny.run(again)
      #expect(again.step == 8 && run.notes.count == 2)
      #expect(run.notes[0].contains("step 12") && run.notes[1].contains("step 8"), "\(run.notes)")
      _ = try run.run { _ in }
      #expect(tiny.parameters(again) == expected.0)
      #expect(try tiny.metrics() == expected.1, "the metrics after the checkpoint come again, once")
    }
  }

  @Test("metrics that were torn are mended, and two processes never share a folder")
  func torn() throws {
    try inFolder { path in
      let tiny = try Tiny(in: path)
      let first = try tiny.run(try tiny.trainer())
      #expect(throws: TrainingProblem.self) { try tiny.run(try tiny.trainer()) }
      _ = try first.run { _ in }
      let expected = try tiny.metrics()
      first.close()
      try removeFolder(tiny.folder.checkpoints + "/step-00000012")
      let text = try String(contentsOfFile: tiny.folder.metrics, encoding: .utf8)
      try String(text.dropLast(20)).write(toFile: tiny.folder.metrics, atomically: true, encoding: .utf8)
      _ = try tiny.run(try tiny.trainer()).run { _ in }
      #expect(try tiny.metrics() == expected)
    }
  }

  @Test("another run, or too little data, is refused before anything is changed")
  func refuses() throws {
    try inFolder { path in
      var tiny = try Tiny(in: path)
      let first = try tiny.run(try tiny.trainer())
      first.close()
      tiny.settings.batch = 3
      #expect(throws: TrainingProblem.self) { try tiny.run(try tiny.trainer()) }
      tiny.settings.context = 1000
      #expect(throws: TrainingProblem.self) { try tiny.trainer() }
    }
  }

  @Test("dropout drops its part, and nothing in validation")
  func dropout() throws {
    try inFolder { path in
      var tiny = try Tiny(in: path)
      let plain = try #require(try tiny.trainer().validate())
      tiny.settings.dropout = 0.5
      let trainer = try tiny.trainer()
      #expect(try trainer.validate() == plain)
      let steps = trainer.plan.steps.filter { $0.operation is Dropout }
      #expect(
        steps.count == 1 + 2 * 2, "after the embedding, and where each of two sublayers of two layers joins the line")
      let mask = Dropout.Mask(key: 77, threshold: 1 << 31, factor: 2)
      let kept = (0..<10_000).count { mask.keeps($0) }
      #expect((4800...5200).contains(kept))  // four standard deviations
    }
  }
}
