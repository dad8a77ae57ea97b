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
  /// The true difference that would be found four times in five, in nats.
  public let smallestDetectable: Double?
  /// What can be said.
  public let verdict: Verdict
}

/// What the runs of one arm measured, as far as verdicts go by it.
public struct ArmLosses: Sendable {
  /// The loss that each run ended with, by seed; NaN where it diverged.
  public let runs: [Int: Double]
  /// The losses of the windows of the validation text, where nothing was trained.
  public let windows: [Double]

  /// These losses.
  public init(runs: [Int: Double], windows: [Double] = []) {
    self.runs = runs
    self.windows = windows
  }
}

/// The losses of a study's arms, and what can be said of them.
public struct StudyStatistics: Sendable {
  /// The baseline's losses that are numbers.
  public let baseline: Sample
  /// A comparison for each arm, in the order they were given.
  public let comparisons: [Comparison]
  /// How likely a study is to call any difference real that is not.
  public static let level = 0.05

  /// Compares each of `arms` with `baseline`: losses in nats by seed; a loss that is NaN is a run that diverged.
  public init(baseline: [Int: Double], arms: [[Int: Double]]) {
    self.init(baseline: ArmLosses(runs: baseline), arms: arms.map { ArmLosses(runs: $0) })
  }

  /// Compares each of `arms` with `baseline`: by the windows of the text where both have theirs, else by seeds.
  public init(baseline: ArmLosses, arms: [ArmLosses]) {
    let finite = baseline.runs.filter(\.value.isFinite)
    self.baseline = Sample(finite.sorted { $0.key < $1.key }.map(\.value))
    let differences = arms.map { arm in
      arm.windows.isEmpty || arm.windows.count != baseline.windows.count
        ? PairedDifference(arm: arm.runs.filter(\.value.isFinite), baseline: finite)
        : PairedDifference(armWindows: arm.windows, baselineWindows: baseline.windows)
    }
    let diverged = arms.map { $0.runs.values.contains { !$0.isFinite } }
    let tested = differences.indices.filter {
      !diverged[$0] && differences[$0].isTestable && differences[$0].probability != nil
    }
    let probabilities = tested.map { differences[$0].probability ?? 1 }
    let corrected = holmCorrected(probabilities)
    let levels = holmLevels(probabilities, level: Self.level)
    let mean = self.baseline.mean
    comparisons = differences.indices.map { index in
      let difference = differences[index]
      let place = tested.firstIndex(of: index)
      let verdict: Verdict
      if diverged[index] {
        verdict = .diverged
      } else if let place, let nats = difference.mean {
        verdict = probabilities[place] > levels[place] ? .notDistinguishable : nats < 0 ? .better : .worse
      } else {
        verdict = .tooFewSeeds
      }
      // What is not tested has the interval of what all tests together would leave it.
      let level = place.map { levels[$0] } ?? Self.level / Double(max(1, arms.count))
      let hasInterval = !difference.isWithoutChance && !diverged[index]
      return Comparison(
        difference: difference,
        percent: difference.mean.flatMap { nats in mean.map { nats / $0 * 100 } },
        halfWidth: hasInterval ? difference.halfWidth(level: level) : nil, confidence: 1 - level,
        uncorrectedHalfWidth: hasInterval ? difference.halfWidth(level: Self.level) : nil,
        correctedProbability: place.map { corrected[$0] },
        smallestDetectable: place.flatMap { _ in
          difference.smallestDetectable(comparisons: tested.count, level: Self.level)
        },
        verdict: verdict)
    }
  }

  /// Between what the difference of two runs of the baseline lies that differ in nothing but the seed, 95 times in 100,
  /// in nats: the noise floor, below which comparing single runs says nothing.
  ///
  ///     t(0.05, n − 1) · s · √2
  ///
  /// Nil of fewer than two runs, and where seeds change nothing.
  public var noiseFloor: Double? {
    guard let deviation = baseline.standardDeviation, deviation > 0 else { return nil }
    return StudentT(degreesOfFreedom: baseline.count - 1).critical(0.05) * deviation * 2.0.squareRoot()
  }
}
