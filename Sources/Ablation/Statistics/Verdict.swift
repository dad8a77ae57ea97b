/// What can honestly be said of an arm against the baseline.
public enum Verdict: String, Sendable, CaseIterable {
  /// Its loss is lower, beyond what chance explains.
  case better
  /// Its loss is higher, beyond what chance explains.
  case worse
  /// Chance explains the difference.
  case notDistinguishable = "no significant difference"
  /// Fewer than three seeds in common, or too short a text: nothing is known of what chance explains.
  case tooFewSeeds = "too few seeds to say"
  /// At least one run ended in NaN, so that there is no mean to compare.
  case diverged

  /// The fewest seeds that give a verdict.
  public static let fewestSeeds = 3
  /// The fewest parts of a text that give one: draws from fewer are too few to be unlike each other.
  public static let fewestWindows = 10
}

/// An arm compared with the baseline.
public struct Comparison: Sendable {
  /// The differences, pair by pair.
  public let difference: PairedDifference
  /// The mean difference in per cent of the baseline's mean loss.
  public let percent: Double?
  /// Half the width of the interval of the mean difference, in nats, at the confidence that the verdict was decided at:
  /// it leaves 0 out exactly where the verdict is better or worse.
  public let halfWidth: Double?
  /// How often such an interval holds the true difference: 0.95 for one comparison, more for each of several.
  public let confidence: Double
  /// Half the width of the 95 % interval, not corrected for the number of arms.
  public let uncorrectedHalfWidth: Double?
  /// The probability of the test, corrected for the number of arms.
  public let correctedProbability: Double?
  /// How many tests the study decides together.
  let tests: Int
  /// What can be said.
  public let verdict: Verdict
  /// Pairs that it was decided with, where looks were taken on the way; nil where there was one.
  public let decidedAt: Int?

  /// The true difference that would be found four times in five, in nats; nil of what cannot be tested.
  public var smallestDetectable: Double? {
    correctedProbability == nil ? nil : difference.smallestDetectable(comparisons: tests, level: StudyStatistics.level)
  }
}

/// What the runs of one arm measured, as far as verdicts go by it.
public struct ArmLosses: Sendable {
  /// The loss that each run ended with, by seed; NaN where it diverged.
  public let runs: [Int: Double]
  /// The losses of the windows of the validation text, where nothing was trained.
  public let windows: [Double]
  /// Whether a run ended without a loss, so that none is waited for.
  public let hasFailed: Bool

  /// These losses.
  public init(runs: [Int: Double], windows: [Double] = [], hasFailed: Bool = false) {
    self.runs = runs
    self.hasFailed = hasFailed
    self.windows = windows
  }
}
