import Ablation
import Files
import Foundation
import Specification
import TestSupport
import Testing

@Suite("running a study") struct StudyRunnerTests {
  static let text = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    seeds: 3
    contexts: [1x, 2x]
    hold: none
    arms:
      none: {position: none}
      gated: {mlp: {gated: true, activation: silu, intermediate_size: 341}}
      slow: {train: {lr: 0.0005}}
      again: {}
    """

  /// Calls `body` with a folder that is removed afterwards.
  private func withFolder(_ body: (StudyFolder) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(StudyFolder(path: path))
  }

  private func everything(of plan: StudyPlan, in folder: StudyFolder) -> String {
    let report = StudyReport(plan, in: folder, includesTimes: false)
    return report.json.serialized(pretty: true) + report.markdown
  }

  @Test("each task is run once, and what is finished is never repeated") func once() throws {
    try withFolder { folder in
      var count = 0
      let trainer = FakeTrainer(began: { _ in count += 1 })
      let plan = try Studies.plan(Self.text, trainer)
      let runner = StudyRunner(plan, in: folder, trainer: trainer)
      #expect(try runner.run { _ in true })
      #expect(count == 4 * 3, "of five arms, two are the same model and share their runs")
      #expect(try runner.run { _ in true })
      #expect(count == 12)
    }
  }

  @Test("a study that is stopped, run twice, out of order, and robbed of results gives the same report")
  func anyhow() throws {
    let plan = try Studies.plan(Self.text)
    var straight = ""
    try withFolder { folder in
      let isComplete = try StudyRunner(plan, in: folder, trainer: FakeTrainer()).run { _ in true }
      #expect(isComplete)
      straight = everything(of: plan, in: folder)
    }
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20 {
      try withFolder { folder in
        let runner = StudyRunner(plan, in: folder, trainer: FakeTrainer())
        for _ in 0..<4 {
          var left = Int.random(in: 1...60, using: &generator)
          _ = try runner.run(plan.tasks.shuffled()) { _ in
            left -= 1
            return left > 0
          }
        }
        // Half-written, of another task, empty, gone.
        let outcomes = try namesInFolder(folder.path + "/tasks").map { "\(folder.path)/tasks/\($0)/outcome.json" }
        for (index, path) in outcomes.filter({ FileManager.default.fileExists(atPath: $0) }).shuffled().enumerated() {
          let url = URL(fileURLWithPath: path)
          let bytes = try Data(contentsOf: url)
          switch index {
          case 0: try bytes.prefix(bytes.count / 2).write(to: url)
          case 1:
            try Data(String(decoding: bytes, as: UTF8.self).replacing("\"key\": \"", with: "\"key\": \"0").utf8).write(
              to: url)
          case 2: try Data().write(to: url)
          case 3: try FileManager.default.removeItem(at: url)
          default: break
          }
        }
        for task in plan.tasks.reversed() { #expect(try runner.run([task]) { _ in true }) }
        for task in plan.tasks.shuffled() { #expect(try runner.run([task]) { _ in true }) }
        #expect(everything(of: plan, in: folder) == straight)
      }
    }
  }

  @Test("a task that another process has is waited for") func locked() throws {
    try withFolder { folder in
      let plan = try Studies.plan(Self.text)
      try makeFolder("\(folder.path)/tasks/\(plan.tasks[0].key)")
      var lock = try FileLock(path: "\(folder.path)/tasks/\(plan.tasks[0].key)/lock")
      #expect(lock != nil)
      var waited = 0
      let finished = try StudyRunner(plan, in: folder, trainer: FakeTrainer()).run { event in
        if case .waiting = event {
          waited += 1
          lock = nil
        }
        return true
      }
      #expect(finished && waited == 1)
      #expect(StudyReport(plan, in: folder).isComplete)
    }
  }

  @Test("a folder holds all that its tasks need: the study can be planned again from it, to the same keys")
  func selfContained() throws {
    try withFolder { folder in
      let plan = try Studies.plan(Self.text)
      try folder.begin(YAMLReader(source: "study.yaml").read(Self.text), plan)
      var reader = StudyReader(try folder.tree(), folder: folder.path)
      let again = try Studies.planner().plan(reader.read())
      // The data is named beside the file now, so its fingerprint is another with this trainer.
      #expect(again.arms.map(\.parameterCount) == plan.arms.map(\.parameterCount))
      #expect(again.arms.map(\.name) == plan.arms.map(\.name))
      #expect(again.study.base == folder.path + "/base.yaml")
    }
  }

  // MARK: The report

  private func report(_ text: String, _ change: (StudyTask, StudyPlan, TaskResult) -> TaskResult = { $2 }) throws
    -> StudyReport
  {
    let plan = try Studies.plan(text)
    return StudyReport(plan) { task in
      let arm = plan.arms[task.arm]
      let outcome = try? FakeTrainer().train(
        arm, of: plan.study, seed: task.runSeed, contexts: plan.contexts(of: arm), in: ""
      ) { _ in true }
      return outcome.map { TaskOutcome(change(task, plan, $0.result), $0.times) }
    }
  }

  @Test("an arm with half the rate is found, one that is the baseline over again is not") func verdicts() throws {
    let report = try report(Self.text)
    let verdicts = Dictionary(uniqueKeysWithValues: report.rows.map { ($0.arm.name, $0.comparison?.verdict) })
    #expect(verdicts["slow"] == .worse && verdicts["again"] == .notDistinguishable)
    #expect(report.headline.hasPrefix("Against baseline: ") && report.headline.contains("worse: "))
    #expect(report.notes[0].hasPrefix("Noise floor: two runs of baseline"))
  }

  @Test("a length beyond a model's table cannot be evaluated, which is no error") func lengths() throws {
    let report = try report(Self.text)
    #expect(report.contexts == [64, 128])
    #expect(report.rows[0].losses(at: 128) == nil && report.rows[0].losses(at: 64)?.count == 3)
    #expect(report.rows[1].losses(at: 128)?.count == 3)
    #expect(report.markdown.contains("| baseline | 2."))
    #expect(report.markdown.contains("cannot be evaluated"))
    #expect(report.json["arms"]?.array?[0]["runs"]?.array?[0]["contexts"]?.array?[1]["loss"]?.isNull == true)
  }

  @Test("fewer than three seeds, runs that diverged and runs that are missing are said to be so") func honest() throws {
    let few = try report(Self.text.replacing("seeds: 3", with: "seeds: 2"))
    #expect(few.rows.dropFirst().allSatisfy { $0.comparison?.verdict == .tooFewSeeds })
    #expect(few.headline.contains("too few seeds to say: none, gated, slow, again"))
    let diverged = try report(Self.text) { task, plan, result in
      guard plan.arms[task.arm].name == "gated", task.seed == 2 else { return result }
      return TaskResult(loss: .nan, curve: result.curve, contexts: [])
    }
    #expect(diverged.rows[2].comparison?.verdict == .diverged)
    #expect(diverged.markdown.contains("NaN"))
    let empty = StudyReport(try Studies.plan(Self.text)) { _ in nil }
    #expect(!empty.isComplete && empty.finishedCount == 0)
    #expect(empty.notes[0] == "0 of 15 runs are finished; the rest is missing here.")
    #expect(empty.markdown.contains("| baseline | – |"))
  }

  @Test("what is not matched is flagged with its size") func unmatched() throws {
    let report = try report(Self.text.replacing("hold: none", with: "hold: {params: 0.5%}"))
    #expect(report.rows[1].arm.isMatched == false, "a table of positions is one per cent of nano")
    #expect(report.notes.contains { $0.hasPrefix("Not matched in parameters: none (−1.0 %)") })
    #expect(report.markdown.contains("−0.98 %, not matched"))
  }

  // MARK: Clusters

  @Test("the scripts run every task of the folder") func scripts() throws {
    let plan = try Studies.plan(Self.text)
    let scripts = ClusterScripts(plan, folder: "/data/it's here", threads: 2, seconds: 1000)
    #expect(scripts.slurm.contains("#SBATCH --array=0-14\n") && scripts.slurm.contains("#SBATCH --time=34\n"))
    #expect(
      scripts.slurm.contains(#"chimera ablate run '/data/it'\''s here' --task "$SLURM_ARRAY_TASK_ID" --threads 2"#))
    let job = try YAMLReader(source: "job").read(scripts.kubernetes)
    #expect(job["spec"]?["completions"]?.integer == 15 && job["spec"]?["completionMode"]?.text == "Indexed")
    let container = job[path: "spec.template.spec.containers"]?.list?[0]
    #expect(
      container?["args"]?.list?[0].text
        == #"exec chimera ablate run '/data/it'\''s here' --task "$JOB_COMPLETION_INDEX" --threads 2"#)
  }
}
