/// What an arm's loss is above the baseline's, seed by seed: below 0 is better.
///
/// The same seed gives both the same data in the same order, and the tensors they share the same initial values, so what
/// the seed does to both alike leaves the difference. The test on it is Student's paired t test: exact for normal
/// differences whatever their spread, and no arm's spread has a part in another's. (Pooling the spread over the arms, as
/// in Dunnett's test, would give more degrees of freedom, but takes all arms to be equally noisy; an arm that hardly
/// trains is not, and one that is the baseline over again has no noise at all.)
public struct PairedDifference: Sendable, Hashable {
  /// One difference in nats for each seed that both finished.
  public let sample: Sample

  /// The differences `arm[seed] − baseline[seed]` over the seeds that both have.
  public init(arm: [Int: Double], baseline: [Int: Double]) {
    let seeds = arm.keys.filter { baseline[$0] != nil }.sorted()
    sample = Sample(seeds.compactMap { seed in baseline[seed].flatMap { base in arm[seed].map { $0 - base } } })
  }

  /// The mean difference in nats; nil without a common seed.
  public var mean: Double? { sample.mean }

  /// How often differences with a true mean of 0 would have a mean at least this far from it, for their own spread; nil
  /// of fewer than two.
  public var probability: Double? {
    guard let mean = sample.mean, let error = sample.standardError else { return nil }
    if mean == 0 { return 1 }
    return error == 0 ? 0 : StudentT(degreesOfFreedom: sample.count - 1).twoSidedProbability(mean / error)
  }

  /// The true difference that this many seeds with this spread would find four times in five, in nats, when one test in
  /// `comparisons` is decided at `level` together.
  ///
  ///     (t(level / comparisons) + t₀.₈) · s / √n
  ///
  /// t₀.₈ is the one-sided 80 % point. It is the usual approximation by two central distributions.
  public func smallestDetectable(comparisons: Int, level: Double = 0.05) -> Double? {
    guard let error = sample.standardError, error > 0 else { return nil }
    let t = StudentT(degreesOfFreedom: sample.count - 1)
    return (t.critical(level / Double(max(1, comparisons))) + t.critical(0.4)) * error
  }
}
