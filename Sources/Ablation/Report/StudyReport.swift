import Files

/// What a study found: for each arm the losses of its seeds, compared with the baseline.
public struct StudyReport: Sendable {
  /// The study.
  public let plan: StudyPlan
  /// The path of the study's folder.
  let folder: String
  /// What was measured for each arm, in the plan's order.
  public let rows: [Row]
  /// The statistics, with a comparison for each arm but the baseline.
  public let statistics: StudyStatistics
  /// What the probes found.
  public let probes: [ProbeFinding]
  /// What the questions found.
  public let benchmarks: [BenchmarkFinding]
  /// What was found within several budgets; empty where there are none.
  public let budgets: [BudgetFinding]
  /// What was found over several sizes; nil without a ladder.
  public let ladder: LadderFinding?
  /// Every task that follows from what is known.
  public let tasks: [StudyTask]
  /// Tasks with an outcome.
  public let finishedCount: Int
  /// Every task with an outcome, and what trained it where.
  let finished: [(task: StudyTask, times: TaskTimes)]
  /// Whether times are part of the report; without them it is the same whenever the same numbers were measured.
  public let includesTimes: Bool

  /// Whether the study is running, so that the page is read anew now and then.
  public var isLive = false

  /// When it was written, and by which version; nil where times are left out.
  public let origin: Origin?

  /// What wrote a report, and when.
  public struct Origin: Sendable {
    /// The program's version.
    public let version: String
    /// The day, as ISO 8601 writes it.
    public let date: String

    /// A report of `version` on `date`.
    public init(version: String, date: String) {
      self.version = version
      self.date = date
    }
  }

  /// What the study asks beside how arms compare with the baseline, and what came of it.
  public let effects: [Effect]

  /// What a design asks, and what came of it.
  public struct Effect: Sendable {
    /// What is asked.
    public let contrast: Contrast
    /// What came of it: of arms each at its own best where a setting is tuned and all of them are known.
    public let comparison: Comparison
    /// What came of it at the shared setting, where that is another question.
    public let shared: Comparison?
  }

  /// One arm.
  public struct Row: Sendable {
    /// The arm.
    public let arm: PlannedArm
    /// What its runs measured, by seed, in the study's order of seeds.
    public let outcomes: [(seed: Int, outcome: TaskOutcome)]
    /// Runs that ended without measuring anything, by seed, and why.
    public let failures: [(seed: Int, reason: String)]
    /// How it stands to the baseline; nil for the baseline itself.
    public let comparison: Comparison?
    /// Its own best of what is tuned; nil where nothing is, and while nothing is known of it.
    public let tuned: TunedArm?

    /// The losses that are numbers.
    public var losses: Sample { Sample(outcomes.map(\.outcome.result.loss).filter(\.isFinite)) }
    /// Tokens a second, mean over the runs; nil where nothing was trained.
    public var tokensPerSecond: Double? { Sample(outcomes.map(\.outcome.times.tokensPerSecond).filter { $0 > 0 }).mean }
    /// Seconds of training, mean over the runs.
    public var seconds: Double? { Sample(outcomes.map(\.outcome.times.seconds)).mean }

    /// The losses at `context` tokens, by seed; empty when it was not evaluated, nil when it cannot be.
    public func losses(at context: Int) -> Sample? {
      let found = outcomes.flatMap { $0.outcome.result.contexts.filter { $0.context == context } }
      return found.contains { $0.loss == nil } ? nil : Sample(found.compactMap(\.loss).filter(\.isFinite))
    }
  }

  /// The report of `plan` from what `folder` holds.
  public init(_ plan: StudyPlan, in folder: StudyFolder, includesTimes: Bool = true, origin: Origin? = nil) {
    self.init(
      plan, in: folder.path, includesTimes: includesTimes, origin: origin, failure: { folder.failure(of: $0) },
      outcome: { folder.outcome(of: $0) })
  }

  /// The report of `plan`, which is in `folder`, from the outcomes that `outcome` knows, and the reasons that `failure`
  /// knows for those that are not there.
  public init(
    _ plan: StudyPlan, in folder: String = ".", includesTimes: Bool = true, origin: Origin? = nil,
    failure: (StudyTask) -> String? = { _ in nil }, outcome: (StudyTask) -> TaskOutcome?
  ) {
    self.plan = plan
    self.folder = folder
    self.includesTimes = includesTimes
    self.origin = includesTimes ? origin : nil
    var found = plan.arms.map { _ in [(seed: Int, outcome: TaskOutcome)]() }
    var failed = plan.arms.map { _ in [(seed: Int, reason: String)]() }
    var rates = plan.arms.map { _ in [Double: [Int: Double]]() }
    var ends = plan.arms.map { _ in [Double: [Int: [Double]]]() }
    // By key, for arms may share runs, and what follows asks for the same ones again.
    var known: [String: StudyPlan.TaskState] = [:]
    func state(_ task: StudyTask) -> StudyPlan.TaskState {
      if let state = known[task.key] { return state }
      let state: StudyPlan.TaskState =
        outcome(task).map { .measured($0.result.loss) } ?? (failure(task) == nil ? .open : .failed)
      known[task.key] = state
      return state
    }
    tasks = plan.tasks(knowing: state)
    var finished: [(task: StudyTask, times: TaskTimes)] = []
    var answers: [Probe.Kind: [[Int: Double]]] = [:]
    var scores: [String: [[Int: BenchmarkScore]]] = [:]
    for task in tasks {
      if let outcome = outcome(task) {
        finished.append((task, outcome.times))
        if task.rung != nil { continue }
        if let kind = task.probe {
          answers[kind, default: plan.arms.map { _ in [:] }][task.arm][task.seed] =
            outcome.result.loss.isFinite ? outcome.result.accuracy ?? .nan : .nan
          continue
        }
        if task.factor == nil {
          found[task.arm].append((task.seed, outcome))
          for score in outcome.result.benchmarks {
            scores[score.name, default: plan.arms.map { _ in [:] }][task.arm][task.seed] = score
          }
        }
        rates[task.arm][task.factor ?? 1, default: [:]][task.seed] = outcome.result.loss
        ends[task.arm][task.factor ?? 1, default: [:]][task.seed] =
          outcome.result.budgets.map(\.loss) + [outcome.result.loss]
      } else if let reason = failure(task) {
        failed[task.arm].append(
          (
            task.seed,
            task.factor == nil && task.probe == nil && task.rung == nil
              ? reason : "\(plan.runName(of: task)): \(reason)"
          ))
      }
    }
    self.finished = finished
    finishedCount = finished.count
    probes = ProbeFinding.all(
      plan.study.probes.map(\.probe).compactMap { probe in answers[probe.kind].map { (probe, $0) } })
    benchmarks = BenchmarkFinding.all(
      plan.benchmarks.compactMap { benchmark in scores[benchmark.name].map { (benchmark, $0) } })
    let tuned = plan.arms.indices.map { arm in
      plan.study.tuning.map { tuning in
        TunedArm(curve: plan.curve(of: arm, knowing: state), rates[arm], plan.candidates[arm], tuning)
      }
    }
    let bests = tuned.map { $0?.best.losses ?? [:] }
    let losses = zip(found, failed).map { runs, failures in
      ArmLosses(
        runs: Dictionary(runs.map { ($0.seed, $0.outcome.result.loss) }) { first, _ in first },
        windows: plan.isEvaluation ? runs.first?.outcome.result.windows ?? [] : [], hasFailed: !failures.isEmpty)
    }
    let sizes = plan.rungs.map { rung in
      LadderFinding.Size(
        factor: rung.factor,
        report: StudyReport(rung.plan, in: folder, includesTimes: includesTimes, failure: failure, outcome: outcome))
    }
    let ladder =
      sizes.isEmpty
      ? nil : LadderFinding(plan, zip(bests, losses).map { $0.isEmpty ? $1.runs : $0 }, sizes)
    let best = bests.dropFirst().map {
      $0.isEmpty ? nil : PairedDifference(arm: $0, baseline: bests[0])
    }
    let bestEffects = plan.contrasts.map { contrast in
      contrast.weights.keys.contains { bests[$0].isEmpty } ? nil : PairedDifference(contrast, bests)
    }
    let statistics = StudyStatistics(
      baseline: losses[0], arms: Array(losses.dropFirst()), contrasts: plan.contrasts,
      further: plan.study.tuning == nil && ladder == nil ? [] : best + bestEffects + (ladder?.tests ?? []),
      schedule: plan.isEvaluation ? nil : plan.study.schedule, seeds: plan.seeds)
    self.statistics = statistics
    self.ladder = ladder?.tested(Array(statistics.further.dropFirst(plan.arms.count - 1 + plan.contrasts.count)))
    effects = plan.contrasts.indices.map { index in
      let place = plan.arms.count - 1 + index
      let best = plan.study.tuning == nil ? nil : statistics.further[place]
      return Effect(
        contrast: plan.contrasts[index], comparison: best ?? statistics.effects[index],
        shared: best.map { _ in statistics.effects[index] })
    }
    let compared = statistics.comparisons.enumerated().map { index, comparison in
      statistics.further.isEmpty ? comparison : statistics.further[index] ?? comparison
    }
    budgets =
      plan.study.budget.map { budget in
        let measured = plan.arms.indices.map { arm -> [[Int: [Double]]] in
          let factors = tuned[arm]?.finalists.map(\.factor) ?? []
          return (factors.isEmpty ? [1] : factors).map { ends[arm][$0] ?? [:] }
        }
        return BudgetFinding.all(budget, measured, whole: compared)
      } ?? []
    rows = plan.arms.indices.map { index in
      Row(
        arm: plan.arms[index], outcomes: found[index], failures: failed[index],
        comparison: index == 0 ? nil : statistics.comparisons[index - 1],
        tuned: tuned[index].map {
          $0.compared(index == 0 || statistics.further.isEmpty ? nil : statistics.further[index - 1])
        })
    }
  }

  /// Whether every task has its outcome.
  public var isComplete: Bool { finishedCount == tasks.count }

  /// The names of the files that were trained on.
  public var dataNames: String {
    plan.study.data.map { $0.path.split(separator: "/").last.map(String.init) ?? $0.path }.joined(separator: ", ")
  }

  /// The machines that measured, each once.
  public var machines: [String] {
    var machines: [String] = []
    for row in rows {
      for run in row.outcomes where !machines.contains(run.outcome.times.machine) {
        machines.append(run.outcome.times.machine)
      }
    }
    return machines
  }

  /// The lengths that any arm was evaluated at, ascending.
  public var contexts: [Int] {
    Set(rows.flatMap { $0.outcomes.flatMap { $0.outcome.result.contexts.map(\.context) } }).sorted()
  }
}
