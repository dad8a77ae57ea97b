import Ablation
import Composition
import Describing
import Files

/// What the tasks of a study that are left will take, by measured steps.
struct StudyCost {
  /// What a run of each arm takes that was measured, in the plan's order; nil for arms with nothing left to run.
  let runs: [RunEstimate?]
  /// Tasks that are left.
  let left: [StudyTask]
  private let plan: StudyPlan
  /// Tasks that follow from what is known.
  let known: [StudyTask]

  /// Measures every arm of which a task is left. An arm that cannot be measured is told to `failed`, and the others are.
  init(
    _ plan: StudyPlan, _ folder: StudyFolder, _ trainer: RunTrainer, began: (PlannedArm) -> Void,
    failed: (PlannedArm, String) -> Void
  ) {
    self.plan = plan
    var keys: Set<String> = []
    known = folder.tasks(of: plan)
    left = known.filter { folder.outcome(of: $0) == nil && keys.insert($0.key).inserted }
    let arms = Set(left.filter { $0.rung == nil }.map(\.arm))
    func measured(_ plan: StudyPlan, _ arms: Set<Int>) -> [RunEstimate?] {
      plan.arms.enumerated().map { index, arm in
        guard arms.contains(index), !StopSignals.came else { return nil }
        began(arm)
        do { return try trainer.estimate(arm, of: plan.study) } catch {
          failed(arm, StudyRunner.sentence(of: error))
          return nil
        }
      }
    }
    runs = measured(plan, arms)
    let own = left
    sizedRuns = plan.rungs.enumerated().map { place, rung in
      measured(rung.plan, Set(own.filter { $0.rung == place }.map(\.arm)))
    }
  }

  /// What a run of each arm takes at each of the ladder's other sizes; nil where nothing is left or it cannot be measured.
  private(set) var sizedRuns: [[RunEstimate?]] = []

  /// What is known of the power of the study, and from what.
  struct KnownPower {
    let power: Power
    /// The baseline's mean loss.
    let loss: Double
    let source: String
  }

  /// From the study's own runs so far, or from those of `pilot`.
  private(set) var power: KnownPower?

  /// Takes the power from the runs that are finished here, or from the results of another study.
  mutating func takePower(_ folder: StudyFolder, pilot: String?) throws {
    var losses = plan.arms.map { _ in [Int: Double]() }
    for task in known where task.factor == nil && task.probe == nil && task.rung == nil {
      if let loss = folder.outcome(of: task)?.result.loss, loss.isFinite { losses[task.arm][task.seed] = loss }
    }
    var source = "the runs so far"
    if let pilot {
      losses = try Pilot(pilot).losses
      source = "the study in \(pilot)"
    }
    // An arm's; where a design asks for contrasts, those have the other half of the level.
    let comparisons =
      (plan.arms.count - 1) * (plan.rungs.isEmpty ? 1 : 3) * (plan.contrasts.isEmpty ? 1 : 2)
    guard let spread = Power.spread(of: losses), spread > 0, let loss = Sample(losses[0].values.sorted()).mean else {
      if pilot != nil {
        throw Failure(.invalid, "the study in '\(pilot ?? "")' has no two seeds to tell a spread from")
      }
      return
    }
    power = KnownPower(power: Power(spread: spread, comparisons: comparisons), loss: loss, source: source)
  }

  /// Seconds that `task` will take.
  func seconds(of task: StudyTask) -> Double { seconds(of: task, \.seconds) }

  /// Seconds of the `part` of a run that `task` will take.
  private func seconds(of task: StudyTask, _ part: (RunEstimate) -> Double) -> Double {
    if let rung = task.rung { return sizedRuns[rung][task.arm].map(part) ?? 0 }
    let own = runs[task.arm].map(part) ?? 0
    guard task.probe != nil else { return own }
    // By tokens: a probe's model is the arm's with a smaller vocabulary.
    return own * Double(plan.arm(of: task).training.tokens) / Double(max(1, plan.arms[task.arm].training.tokens))
  }

  /// Whether a task of the arm at `index` is left.
  func isLeft(_ index: Int) -> Bool { left.contains { $0.arm == index && $0.rung == nil } }

  /// Seconds of all tasks that are left, one after the other.
  var total: Double { left.reduce(0) { $0 + seconds(of: $1) } }

  /// Seconds of all tasks that are left, with those that mostly follow from them.
  var expected: Double { expected(\.seconds) }

  /// Seconds of the `part` of all runs that are left, with those that mostly follow from them.
  func expected(_ part: (RunEstimate) -> Double) -> Double {
    left.reduce(0) { $0 + seconds(of: $1, part) } + further(part) * followingRuns
  }

  /// Runs of each arm that mostly follow from its first ones, where a setting is tuned: of the best two values one is new, or
  /// both are, with all seeds but the first; and every second arm has its best at an edge and tries a value beyond it. Two
  /// studies of three seeds, for which this is 3.5, ended with 3.75 and 3.6: norm's short form, and gpt2-to-llama.
  private var followingRuns: Double {
    guard plan.study.tuning != nil, known.count == plan.tasks.count, !plan.isEvaluation else { return 0 }
    return 1.5 * Double(max(0, plan.seeds.count - 1)) + 0.5
  }

  /// Seconds of the `part` of one more run of each arm at each size.
  private func further(_ part: (RunEstimate) -> Double) -> Double {
    (runs + sizedRuns.flatMap { $0 }).reduce(0) { $0 + ($1.map(part) ?? 0) }
  }

  /// Seconds of the longest task.
  var longestTask: Double? { (runs + sizedRuns.flatMap { $0 }).compactMap { $0?.seconds }.max() }

  /// Bytes of the largest task.
  var memory: Int { (plan.arms + plan.rungs.flatMap(\.plan.arms)).map(\.training.memory).max() ?? 0 }

  /// What may follow from these runs, in words; nil where nothing does.
  private var later: String? {
    if plan.isEvaluation { return nil }
    if followingRuns > 0 {
      let runs = Int(rounding: followingRuns * Double(plan.arms.count * (1 + plan.rungs.count)))
      let key = plan.study.tuning?.key ?? ""
      return
        "about \(runs) more runs, \(Wording.duration(further(\.seconds) * followingRuns)): the best two \(key) of each arm "
        + "with all seeds, and further ones where the best is at an edge"
    }
    if let schedule = plan.study.schedule, known.count == plan.tasks.count {
      return "more seeds, up to \(schedule.looks.last ?? 0), for arms that are not decided by then"
    }
    return nil
  }

  var sentence: String {
    let done = known.count - left.count
    if left.isEmpty { return "all \(known.count) runs are finished" }
    return
      "\(left.count) runs to go\(done > 0 ? ", \(done) finished" : "") · about \(Wording.duration(total)) one after the other "
      + "· up to \(Quantity.bytes(memory)) of memory" + (later.map { " · then \($0)" } ?? "")
  }
}

/// What another study measured, by its results.
private struct Pilot {
  /// The losses by arm, the baseline's first, and by seed.
  let losses: [[Int: Double]]

  init(_ folder: String) throws {
    let path = folder + "/results.json"
    guard kind(ofPath: path) == .file else {
      throw Failure(.notFound, "there are no results in '\(folder)'; chimera ablate merge \(folder) writes them")
    }
    let results = try JSONValue(contentsOf: path, limit: 64 << 20)
    guard let arms = results["arms"]?.array, !arms.isEmpty else {
      throw FileProblem(path: path, sentence: "it has no arms, so it is no study's results")
    }
    losses = arms.map { arm in
      Dictionary(
        (arm["runs"]?.array ?? []).compactMap { run in
          guard let seed = run["seed"]?.integer, let loss = run["loss"]?.number, loss.isFinite else { return nil }
          return (seed, loss)
        }
      ) { first, _ in first }
    }
  }
}
