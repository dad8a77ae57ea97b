/// What a study found at several sizes.
public struct LadderFinding: Sendable {
  /// A size.
  public struct Size: Sendable {
    /// What the base's width is multiplied by.
    public let factor: Double
    /// The report of the study there.
    public let report: StudyReport
  }

  /// An arm over the sizes.
  public struct Arm: Sendable {
    /// FLOPs of a run and losses, size by size.
    public let line: LadderStatistics.Line
    /// The curve through the mean losses; nil where there is none.
    public let curve: PowerLaw?
    /// What it is beside the baseline; nil for the baseline.
    public let statistics: LadderStatistics?
    /// −ln of its compute multiplier at the largest size, tested; nil while it is not known.
    public internal(set) var multiplier: Comparison?
    /// How that changes with compute, tested; likewise.
    public internal(set) var trend: Comparison?
  }

  /// The sizes beside the base's, ascending.
  public let sizes: [Size]
  /// The arms, the baseline first.
  public internal(set) var arms: [Arm]

  /// The finding of `plan` from the losses of its own size, by arm and seed, and the reports of the other `sizes`.
  init(_ plan: StudyPlan, _ own: [[Int: Double]], _ sizes: [Size]) {
    self.sizes = sizes
    let below = sizes.filter { $0.factor < 1 }
    let above = sizes.filter { $0.factor >= 1 }
    let lines = plan.arms.indices.map { index in
      LadderStatistics.Line(
        compute: below.map { $0.report.plan.arms[index].trainingFlops } + [plan.arms[index].trainingFlops]
          + above.map { $0.report.plan.arms[index].trainingFlops },
        losses: below.map { $0.report.losses(of: index) } + [own[index]] + above.map { $0.report.losses(of: index) })
    }
    arms = lines.enumerated().map { index, line in
      let seeds = line.seeds
      let means = line.losses.map { losses in
        Sample(losses.filter { seeds.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value)).mean ?? .nan
      }
      return Arm(
        line: line, curve: PowerLaw(zip(line.compute, means).map { ($0, $1) }),
        statistics: index == 0 ? nil : LadderStatistics(line, lines[0]))
    }
  }

  /// What is tested with the study's other differences: each arm's multiplier at the largest size, then each arm's trend.
  var tests: [PairedDifference?] {
    let statistics = arms.dropFirst().map(\.statistics)
    return statistics.map { $0?.multipliers.last ?? nil } + statistics.map { $0?.trend }
  }

  /// The same with what came of `tests`.
  func tested(_ comparisons: [Comparison?]) -> LadderFinding {
    var finding = self
    let count = arms.count - 1
    guard comparisons.count == 2 * count else { return self }
    for index in 0..<count {
      finding.arms[index + 1].multiplier = comparisons[index]
      finding.arms[index + 1].trend = comparisons[count + index]
    }
    return finding
  }

  /// The factors of all sizes, ascending.
  public var factors: [Double] {
    sizes.filter { $0.factor < 1 }.map(\.factor) + [1] + sizes.filter { $0.factor >= 1 }.map(\.factor)
  }
}

extension StudyReport {
  /// The losses of the arm at `index` by seed: at its own best where something is tuned and that is known.
  func losses(of index: Int) -> [Int: Double] {
    if let best = rows[index].tuned?.best.losses, !best.isEmpty { return best }
    return Dictionary(rows[index].outcomes.map { ($0.seed, $0.outcome.result.loss) }) { first, _ in first }
  }
}
