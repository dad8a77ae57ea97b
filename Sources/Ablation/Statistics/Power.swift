/// What a study can see, told before it is run: from how much pairs stray in a pilot, or in an earlier study of the base.
public struct Power: Sendable, Hashable {
  /// The standard deviation of the differences of pairs, in nats.
  public let spread: Double
  /// Tests that are decided together at `level`.
  public let comparisons: Int
  /// How likely any of them is to call a difference real that is not.
  public let level: Double

  /// The power of `comparisons` tests at `level` together on pairs whose differences stray by `spread`.
  public init(spread: Double, comparisons: Int, level: Double = StudyStatistics.level) {
    self.spread = spread
    self.comparisons = max(1, comparisons)
    self.level = level
  }

  /// How often a true difference of `effect` nats is found with `seeds`, by the level that the first of all tests has,
  /// which is the least that Holm's correction leaves it.
  public func chance(of effect: Double, seeds: Int) -> Double {
    guard seeds > 1 else { return 0 }
    guard spread > 0 else { return effect == 0 ? 0 : 1 }
    let critical = StudentT(degreesOfFreedom: seeds - 1).critical(level / Double(comparisons))
    return NoncentralT(degreesOfFreedom: seeds - 1, noncentrality: abs(effect) / spread * Double(seeds).squareRoot())
      .twoSidedProbability(critical)
  }

  /// The smallest true difference, in nats, that `seeds` find four times in five; nil of fewer than two.
  public func smallestDetectable(seeds: Int, chance wanted: Double = 0.8) -> Double? {
    guard seeds > 1, spread > 0, spread.isFinite else { return nil }
    let critical = StudentT(degreesOfFreedom: seeds - 1).critical(level / Double(comparisons))
    func power(_ noncentrality: Double) -> Double {
      NoncentralT(degreesOfFreedom: seeds - 1, noncentrality: noncentrality).twoSidedProbability(critical)
    }
    var (low, high) = (0.0, 4.0)
    while power(high) < wanted, high < 1e6 { (low, high) = (high, high * 2) }
    for _ in 0..<30 {
      let middle = (low + high) / 2
      if power(middle) < wanted { low = middle } else { high = middle }
    }
    return high * spread / Double(seeds).squareRoot()
  }

  /// The fewest seeds, up to `limit`, that find a true difference of `effect` nats four times in five; nil where more are needed.
  public func seeds(for effect: Double, upTo limit: Int = 100) -> Int? {
    (2...max(2, limit)).first { chance(of: effect, seeds: $0) >= 0.8 }
  }

  /// The spread of pairs in `losses`, the baseline's first, by seed: of the arms together, each around its own mean. The
  /// median, for an arm that hardly trains is noisier than all that may be asked of others. Nil of fewer than two pairs.
  public static func spread(of losses: [[Int: Double]]) -> Double? {
    guard let baseline = losses.first else { return nil }
    let spreads = losses.dropFirst().compactMap { arm in
      PairedDifference(arm: arm.filter(\.value.isFinite), baseline: baseline.filter(\.value.isFinite)).sample
        .standardDeviation
    }.filter { $0 > 0 }.sorted()
    if !spreads.isEmpty { return spreads[spreads.count / 2] }
    // Of the baseline alone: pairs that share nothing stray √2 times as far as one.
    return Sample(baseline.values.filter(\.isFinite).sorted()).standardDeviation.map { $0 * 2.0.squareRoot() }
  }
}
