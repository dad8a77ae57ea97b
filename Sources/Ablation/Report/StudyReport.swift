import Files

/// What a study found: for each arm the losses of its seeds, compared with the baseline.
public struct StudyReport: Sendable {
  /// The study.
  public let plan: StudyPlan
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
    self.init(plan, includesTimes: includesTimes) { folder.outcome(of: $0) }
  }

  /// The report of `plan` from the outcomes that `outcome` knows.
  public init(_ plan: StudyPlan, includesTimes: Bool = true, outcome: (StudyTask) -> TaskOutcome?) {
    self.plan = plan
    self.includesTimes = includesTimes
    var found = plan.arms.map { _ in [(seed: Int, outcome: TaskOutcome)]() }
    for task in plan.tasks {
      if let outcome = outcome(task) { found[task.arm].append((task.seed, outcome)) }
    }
    finishedCount = found.reduce(0) { $0 + $1.count }
    let losses = found.map { runs in
      Dictionary(runs.map { ($0.seed, $0.outcome.result.loss) }) { first, _ in first }
    }
    let statistics = StudyStatistics(baseline: losses[0], arms: Array(losses.dropFirst()))
    self.statistics = statistics
    rows = plan.arms.indices.map { index in
      Row(
        arm: plan.arms[index], outcomes: found[index], comparison: index == 0 ? nil : statistics.comparisons[index - 1])
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
