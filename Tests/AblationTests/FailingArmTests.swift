import Ablation
import Components
import Composition
import Files
import Foundation
import Specification
import TestSupport
import Testing

/// A trainer whose runs of one arm end in an error, or in NaN.
private struct FailingTrainer: ArmTrainer {
  let arm: String
  var error: (any Error)? = MemoryShort()
  private let fake = FakeTrainer()

  struct MemoryShort: Error, CustomStringConvertible {
    let description = "there is no memory\nfor 7 GiB"
  }

  init(arm: String, error: (any Error)? = MemoryShort()) { (self.arm, self.error) = (arm, error) }

  func speed(of arm: PlannedArm, in study: Study) throws -> Double { try fake.speed(of: arm, in: study) }

  func describe(_ training: Setting, for architecture: Architecture, _ plan: Plan, _ budget: BudgetTokens) throws
    -> TrainingDescription
  { try fake.describe(training, for: architecture, plan, budget) }

  func fingerprint(of study: Study, for architecture: Architecture) throws -> String {
    try fake.fingerprint(of: study, for: architecture)
  }

  func estimate(_ arm: PlannedArm, of study: Study) throws -> RunEstimate { try fake.estimate(arm, of: study) }

  func train(
    _ arm: PlannedArm, of study: Study, seed: Int, contexts: [Int], in folder: String,
    progress: (TrainingProgress) -> Bool
  ) throws -> TaskOutcome? {
    if arm.name == self.arm {
      if let error { throw error }
      return TaskOutcome(
        TaskResult(loss: .nan, curve: [], contexts: [], divergedAfter: 4),
        TaskTimes(seconds: 1, tokensPerSecond: 1, machine: "a fake"))
    }
    return try fake.train(arm, of: study, seed: seed, contexts: contexts, in: folder, progress: progress)
  }

  func train(
    _ arm: PlannedArm, on probe: Probe, seed: Int, progress: (TrainingProgress) -> Bool
  ) throws -> TaskOutcome? { try FakeTrainer().train(arm, on: probe, seed: seed, progress: progress) }
}

@Suite("an arm that fails") struct FailingArmTests {
  private static let text = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    seeds: 3
    hold: none
    arms:
      bad: {position: none}
      slow: {train: {lr: 0.0005}}
    """

  private func withFolder(_ body: (StudyFolder) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(StudyFolder(path: path))
  }

  @Test(
    "is named with its seeds and the reason, the others go on, and the next time it is tried again",
    arguments: [
      "bad", "baseline",
    ])
  func fails(_ name: String) throws {
    try withFolder { folder in
      let plan = try Studies.plan(Self.text)
      var told: [String] = []
      #expect(
        try StudyRunner(plan, in: folder, trainer: FailingTrainer(arm: name)).run { event in
          if case .failed(let task, let reason) = event { told.append("\(plan.name(of: task)): \(reason)") }
          return true
        })
      #expect(
        told.count == 3 && told.allSatisfy { $0.contains("(\(name), seed ") && $0.hasSuffix("no memory for 7 GiB") })
      let report = StudyReport(plan, in: folder)
      #expect(report.finishedCount == 6)
      #expect(report.headline.contains("failed: \(name)"))
      #expect(report.notes.contains { $0.hasPrefix("\(name): seed 1 failed: there is no memory for 7 GiB; seed 2") })
      #expect(report.markdown.contains("seed 3 failed") && report.page.contains("seed 3 failed"))
      let arm = report.json["arms"]?.array?.first { $0["name"]?.string == name }
      #expect(arm?["failed"]?.array?.count == 3)
      #expect(try StudyRunner(plan, in: folder, trainer: FakeTrainer()).run { _ in true })
      let again = StudyReport(plan, in: folder)
      #expect(again.isComplete && !again.headline.contains("failed"))
      #expect(again.json["arms"]?.array?.allSatisfy { $0["failed"] == nil } == true)
    }
  }

  @Test(
    "and diverges is said to have, with the seed and the step, and the baseline too", arguments: ["bad", "baseline"])
  func diverges(_ name: String) throws {
    try withFolder { folder in
      let plan = try Studies.plan(Self.text)
      #expect(try StudyRunner(plan, in: folder, trainer: FailingTrainer(arm: name, error: nil)).run { _ in true })
      let report = StudyReport(plan, in: folder)
      #expect(report.isComplete && report.headline.contains("diverged"))
      #expect(report.notes.contains { $0.hasPrefix("\(name): seed 1 diverged after 4 steps; seed 2 diverged") })
      #expect(!report.page.isEmpty && !report.markdown.isEmpty)
    }
  }

  @Test("a failure that cannot be noted ends the study") func unwritable() throws {
    try withFolder { folder in
      let plan = try Studies.plan(Self.text)
      for task in plan.tasks { try makeFolder("\(folder.path)/tasks/\(task.key)/failure.txt/x") }
      #expect(throws: FileProblem.self) {
        try StudyRunner(plan, in: folder, trainer: FailingTrainer(arm: "bad")).run { _ in true }
      }
    }
  }
}
