/// What can honestly be said of an arm against the baseline.
public enum Verdict: String, Sendable, CaseIterable {
  /// Its loss is lower, beyond what seeds explain.
  case better
  /// Its loss is higher, beyond what seeds explain.
  case worse
  /// Seeds explain the difference.
  case notDistinguishable = "no significant difference"
  /// Fewer than three seeds in common: nothing is known of what seeds explain.
  case tooFewSeeds = "too few seeds to say"
  /// At least one run ended in no number, so that there is no mean to compare.
  case diverged

  /// The fewest seeds that give a verdict.
  public static let fewestSeeds = 3
}

/// An arm compared with the baseline.
public struct Comparison: Sendable {
  /// The differences, seed by seed.
  public let difference: PairedDifference
  /// The mean difference in per cent of the baseline's mean loss.
  public let percent: Double?
  /// Half the width of the 95 % interval of the mean difference, in nats; not corrected for the number of arms.
  public let halfWidth: Double?
  /// The probability of the paired t test, corrected for the number of arms.
  public let correctedProbability: Double?
  /// The true difference that would be found four times in five, in nats.
  public let smallestDetectable: Double?
  /// What can be said.
  public let verdict: Verdict
}

/// The losses of a study's arms: for each arm, by seed, the loss that its run ended with.
public struct StudyStatistics: Sendable {
  /// The baseline's losses that are numbers.
  public let baseline: Sample
  /// A comparison for each arm, in the order they were given.
  public let comparisons: [Comparison]
  /// How likely a study is to call any difference real that is not.
  public static let level = 0.05

  /// Holds each of `arms` against `baseline`: losses in nats by seed; a loss that is no number is a run that diverged.
  public init(baseline: [Int: Double], arms: [[Int: Double]]) {
    let finite = baseline.filter(\.value.isFinite)
    self.baseline = Sample(finite.sorted { $0.key < $1.key }.map(\.value))
    let differences = arms.map { PairedDifference(arm: $0.filter(\.value.isFinite), baseline: finite) }
    let diverged = arms.map { $0.values.contains { !$0.isFinite } }
    let tested = differences.indices.filter {
      !diverged[$0] && differences[$0].sample.count >= Verdict.fewestSeeds && differences[$0].probability != nil
    }
    let corrected = holmCorrected(tested.map { differences[$0].probability ?? 1 })
    let mean = self.baseline.mean
    comparisons = differences.indices.map { index in
      let difference = differences[index]
      let place = tested.firstIndex(of: index)
      let verdict: Verdict
      if diverged[index] {
        verdict = .diverged
      } else if let place, let nats = difference.mean {
        verdict = corrected[place] > Self.level ? .notDistinguishable : nats < 0 ? .better : .worse
      } else {
        verdict = .tooFewSeeds
      }
      return Comparison(
        difference: difference,
        percent: difference.mean.flatMap { nats in mean.map { nats / $0 * 100 } },
        halfWidth: difference.sample.halfWidth(), correctedProbability: place.map { corrected[$0] },
        smallestDetectable: place.flatMap { _ in difference.smallestDetectable(comparisons: tested.count) },
        verdict: verdict)
    }
  }

  /// Between what the difference of two runs of the baseline lies that differ in nothing but the seed, 95 times in 100,
  /// in nats: the noise floor, below which comparing single runs says nothing.
  ///
  ///     t(0.05, n − 1) · s · √2
  public var noiseFloor: Double? {
    guard let deviation = baseline.standardDeviation else { return nil }
    return StudentT(degreesOfFreedom: baseline.count - 1).critical(0.05) * deviation * 2.0.squareRoot()
  }
}
