import Components
import Files
import Specification

/// A study ready to run: its arms composed, and a task for each arm and seed.
public struct StudyPlan: Sendable {
  /// The question.
  public let study: Study
  /// The arms, the baseline first.
  public let arms: [PlannedArm]
  /// What the data is, as the trainer fingerprints it.
  public let dataFingerprint: String
  /// The tasks that are known before anything is measured: one for each arm and seed, and one for each value of a tuned
  /// setting with the first seed. All arms of a seed stand together, so that a study that is stopped early has whole
  /// comparisons. See `tasks(knowing:)`.
  public private(set) var tasks: [StudyTask]
  /// The values of the tuned setting that may be tried, for each arm; empty without one.
  public let candidates: [[Candidate]]
  /// The arms as each probe of the study trains them: with its vocabulary and its length.
  public let probes: [[PlannedArm]]
  /// The questions that trained arms are asked.
  public let benchmarks: [Benchmark]
  /// What the study asks beside how arms compare with the baseline.
  public let contrasts: [Contrast]
  /// The study at other sizes than the base's, ascending; empty without a ladder.
  public private(set) var rungs: [Rung] = []

  /// The study at another size.
  public struct Rung: Sendable {
    /// What the base's width is multiplied by.
    public let factor: Double
    /// The study there, its arms in the order of the base's size.
    public let plan: StudyPlan
  }

  /// An arm with another value of the tuned setting.
  public struct Candidate: Sendable {
    /// What the shared value is multiplied by.
    public let factor: Double
    /// The value.
    public let value: Double
    /// The arm with it.
    public let arm: PlannedArm
  }
  /// Whether nothing is trained: every arm is evaluated once as it is.
  public let isEvaluation: Bool
  /// The seeds that are run: those of the study, or one where nothing is trained.
  public let seeds: [Int]

  init(
    study: Study, arms: [PlannedArm], candidates: [[Candidate]] = [], probes: [[PlannedArm]] = [],
    benchmarks: [Benchmark] = [], dataFingerprint: String
  ) {
    self.study = study
    self.probes = probes
    self.benchmarks = benchmarks
    self.arms = arms
    self.candidates = candidates
    self.dataFingerprint = dataFingerprint
    contrasts = study.design.contrasts(arms.map(\.coordinates))
    // Where nothing is trained, seeds change nothing.
    isEvaluation = arms.allSatisfy { $0.training.tokens == 0 }
    seeds = isEvaluation ? Array(study.seeds.prefix(1)) : study.seeds
    let maker = TaskMaker(study, arms, candidates, dataFingerprint, benchmarks)
    let first = isEvaluation ? seeds : Array(seeds.prefix(study.schedule?.looks[0] ?? seeds.count))
    var tasks: [StudyTask] = []
    for seed in first {
      for arm in arms.indices { tasks.append(maker.task(arm, seed: seed, factor: nil, index: tasks.count)) }
    }
    for factor in study.tuning?.factors ?? [] where factor != 1 && !isEvaluation {
      for arm in candidates.indices where candidates[arm].contains(where: { $0.factor == factor }) {
        tasks.append(maker.task(arm, seed: seeds[0], factor: factor, index: tasks.count))
      }
    }
    for seed in first where !isEvaluation {
      for arm in probes.indices {
        for probe in study.probes.indices {
          tasks.append(maker.probe(study.probes[probe].probe, probes[arm][probe], arm, seed: seed, index: tasks.count))
        }
      }
    }
    self.tasks = tasks
  }

  /// The same study at the sizes of `rungs` too; their tasks come after its own.
  func with(rungs: [Rung]) -> StudyPlan {
    var plan = self
    plan.rungs = rungs
    for (place, rung) in rungs.enumerated() {
      plan.tasks += rung.plan.tasks.map { $0.moved(to: 0, rung: place) }
    }
    plan.tasks = plan.tasks.enumerated().map { $0.element.moved(to: $0.offset, rung: $0.element.rung) }
    return plan
  }

  /// The study at the size of `task`.
  public func sized(for task: StudyTask) -> StudyPlan { task.rung.map { rungs[$0].plan } ?? self }

  /// What a person calls `task`: `task 3 (rope, seed 2)`, `task 40 (rope, lr ×2, seed 1)`.
  public func name(of task: StudyTask) -> String {
    "task \(task.index) (\(runName(of: task)), seed \(task.seed))"
  }

  /// The arm of `task` and what is tuned in it: `rope, lr ×2`.
  public func runName(of task: StudyTask) -> String {
    if let rung = task.rung {
      return
        "\(rungs[rung].plan.runName(of: task.moved(to: task.index, rung: nil))), size \(Tuning.words(rungs[rung].factor))"
    }
    if let probe = task.probe { return "\(arms[task.arm].name), probe \(probe.rawValue)" }
    guard let factor = task.factor, let tuning = study.tuning else { return arms[task.arm].name }
    return "\(arms[task.arm].name), \(tuning.key) \(Tuning.words(factor))"
  }

  /// The arm as `task` trains it.
  public func arm(of task: StudyTask) -> PlannedArm {
    if let rung = task.rung { return rungs[rung].plan.arm(of: task.moved(to: task.index, rung: nil)) }
    if let kind = task.probe, let place = study.probes.firstIndex(where: { $0.probe.kind == kind }) {
      return probes[task.arm][place]
    }
    guard let factor = task.factor else { return arms[task.arm] }
    return candidates[task.arm].first { $0.factor == factor }?.arm ?? arms[task.arm]
  }

  /// The baseline.
  public var baseline: PlannedArm { arms[0] }

  /// One name for everything that decides the results.
  public var fingerprint: String {
    var hash = SHA256()
    hash.update(tasks.map(\.key).joined(separator: "\n"))
    return String(hash.hexadecimal().prefix(16))
  }

  /// The lengths that `arm` is evaluated at besides the trained one, in tokens, ascending.
  public func contexts(of arm: PlannedArm) -> [Int] {
    Set(study.contexts.map { $0.tokens(trainedAt: arm.training.context) }).sorted()
  }
}

/// One run: an arm with a seed.
public struct StudyTask: Sendable, Hashable {
  /// Its number in the study, from 0 on.
  public let index: Int
  /// The arm's place among the plan's arms.
  public let arm: Int
  /// The seed as the study lists it.
  public let seed: Int
  /// The seed of the run itself.
  public let runSeed: Int
  /// What the tuned setting's shared value is multiplied by; nil where it is the shared one.
  public let factor: Double?
  /// The probe that it trains; nil where it trains on the study's data.
  public let probe: Probe.Kind?
  /// What names its result: a digest of everything that decides it.
  public let key: String
  /// The place of its size among the plan's rungs; nil of the base's.
  public private(set) var rung: Int? = nil

  init(index: Int, arm: Int, seed: Int, runSeed: Int, factor: Double?, probe: Probe.Kind?, key: String) {
    (self.index, self.arm, self.seed, self.runSeed) = (index, arm, seed, runSeed)
    (self.factor, self.probe, self.key) = (factor, probe, key)
  }

  /// The same task at another place of a study, of another size.
  func moved(to index: Int, rung: Int?) -> StudyTask {
    var task = StudyTask(
      index: index, arm: arm, seed: seed, runSeed: runSeed, factor: factor, probe: probe, key: key)
    task.rung = rung
    return task
  }

  /// The digest of a run of a probe: its data follows from its kind, its size and the seed.
  static func key(_ arm: PlannedArm, seed: Int, probe: Probe) -> String {
    var hash = SHA256()
    hash.update("chimera ablation probe 1\n")
    hash.update(YAMLWriter().write(arm.architecture.decisive))
    for entry in arm.training.settings { hash.update("\(entry.key)=\(entry.value)\n") }
    hash.update("probe=\(probe.name) \(probe.size)\nseed=\(seed)\n")
    return String(hash.hexadecimal().prefix(24))
  }

  /// The digest of the resolved specification, the training settings, the data, the lengths evaluated and the seed.
  ///
  /// Names and facts have no part in it: two arms that compose the same model share their results.
  static func key(
    _ arm: PlannedArm, seed: Int, data: String, contexts: [Int], benchmarks: [Benchmark] = []
  ) -> String {
    var hash = SHA256()
    hash.update("chimera ablation task 1\n")
    hash.update(YAMLWriter().write(arm.architecture.decisive))
    for entry in arm.training.settings { hash.update("\(entry.key)=\(entry.value)\n") }
    hash.update("data=\(data)\ncontexts=\(contexts.map(String.init).joined(separator: ","))\nseed=\(seed)\n")
    for benchmark in benchmarks { hash.update("task=\(benchmark.name) \(benchmark.fingerprint)\n") }
    return String(hash.hexadecimal().prefix(24))
  }
}

extension Architecture {
  /// The part of the resolved specification that decides what a run computes; a component's name alone is written as
  /// the group that it stands for.
  var decisive: Setting {
    let indecisive = ["name", "facts", "expected_params", "checkpoint", "config", "gguf", "chat"]
    let entries = (resolved.entries ?? []).filter { !indecisive.contains($0.key) }
    return Setting(
      .group(entries.map { Setting.Entry($0.key, Slot(rawValue: $0.key) == nil ? $0.value : $0.value.asComponent) }))
  }
}
