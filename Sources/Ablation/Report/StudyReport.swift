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
  /// Tasks with an outcome.
  public let finishedCount: Int
  /// Whether times are part of the report; without them it is the same whenever the same numbers were measured.
  public let includesTimes: Bool

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
  public init(_ plan: StudyPlan, in folder: StudyFolder, includesTimes: Bool = true) {
    self.init(
      plan, in: folder.path, includesTimes: includesTimes, failure: { folder.failure(of: $0) },
      outcome: { folder.outcome(of: $0) })
  }

  /// The report of `plan`, which is in `folder`, from the outcomes that `outcome` knows, and the reasons that `failure`
  /// knows for those that are not there.
  public init(
    _ plan: StudyPlan, in folder: String = ".", includesTimes: Bool = true,
    failure: (StudyTask) -> String? = { _ in nil }, outcome: (StudyTask) -> TaskOutcome?
  ) {
    self.plan = plan
    self.folder = folder
    self.includesTimes = includesTimes
    var found = plan.arms.map { _ in [(seed: Int, outcome: TaskOutcome)]() }
    var failed = plan.arms.map { _ in [(seed: Int, reason: String)]() }
    for task in plan.tasks {
      if let outcome = outcome(task) {
        found[task.arm].append((task.seed, outcome))
      } else if let reason = failure(task) {
        failed[task.arm].append((task.seed, reason))
      }
    }
    finishedCount = found.reduce(0) { $0 + $1.count }
    let losses = found.map { runs in
      ArmLosses(
        runs: Dictionary(runs.map { ($0.seed, $0.outcome.result.loss) }) { first, _ in first },
        windows: plan.isEvaluation ? runs.first?.outcome.result.windows ?? [] : [])
    }
    let statistics = StudyStatistics(baseline: losses[0], arms: Array(losses.dropFirst()))
    self.statistics = statistics
    rows = plan.arms.indices.map { index in
      Row(
        arm: plan.arms[index], outcomes: found[index], failures: failed[index],
        comparison: index == 0 ? nil : statistics.comparisons[index - 1])
    }
  }

  /// Whether every task has its outcome.
  public var isComplete: Bool { finishedCount == plan.tasks.count }

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
