/// What an arm's loss is above the baseline's, pair by pair: below 0 is better.
///
/// Of **seeds**: the same seed gives both the same data in the same order, and the tensors they share the same initial
/// values, so what the seed does to both alike leaves the difference. The test on it is Student's paired t test: exact for
/// normal differences whatever their spread, and no arm's spread has a part in another's. (Pooling the spread over the
/// arms, as in Dunnett's test, would give more degrees of freedom, but takes all arms to be equally noisy; an arm that
/// hardly trains is not, and one that is the baseline over again has no noise at all.)
///
/// Of **windows** of the validation text, where nothing was trained and a seed changes nothing: what is left to chance is
/// the text, and the test is a paired bootstrap over its parts (see `PairedBootstrap`).
public struct PairedDifference: Sendable, Hashable {
  /// What the pairs are.
  public enum Basis: Sendable { case seeds, windows }

  /// What the pairs are.
  public let basis: Basis
  /// One difference in nats for each pair.
  public let sample: Sample
  /// Whether every seed gave both the same loss: then seeds say nothing of chance.
  public let isWithoutChance: Bool

  /// The differences `arm[seed] − baseline[seed]` over the seeds that both have.
  public init(arm: [Int: Double], baseline: [Int: Double]) {
    basis = .seeds
    let seeds = arm.keys.filter { baseline[$0] != nil }.sorted()
    sample = Sample(seeds.compactMap { seed in baseline[seed].flatMap { base in arm[seed].map { $0 - base } } })
    isWithoutChance =
      seeds.count > 1 && Set(seeds.compactMap { arm[$0] }).count == 1
      && Set(seeds.compactMap { baseline[$0] }).count == 1
  }

  /// The differences of the losses of `arm` and `baseline` over the same windows of a text, in its order.
  public init(armWindows arm: [Double], baselineWindows baseline: [Double]) {
    basis = .windows
    sample = PairedBootstrap.parts(zip(arm, baseline).map { $0 - $1 })
    isWithoutChance = false
  }

  /// Differences that are known already, one for each seed.
  init(values: [Double]) {
    basis = .seeds
    sample = Sample(values)
    isWithoutChance = values.count > 1 && Set(values).count == 1
  }

  /// The values of `contrast` over the seeds that all its arms have; `losses` are by arm, and by seed.
  public init(_ contrast: Contrast, _ losses: [[Int: Double]]) {
    basis = .seeds
    sample = Sample(contrast.values(losses))
    let parts = contrast.weights.keys.filter(losses.indices.contains).map { Set(losses[$0].values) }
    isWithoutChance = sample.count > 1 && parts.allSatisfy { $0.count == 1 }
  }

  /// The mean difference in nats; nil without a pair.
  public var mean: Double? { sample.mean }

  /// The fewest pairs that a verdict can be from.
  public var fewest: Int { basis == .seeds ? Verdict.fewestSeeds : Verdict.fewestWindows }

  /// Whether there is enough to test.
  public var isTestable: Bool { sample.count >= fewest && !isWithoutChance && (mean?.isFinite ?? false) }

  /// How often differences with a true mean of 0 would have a mean at least this far from it, for their own spread; nil
  /// of fewer than two.
  public var probability: Double? {
    guard let mean, let error = sample.standardError else { return nil }
    if mean == 0 { return 1 }
    switch basis {
    case .windows: return PairedBootstrap(sample).probability(mean)
    case .seeds:
      return error == 0 ? 0 : StudentT(degreesOfFreedom: sample.count - 1).twoSidedProbability(mean / error)
    }
  }

  /// How far on each side of the mean the true difference lies, `1 − level` times in 1; nil of fewer than two pairs.
  ///
  /// It leaves 0 out exactly where `probability` is below `level`.
  public func halfWidth(level: Double) -> Double? {
    guard sample.count > 1 else { return nil }
    switch basis {
    case .windows: return PairedBootstrap(sample).halfWidth(level: level)
    case .seeds: return sample.halfWidth(confidence: 1 - level)
    }
  }

  /// The true difference that this many pairs with this spread would find four times in five, in nats, when one test in
  /// `comparisons` is decided at `level` together. See `Power`.
  public func smallestDetectable(comparisons: Int, level: Double) -> Double? {
    guard let deviation = sample.standardDeviation, deviation > 0 else { return nil }
    return Power(spread: deviation, comparisons: comparisons, level: level).smallestDetectable(seeds: sample.count)
  }
}
