import Ablation
import Foundation
import Testing

@Suite("statistics of a study") struct StudyStatisticsTests {
  static func losses(_ values: [Double]) -> [Int: Double] {
    Dictionary(uniqueKeysWithValues: values.enumerated().map { ($0.offset + 1, $0.element) })
  }

  // a = [2.01, 2.05, 1.98, 2.02]; b = [1.97, 2.00, 1.95, 1.985]
  // r = stats.ttest_rel(b, a); r.pvalue; r.confidence_interval(0.95); (np.array(b) - np.array(a)).mean()
  // stats.t.isf(0.025, 3) * np.std(a, ddof=1) * 2 ** 0.5
  @Test("a paired comparison is scipy's ttest_rel") func paired() throws {
    let statistics = StudyStatistics(
      baseline: Self.losses([2.01, 2.05, 1.98, 2.02]), arms: [Self.losses([1.97, 2.00, 1.95, 1.985])])
    let comparison = try #require(statistics.comparisons.first)
    #expect(abs(try #require(comparison.difference.mean) + 0.038749999999999896) < 1e-15)
    #expect(abs(try #require(comparison.correctedProbability) - 0.0028258144290545587) < 1e-13)
    #expect(abs(try #require(comparison.halfWidth) - (0.052337654418979834 - 0.025162345581019957) / 2) < 1e-13)
    #expect(abs(try #require(comparison.percent) + 0.038749999999999896 / 2.015 * 100) < 1e-12)
    #expect(abs(try #require(statistics.noiseFloor) - 0.1299228263625109) < 1e-13)
    #expect(comparison.verdict == .better)
  }

  // p = [0.01, 0.04, 0.03, 0.005, 0.5]: statsmodels' multipletests(p, method="holm") gives 0.04 0.09 0.09 0.025 0.5,
  // as does R's p.adjust(p, "holm").
  @Test("Holm's correction is R's") func holm() {
    let corrected = holmCorrected([0.01, 0.04, 0.03, 0.005, 0.5])
    for (found, expected) in zip(corrected, [0.04, 0.09, 0.09, 0.025, 0.5]) { #expect(abs(found - expected) < 1e-15) }
    #expect(holmCorrected([]).isEmpty)
    // By hand: 0.01/0.5 = 0.02; then 0.03/0.25 before 0.04/0.25, of 0.5 that is left: 0.06, and 0.04 of all that is left.
    let weighted = holmCorrected([0.01, 0.04, 0.03], weights: [0.5, 0.25, 0.25])
    #expect(zip(weighted, [0.02, 0.06, 0.06]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(weighted)")
    #expect(holmCorrected([0.9, 0.8]) == [1, 1])
  }

  @Test("fewer than three common seeds give no verdict") func few() {
    let baseline = Self.losses([2, 2.1, 2.2])
    let statistics = StudyStatistics(baseline: baseline, arms: [Self.losses([1, 1.1]), [:], [4: 1, 5: 1, 6: 1]])
    #expect(statistics.comparisons.map(\.verdict) == [.tooFewSeeds, .tooFewSeeds, .tooFewSeeds])
    #expect(statistics.comparisons[0].difference.mean == -1, "the difference is shown all the same")
  }

  @Test(
    "an arm equal to the baseline has no significant difference, and one that always differs by the same has")
  func constant() {
    let baseline = Self.losses([2, 2.5, 3])
    let statistics = StudyStatistics(baseline: baseline, arms: [baseline, Self.losses([2.5, 3, 3.5])])
    #expect(statistics.comparisons.map(\.verdict) == [.notDistinguishable, .worse])
  }

  @Test("a run that diverged is said to have, and takes no part in the correction") func diverged() {
    let baseline = Self.losses([2, 2.1, 2.2])
    let statistics = StudyStatistics(
      baseline: baseline, arms: [Self.losses([.nan, 3, 3]), Self.losses([2.51, 2.6, 2.69])])
    #expect(statistics.comparisons.map(\.verdict) == [.diverged, .worse])
    #expect(statistics.comparisons[1].correctedProbability == statistics.comparisons[1].difference.probability)
  }

  // MARK: Simulation

  /// Studies of four arms and a baseline: seeds move all arms of a study alike, and each run by itself.
  private static func study(seeds: Int, effects: [Double], noise: Double, _ normal: inout Normal) -> StudyStatistics {
    var baseline: [Int: Double] = [:]
    var arms = effects.map { _ in [Int: Double]() }
    for seed in 0..<seeds {
      let common = 0.02 * normal.next()
      baseline[seed] = 2 + common + noise * normal.next()
      // Arms need not be equally noisy.
      for (arm, effect) in effects.enumerated() {
        arms[arm][seed] = 2 + effect + common + noise * Double(1 + arm) * normal.next()
      }
    }
    return StudyStatistics(baseline: baseline, arms: arms)
  }

  @Test("without a true difference, at most one study in twenty finds any", arguments: [3, 5, 8])
  func falseVerdicts(seeds: Int) {
    var normal = Normal(seed: UInt64(seeds))
    let count = 4000
    let found = (0..<count).filter { _ in
      Self.study(seeds: seeds, effects: [0, 0, 0, 0], noise: 0.01, &normal).comparisons
        .contains { $0.verdict != .notDistinguishable }
    }.count
    // Three standard errors of a count with probability 1/20.
    let most = 0.05 + 3 * (0.05 * 0.95 / Double(count)).squareRoot()
    #expect(Double(found) / Double(count) < most, "\(found) of \(count)")
    #expect(Double(found) / Double(count) > 0.02, "and it is not silent: \(found) of \(count)")
  }

  @Test("with true differences elsewhere, an arm without one is called different in at most one study of twenty")
  func falseVerdictsBesideTrueOnes() {
    var normal = Normal(seed: 7)
    let count = 4000
    let found = (0..<count).filter { _ in
      Self.study(seeds: 3, effects: [0.5, 0, -0.5, 0], noise: 0.01, &normal).comparisons.enumerated()
        .contains { $0.offset % 2 == 1 && $0.element.verdict != .notDistinguishable }
    }.count
    #expect(
      Double(found) / Double(count) < 0.05 + 3 * (0.05 * 0.95 / Double(count)).squareRoot(), "\(found) of \(count)")
  }

  @Test("a planted difference of thirty times the noise is found with three seeds, and of four times with eight")
  func planted() {
    for (seeds, effect) in [(3, 0.3), (8, 0.04)] {
      var normal = Normal(seed: 11)
      let found = (0..<500).filter { _ in
        let first = Self.study(seeds: seeds, effects: [effect, 0, 0, 0], noise: 0.01, &normal).comparisons[0]
        return first.verdict == .worse
      }.count
      #expect(found > 450, "\(found) of 500 with \(seeds) seeds")
    }
  }

  @Test("the difference said to be detectable is found about four times in five")
  func detectable() throws {
    var normal = Normal(seed: 3)
    // The spread is known well from many seeds; then differences of that size are planted.
    let seeds = 10
    let spread = 0.01 * 2.0.squareRoot()
    let values = (0..<seeds).map { 0.0 + ($0 % 2 == 0 ? 1.0 : -1.0) * spread * (0.9).squareRoot() }
    let known = PairedDifference(arm: Self.losses(values), baseline: Self.losses(values.map { _ in 0 }))
    let size = try #require(known.smallestDetectable(comparisons: 1, level: 0.05))
    let found = (0..<2000).filter { _ in
      Self.study(seeds: seeds, effects: [size], noise: 0.01, &normal).comparisons[0].verdict == .worse
    }.count
    #expect((1500...1700).contains(found), "\(found) of 2000")
  }
}
