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

@Suite("branches of a trunk") struct TrunkBranchTests {
  private let model: TinyModel
  private let text: TokenText
  private let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "trunk-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    model = try TinyModel("position=rope")
    let cycle: [UInt8] = [3, 1, 4, 1, 5, 9, 2]
    try Data((0..<600).flatMap { (index: Int) -> [UInt8] in [cycle[index % 7], 0] })
      .write(to: URL(fileURLWithPath: path + "/tokens.bin"))
    text = TokenText([try TokenShard.rawTokens(MappedFile(path: path + "/tokens.bin"))])
  }

  private func settings(steps: Int, schedule: String = "wsd") throws -> TrainingSettings {
    var settings = TrainingSettings(try Registry(standardComponents), inStudy: false)
    (settings.steps, settings.batch, settings.context, settings.warmup) = (steps, 2, 8, 2)
    (settings.saveEvery, settings.validateEvery, settings.keep, settings.threads) = (2, 0, 50, 2)
    settings.schedule = Setting(text: schedule)
    return settings
  }

  private func trained(
    _ settings: TrainingSettings, in name: String, of trunk: TrunkBranch? = nil
  ) throws -> (parameters: [[Float]], first: Int) {
    let (training, validation) = text.split(last: 0.2)
    let trainer = try Trainer(
      model.plan, Parameters(model.plan, seed: 5), settings, training: training, validation: validation,
      pool: ThreadPool(threads: settings.threads))
    let description = RunDescription(
      model: "name: tiny\n", settings: settings, data: JSONObject(), dataFingerprint: "x")
    let run = try TrainingRun(trainer, description, in: RunFolder(path + "/" + name), files: [], branch: trunk)
    let first = trainer.step
    _ = try run.run { _ in }
    run.close()
    return (model.plan.parameters.indices.map { trainer.parameters.values($0) }, first)
  }

  @Test("a decay that leaves a trunk ends at the bits of a run of its own length", arguments: [12, 20, 30])
  func branches(steps: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    _ = try trained(settings(steps: 40), in: "trunk")
    let branch = try TrunkBranch(of: RunFolder(path + "/trunk"), settings(steps: steps))
    // The rate is flat after two steps of warm-up, and falls over the last fifth; the first step of that has the peak still.
    #expect(branch.step > steps / 2 && branch.step < steps)
    let own = try trained(settings(steps: steps), in: "own")
    let left = try trained(settings(steps: steps), in: "branch", of: branch)
    #expect(own.first == 0 && left.first == branch.step)
    #expect(own.parameters == left.parameters)
  }

  @Test("what is no trunk of a run is refused with what differs") func refused() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    // Both rates are the same for the warm-up and one step more, and no checkpoint is from then.
    var late = try settings(steps: 40, schedule: "cosine")
    late.saveEvery = 20
    _ = try trained(late, in: "cosine")
    #expect(throws: TrainingProblem.self) {
      try TrunkBranch(of: RunFolder(path + "/cosine"), settings(steps: 20, schedule: "cosine"))
    }
    var other = try settings(steps: 20, schedule: "cosine")
    other.batch = 3
    do {
      _ = try TrunkBranch(of: RunFolder(path + "/cosine"), other)
      Issue.record("another batch was taken")
    } catch let problem as TrainingProblem {
      #expect(problem.description.contains("--batch"))
    }
  }
}
