import Ablation
import Components
import Composition
import Files
import Foundation
import Specification
import TestSupport
import Testing

/// Studies that ask for more as they learn: each arm at its own best rate, and seeds until arms are decided.
@Suite("tuned and sequential studies") struct TunedStudyTests {
  private static let text = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    seeds: 4
    hold: none
    tune: {lr: [x½, ×1, x2]}
    arms:
      none: {position: none}
      gated: {mlp: {gated: true, activation: silu, intermediate_size: 341}}
    """

  /// `none` learns best at four times the rate, `gated` at the shared one.
  private static func excess(_ arm: PlannedArm, _ rate: Double) -> Double {
    let distance = log2(rate / 0.001) - (arm.name == "none" ? 2 : 0)
    return 0.1 * distance * distance
  }

  fileprivate static var trainer: FakeTrainer { FakeTrainer(excess: excess, spread: 1e-3) }

  private func withFolder(_ body: (StudyFolder) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(StudyFolder(path: path))
  }

  private func everything(of plan: StudyPlan, in folder: StudyFolder) -> String {
    let report = StudyReport(plan, in: folder, includesTimes: false)
    return report.json.serialized(pretty: true) + report.markdown + report.page
  }

  @Test("an arm with a bad shared rate is worse there, and no different once each has its own best") func flips() throws
  {
    try withFolder { folder in
      let plan = try Studies.plan(Self.text, Self.trainer)
      #expect(plan.tasks.count == 3 * 4 + 3 * 2, "all seeds at the shared rate, one at the two others")
      #expect(try StudyRunner(plan, in: folder, trainer: Self.trainer).run { _ in true })
      let report = StudyReport(plan, in: folder)
      #expect(report.isComplete)
      let none = try #require(report.rows.first { $0.arm.name == "none" })
      #expect(none.comparison?.verdict == .worse)
      let tuned = try #require(none.tuned)
      // ×2 is at the edge, ×4 is better and at the edge, ×8 is worse.
      #expect(tuned.curve.points.map(\.factor) == [0.5, 1, 2, 4, 8] && !tuned.curve.isAtEdge && tuned.isSettled)
      #expect(tuned.chosen?.factor == 4 && tuned.chosen?.value == 0.004 && tuned.finalists.count == 2)
      #expect(tuned.finalists.allSatisfy { $0.losses.count == 4 })
      #expect(abs((tuned.curve.vertex ?? 0) - 4) < 0.1)
      #expect(tuned.comparison?.verdict != .worse)
      let gated = try #require(report.rows.first { $0.arm.name == "gated" }?.tuned)
      #expect(gated.chosen?.factor == 1)
      let sentence = try #require(report.sentences.first)
      #expect(
        sentence.contains("each at its own best lr (×4 against ×1)")
          && sentence.contains("at the shared lr it is worse"))
      #expect(report.headline.contains("Each at its own best lr, against baseline: "))
      for text in [report.markdown, report.page] {
        #expect(text.contains("Each at its own best lr") && text.contains("0.004 (×4)"))
      }
      #expect(report.page.contains("Loss over lr"))
      #expect(report.json["arms"]?.array?[1]["tuned"]?["best_factor"]?.number == 4)
    }
  }

  @Test("a best that lies beyond what is tried is said to lie at the end") func edge() throws {
    try withFolder { folder in
      let trainer = FakeTrainer(excess: { arm, rate in arm.name == "none" ? -0.01 * log2(rate / 0.001) : 0 })
      let plan = try Studies.plan(Self.text, trainer)
      #expect(try StudyRunner(plan, in: folder, trainer: trainer).run { _ in true })
      let report = StudyReport(plan, in: folder)
      let tuned = try #require(report.rows.first { $0.arm.name == "none" }?.tuned)
      #expect(tuned.curve.isAtEdge && tuned.curve.points.map(\.factor).max() == 16, "three times further, and no more")
      #expect(report.markdown.contains("(best at the end)"))
      #expect(report.sentences[0].contains("it may not be the best"))
    }
  }

  @Test(
    "a study that is stopped anywhere, robbed of results, and run by several machines in any order gives the same report",
    arguments: [
      text, text.replacing("tune: {lr: [x½, ×1, x2]}", with: "").replacing("seeds: 4", with: "seeds: {from: 3, to: 9}"),
    ])
  func anyhow(_ text: String) throws {
    let plan = try Studies.plan(text, Self.trainer)
    var straight = ""
    try withFolder { folder in
      let isComplete = try StudyRunner(plan, in: folder, trainer: Self.trainer).run { _ in true }
      #expect(isComplete)
      straight = everything(of: plan, in: folder)
      #expect(folder.tasks(of: plan).count > plan.tasks.count, "there was more to do than was known")
    }
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<12 {
      try withFolder { folder in
        let runner = StudyRunner(plan, in: folder, trainer: Self.trainer)
        for _ in 0..<5 {
          var left = Int.random(in: 1...120, using: &generator)
          _ = try runner.run(folder.tasks(of: plan).shuffled()) { _ in
            left -= 1
            return left > 0
          }
          _ = everything(of: plan, in: folder)
        }
        let outcomes = try namesInFolder(folder.path + "/tasks").map { "\(folder.path)/tasks/\($0)/outcome.json" }
        for (index, path) in outcomes.filter({ FileManager.default.fileExists(atPath: $0) }).shuffled().enumerated() {
          if index == 0 { try Data().write(to: URL(fileURLWithPath: path)) }
          if index == 1 { try FileManager.default.removeItem(atPath: path) }
        }
        // As a cluster does it: the tasks that are known, then those that follow.
        for _ in 0..<20 {
          for task in folder.tasks(of: plan).shuffled() where folder.outcome(of: task) == nil {
            #expect(try runner.run([task]) { _ in true })
          }
        }
        #expect(everything(of: plan, in: folder) == straight)
      }
    }
  }

  @Test("once the tasks before are over, the numbers of those that follow stay what they are") func numbers() throws {
    try withFolder { folder in
      let plan = try Studies.plan(Self.text, Self.trainer)
      let runner = StudyRunner(plan, in: folder, trainer: Self.trainer)
      var known: [Int: String] = [:]
      while true {
        let tasks = folder.tasks(of: plan)
        for task in tasks { #expect(known[task.index] == nil || known[task.index] == task.key) }
        known = Dictionary(uniqueKeysWithValues: tasks.map { ($0.index, $0.key) })
        #expect(Array(known.keys).sorted() == Array(0..<tasks.count))
        let left = tasks.filter { folder.outcome(of: $0) == nil }
        if left.isEmpty { break }
        #expect(try runner.run(left) { _ in true })
      }
    }
  }

  @Test("tuning can be asked of a study that was run without it: what it measured counts") func later() throws {
    try withFolder { folder in
      let before = Self.text.replacing("tune: {lr: [x½, ×1, x2]}\n", with: "")
      let plain = try Studies.plan(before, Self.trainer)
      let tree = try YAMLReader(source: "study.yaml").read(before)
      try folder.begin(tree, plain)
      #expect(try StudyRunner(plain, in: folder, trainer: Self.trainer).run { _ in true })
      let plan = try Studies.plan(Self.text, Self.trainer)
      try folder.begin(YAMLReader(source: "study.yaml").read(Self.text), plan)
      var count = 0
      #expect(
        try StudyRunner(
          plan, in: folder, trainer: FakeTrainer(began: { _ in count += 1 }, excess: Self.excess, spread: 1e-3)
        )
        .run { _ in true })
      #expect(count == folder.tasks(of: plan).count - plain.tasks.count)
    }
  }

  @Test("a run that fails is named, and the others go on") func failing() throws {
    struct Broken: Error {}
    struct FailingTrainer: ArmTrainer {
      var inner: FakeTrainer { TunedStudyTests.trainer }
      func describe(_ training: Setting, for architecture: Architecture, _ plan: Plan, _ budget: BudgetTokens) throws
        -> TrainingDescription
      { try inner.describe(training, for: architecture, plan, budget) }
      func fingerprint(of study: Study, for architecture: Architecture) throws -> String {
        try inner.fingerprint(of: study, for: architecture)
      }
      func estimate(_ arm: PlannedArm, of study: Study) throws -> RunEstimate { RunEstimate(steps: 1) }
      func speed(of arm: PlannedArm, in study: Study) throws -> Double { try inner.speed(of: arm, in: study) }
      func train(
        _ arm: PlannedArm, of study: Study, seed: Int, contexts: [Int], in folder: String,
        progress: (TrainingProgress) -> Bool
      ) throws -> TaskOutcome? {
        if arm.name == "none", arm.training.settings.first?.value == "0.002" { throw Broken() }
        return try inner.train(arm, of: study, seed: seed, contexts: contexts, in: folder, progress: progress)
      }
      func train(
        _ arm: PlannedArm, on probe: Probe, seed: Int, progress: (TrainingProgress) -> Bool
      ) throws -> TaskOutcome? { try inner.train(arm, on: probe, seed: seed, progress: progress) }
    }
    try withFolder { folder in
      let plan = try Studies.plan(Self.text, Self.trainer)
      #expect(try StudyRunner(plan, in: folder, trainer: FailingTrainer()).run { _ in true })
      let report = StudyReport(plan, in: folder)
      #expect(report.notes.contains { $0.contains("none, lr ×2") && $0.contains("failed") }, "\(report.notes)")
      #expect(report.rows[2].tuned?.comparison != nil && !report.isComplete)
    }
  }

  // MARK: Seeds

  @Test("an arm that is far off is decided at the first look, and only the others get more seeds") func added() throws {
    try withFolder { folder in
      let text = Self.text.replacing("tune: {lr: [x½, ×1, x2]}", with: "").replacing(
        "seeds: 4", with: "seeds: {from: 3, to: 6}")
      let trainer = FakeTrainer(excess: { arm, _ in arm.name == "none" ? 3 : 0 }, spread: 1e-3)
      let plan = try Studies.plan(text + "\n  again: {}\n", trainer)
      #expect(plan.study.schedule?.looks == [3, 4, 6] && plan.tasks.count == 4 * 3)
      #expect(try StudyRunner(plan, in: folder, trainer: trainer).run { _ in true })
      let report = StudyReport(plan, in: folder)
      let rows = Dictionary(uniqueKeysWithValues: report.rows.map { ($0.arm.name, $0) })
      #expect(rows["none"]?.comparison?.decidedAt == 3 && rows["none"]?.outcomes.count == 3)
      #expect(rows["again"]?.comparison?.verdict == .notDistinguishable && rows["again"]?.outcomes.count == 6)
      #expect(report.isComplete && report.statistics.finishedLooks == 3)
      #expect(report.notes.contains { $0.contains("none at 3") })
    }
  }
}
