import Ablation
import Foundation
import Testing

/// 1,000 studies of every kind with planted effects: what they report is held against what was planted.
///
/// A share of p over n studies strays by √(p (1 − p) / n), which for 5 % of 1,000 is 0.7 points: 6.5 % is two of them above.
@Suite("simulated studies") struct SimulatedStudyTests {
  private static let count = 1000
  private static let mostFalse = 0.065
  private static let coverage = 0.93...0.97
  private static let noise = 0.01

  /// Effects that are there, and as many that are not, with three to ten seeds; noise differs from arm to arm.
  @Test("one change at a time: false verdicts, power and intervals are as announced", arguments: [3, 5, 10])
  func oneAtATime(seeds: Int) throws {
    let noises = [1, 1, 1.5, 0.7, 2].map { $0 * Self.noise }
    // The arm with the effect has the noise of the baseline.
    let spread = Self.noise * 2.0.squareRoot()
    let power = Power(spread: spread, comparisons: 4)
    for share in [0.5, 0.8] {
      let effect = try #require(power.smallestDetectable(seeds: seeds, chance: share))
      #expect(abs(power.chance(of: effect, seeds: seeds) - share) < 1e-6)
      var tally = Tally()
      var simulator = StudySimulator(losses: [2, 2 - effect, 2, 2, 2], noise: noises, seed: UInt64(seeds))
      for _ in 0..<Self.count {
        let runs = simulator.study(seeds: seeds)
        tally.count(
          StudyStatistics(baseline: runs[0], arms: Array(runs.dropFirst())).comparisons, truths: [-effect, 0, 0, 0])
      }
      #expect(tally.falseShare <= Self.mostFalse, "\(tally)")
      #expect(abs(tally.power - share) <= 0.05, "announced \(share), \(tally)")
      #expect(Self.coverage.contains(tally.coverage) && tally.jointCoverage >= 0.93, "\(tally)")
    }
  }

  @Test("without any difference, a study of any design reports one in at most one of twenty")
  func nothing() {
    var tally = Tally()
    var simulator = StudySimulator(losses: [2, 2, 2, 2, 2], noise: [1, 1, 1, 1, 1].map { $0 * Self.noise }, seed: 99)
    for _ in 0..<Self.count {
      let runs = simulator.study(seeds: 5)
      tally.count(
        StudyStatistics(baseline: runs[0], arms: Array(runs.dropFirst())).comparisons, truths: [0, 0, 0, 0])
    }
    #expect(tally.falseShare <= Self.mostFalse && tally.falseShare > 0.01, "\(tally)")
  }

  // MARK: Grids

  /// Two values of a by three of b: a = 1 has −0.05 everywhere, b = 2 has 0.04, and a = 1 with b = 1 interact by −0.06.
  @Test("a grid: main effects and interactions are those that were planted", arguments: [4, 8])
  func grid(seeds: Int) {
    let design = GridDesign(factors: ["a", "b"], levels: [["0", "1"], ["0", "1", "2"]])
    var cells: [[Int]: Int] = [:]
    for a in 0..<2 { for b in 0..<3 { cells[[a, b]] = a * 3 + b } }
    let contrasts = design.contrasts(cells: cells, reference: [0, 0])
    #expect(contrasts.map(\.name) == ["a=1", "b=1", "b=2", "a=1 × b=1", "a=1 × b=2"])
    let losses = [2, 2, 2.04, 1.95, 1.89, 1.99]
    // −0.05 and a third of −0.06; half of −0.06; 0.04; the interactions themselves.
    let truths = [-0.07, -0.03, 0.04, -0.06, 0]
    let arms = losses.dropFirst().map { $0 - 2 }
    for (contrast, truth) in zip(contrasts, truths) {
      let value = contrast.weights.reduce(0.0) { $0 + $1.value * losses[$1.key] }
      #expect(abs(value - truth) < 1e-12, "\(contrast.name)")
    }
    var tally = Tally()
    var simulator = StudySimulator(
      losses: losses, noise: [1, 2, 1, 1, 1.5, 1].map { $0 * Self.noise }, seed: UInt64(seeds))
    for _ in 0..<Self.count {
      let runs = simulator.study(seeds: seeds)
      let found = StudyStatistics(
        baseline: ArmLosses(runs: runs[0]), arms: runs.dropFirst().map { ArmLosses(runs: $0) }, contrasts: contrasts)
      tally.count(found.comparisons + found.effects, truths: arms.map { abs($0) < 1e-12 ? 0 : $0 } + truths)
    }
    #expect(tally.falseShare <= Self.mostFalse, "\(tally)")
    #expect(Self.coverage.contains(tally.coverage), "\(tally)")
    if seeds == 8 { #expect(tally.power > 0.8, "\(tally)") }
  }

  @Test("a grid without effects reports any in at most one study of twenty, and the power of one is as announced")
  func gridPower() throws {
    let design = GridDesign(factors: ["a", "b", "c"], levels: [["0", "1"], ["0", "1"], ["0", "1"]])
    var cells: [[Int]: Int] = [:]
    for index in 0..<8 { cells[[index / 4, index / 2 % 2, index % 2]] = index }
    let contrasts = design.contrasts(cells: cells, reference: [0, 0, 0])
    #expect(contrasts.count == 6)
    // A main effect is a mean of four runs less one of four: its pairs stray by noise · √(8/16).
    // The six contrasts have half of the level.
    let power = Power(spread: Self.noise * 0.5.squareRoot(), comparisons: 2 * 6)
    let effect = try #require(power.smallestDetectable(seeds: 5))
    for planted in [0, effect] {
      var tally = Tally()
      var mains = Tally()
      let losses = (0..<8).map { 2 + ($0 >= 4 ? planted : 0) }
      var simulator = StudySimulator(losses: losses, noise: losses.map { _ in Self.noise }, seed: 5)
      for _ in 0..<Self.count {
        let runs = simulator.study(seeds: 5)
        let found = StudyStatistics(
          baseline: ArmLosses(runs: runs[0]), arms: runs.dropFirst().map { ArmLosses(runs: $0) }, contrasts: contrasts)
        tally.count(
          found.comparisons + found.effects,
          truths: losses.dropFirst().map { $0 - 2 } + [planted, 0, 0, 0, 0, 0])
        mains.count([found.effects[0]], truths: [planted])
      }
      #expect(tally.falseShare <= Self.mostFalse, "\(tally)")
      #expect(Self.coverage.contains(tally.coverage), "\(tally)")
      // Arms with the effect are found now and then and leave it a little more than the first level.
      if planted > 0 { #expect(abs(mains.power - 0.8) <= 0.05, "\(mains)") }
    }
  }

  // MARK: Fractions and paths

  @Test("a fraction finds the effects that the whole would, and says what it cannot tell apart")
  func fraction() throws {
    let design = try #require(FractionalDesign(count: 5, runs: 8))
    let arms = Dictionary(uniqueKeysWithValues: design.runs.enumerated().map { ($0.element, $0.offset) })
    let contrasts = design.contrasts(arms: arms) { "ABCDE".map(String.init)[$0] }
    let effects = [-0.06, 0, 0.05, 0, -0.04]
    let losses = design.runs.map { run in
      2 + effects.indices.reduce(0.0) { $0 + (run >> UInt32($1) & 1 == 1 ? effects[$1] : 0) }
    }
    let singles = Array(contrasts.filter { $0.kind == .main })
    #expect(singles.count == 5)
    for (contrast, effect) in zip(singles, effects) {
      #expect(abs(contrast.weights.reduce(0.0) { $0 + $1.value * losses[$1.key] } - effect) < 1e-12)
    }
    var tally = Tally()
    var simulator = StudySimulator(losses: losses, noise: losses.map { _ in Self.noise }, seed: 1)
    for _ in 0..<Self.count {
      let runs = simulator.study(seeds: 4)
      let found = StudyStatistics(
        baseline: ArmLosses(runs: runs[0]), arms: runs.dropFirst().map { ArmLosses(runs: $0) }, contrasts: singles)
      tally.count(found.effects, truths: effects)
    }
    #expect(tally.falseShare <= Self.mostFalse && Self.coverage.contains(tally.coverage), "\(tally)")
    #expect(tally.power > 0.7, "\(tally)")
  }

  @Test("a path's shares add up to the whole difference, and have intervals that hold them")
  func path() {
    for design in [PathDesign(count: 3), PathDesign(count: 4, orders: 8)] {
      let models = design.models
      let arms = Dictionary(uniqueKeysWithValues: models.enumerated().map { ($0.element, $0.offset) })
      let contrasts = design.contrasts(arms: arms) { "\($0)" }
      // The first two changes do the same thing, and the second of them to come does nothing more.
      let losses = models.map { set in
        2 - (set & 3 == 0 ? 0 : 0.08) + (set >> 2 & 1 == 1 ? 0.03 : 0)
      }
      let truths = contrasts.map { $0.weights.reduce(0.0) { $0 + $1.value * losses[$1.key] } }
      #expect(abs(truths.dropLast().reduce(0, +) - (losses[losses.count - 1] - losses[0])) < 1e-12)
      #expect(abs(truths[truths.count - 1] - (losses[losses.count - 1] - losses[0])) < 1e-12)
      #expect(abs(truths[0] + 0.04) < 1e-12 && abs(truths[1] + 0.04) < 1e-12 && abs(truths[2] - 0.03) < 1e-12)
      var tally = Tally()
      var simulator = StudySimulator(losses: losses, noise: losses.map { _ in Self.noise }, seed: 2)
      for _ in 0..<Self.count {
        let runs = simulator.study(seeds: 5)
        let found = StudyStatistics(
          baseline: ArmLosses(runs: runs[0]), arms: runs.dropFirst().map { ArmLosses(runs: $0) }, contrasts: contrasts)
        tally.count(found.effects, truths: truths.map { abs($0) < 1e-12 ? 0 : $0 })
      }
      #expect(tally.falseShare <= Self.mostFalse && Self.coverage.contains(tally.coverage), "\(tally)")
    }
  }

  /// Of five changes one matters and another a little; each model is also compared with the first, as a study's report has it.
  @Test(
    "a path of 32 models finds the changes that matter, with the power announced, whatever its many models are tested for"
  )
  func pathPower() throws {
    let design = PathDesign(count: 5)
    let arms = Dictionary(uniqueKeysWithValues: design.models.enumerated().map { ($0.element, $0.offset) })
    let contrasts = design.contrasts(arms: arms) { "\($0)" }
    // A share strays by the noise times the root of its squared weights.
    let weights = contrasts[0].weights.values.reduce(0) { $0 + $1 * $1 }
    let power = Power(spread: Self.noise * weights.squareRoot(), comparisons: 2 * 6)
    let effect = try #require(power.smallestDetectable(seeds: 3))
    for planted in [0, effect] {
      let losses = design.models.map { 2 - ($0 & 1 == 1 ? planted : 0) }
      let truths = losses.dropFirst().map { $0 - 2 } + [-planted, 0, 0, 0, 0, -planted]
      var tally = Tally()
      var first = Tally()
      var simulator = StudySimulator(losses: losses, noise: losses.map { _ in Self.noise }, seed: 7)
      for _ in 0..<Self.count {
        let runs = simulator.study(seeds: 3)
        let found = StudyStatistics(
          baseline: ArmLosses(runs: runs[0]), arms: runs.dropFirst().map { ArmLosses(runs: $0) }, contrasts: contrasts)
        tally.count(found.comparisons + found.effects, truths: truths)
        first.count([found.effects[0]], truths: [-planted])
      }
      #expect(tally.falseShare <= Self.mostFalse, "\(tally)")
      #expect(Self.coverage.contains(tally.coverage), "\(tally)")
      if planted > 0 { #expect(abs(first.power - 0.8) <= 0.05, "\(first)") }
    }
  }

  // MARK: Seeds that are added

  @Test("seeds are added until arms are decided, without more false verdicts, and with the power announced")
  func sequential() {
    let schedule = SeedSchedule(from: 3, to: 12)
    #expect(schedule.looks == [3, 4, 6, 9, 12])
    let seeds = Array(1...12)
    let spread = Self.noise * 2.0.squareRoot()
    for effect in [0, 0.015, 0.02, 0.05] {
      var tally = Tally()
      var used = 0
      var simulator = StudySimulator(
        losses: [2, 2 + effect, 2, 2], noise: [1, 1, 1, 1].map { $0 * Self.noise }, seed: 4)
      for _ in 0..<Self.count {
        let runs = simulator.study(seeds: 12)
        let found = StudyStatistics(
          baseline: ArmLosses(runs: runs[0]), arms: runs.dropFirst().map { ArmLosses(runs: $0) },
          schedule: schedule, seeds: seeds)
        tally.count(found.comparisons, truths: [effect, 0, 0])
        used += found.comparisons[0].decidedAt ?? 12
      }
      let announced = schedule.chance(of: effect, spread: spread, comparisons: 3)
      #expect(tally.falseShare <= Self.mostFalse, "\(effect): \(tally)")
      #expect(tally.jointCoverage >= 0.93, "\(effect): \(tally)")
      #expect(Self.coverage.contains(tally.coverage), "\(effect): \(tally)")
      if effect > 0 {
        #expect(abs(tally.power - announced.found) <= 0.05, "\(effect): announced \(announced), \(tally)")
        #expect(abs(Double(used) / Double(Self.count) - announced.seeds) < 0.5, "\(used) and \(announced)")
      }
    }
  }

  @Test("an arm that is decided needs no more seeds, and the others are waited for")
  func looks() {
    let schedule = SeedSchedule(looks: [3, 6])
    var simulator = StudySimulator(losses: [2, 3, 2], noise: [0.01, 0.01, 0.01], seed: 8)
    let runs = simulator.study(seeds: 6)
    func statistics(_ counts: [Int]) -> StudyStatistics {
      let kept = zip(runs, counts).map { run, count in run.filter { $0.key <= count } }
      return StudyStatistics(
        baseline: ArmLosses(runs: kept[0]), arms: kept.dropFirst().map { ArmLosses(runs: $0) }, schedule: schedule,
        seeds: Array(1...6))
    }
    #expect(statistics([3, 3, 2]).finishedLooks == 0)
    let first = statistics([3, 3, 3])
    #expect(first.finishedLooks == 1 && first.comparisons[0].decidedAt == 3 && first.comparisons[1].decidedAt == nil)
    #expect(statistics([6, 3, 5]).finishedLooks == 1)
    let second = statistics([6, 3, 6])
    #expect(second.finishedLooks == 2 && second.comparisons[0].decidedAt == 3)
    #expect(
      second.comparisons[0].halfWidth == first.comparisons[0].halfWidth, "later seeds do not change what is decided")
    #expect(statistics([6, 6, 6]).comparisons[0].difference == second.comparisons[0].difference)
  }

  // MARK: Rates

  /// Losses of arms whose best rates and curvatures differ, found as a study finds them; the true best are equal.
  private static func tuned(
    _ simulator: inout Normal, curvature: Double, optimum: Int, effect: Double, seeds: Int
  ) -> (losses: [Int: Double], curve: RateCurve) {
    var factors = [0.5, 1, 2]
    func truth(_ factor: Double) -> Double {
      let distance = log2(factor) - Double(optimum)
      return 2 + effect + curvature * distance * distance
    }
    var runs: [Double: [Int: Double]] = [:]
    func run(_ factor: Double, _ seed: Int) {
      if runs[factor]?[seed] == nil { runs[factor, default: [:]][seed] = truth(factor) + noise * simulator.next() }
    }
    for factor in factors { run(factor, 1) }
    func curve() -> RateCurve { RateCurve(factors.map { .init(factor: $0, loss: runs[$0]?[1] ?? .nan) }) }
    while let next = curve().next(limit: 8) {
      factors.append(next)
      run(next, 1)
    }
    let found = curve()
    let finalists = found.finalists.map { found.points[$0].factor }
    for factor in finalists { for seed in 2...max(2, seeds) { run(factor, seed) } }
    return (BestOfRates(finalists.map { runs[$0] ?? [:] }).losses, found)
  }

  @Test("best against best: an arm that only minds its rate less is not called better", arguments: [3, 5])
  func rates(seeds: Int) {
    for (curvature, optimum) in [(0.0, 0), (0.002, 0), (0.05, 1), (0.05, -2)] {
      var normal = Normal(seed: UInt64(seeds))
      var tally = Tally()
      for _ in 0..<Self.count {
        // The baseline has a sharp best at the shared rate; the arm's curve is flat, or its best is elsewhere.
        let baseline = Self.tuned(&normal, curvature: 0.05, optimum: 0, effect: 0, seeds: seeds)
        let arm = Self.tuned(&normal, curvature: curvature, optimum: optimum, effect: 0, seeds: seeds)
        let found = StudyStatistics(baseline: baseline.losses, arms: [arm.losses])
        tally.count(found.comparisons, truths: [0])
      }
      // With a flat curve the truth at any rate is within curvature · 1 of the best, which the noise hides.
      #expect(tally.falseShare <= Self.mostFalse, "\(curvature), \(optimum): \(tally)")
    }
  }

  @Test("choosing by the same seeds would flatter an arm with a flat curve: that is what is avoided") func flattery() {
    var normal = Normal(seed: 12)
    var (fair, flattered) = (0.0, 0.0)
    for _ in 0..<Self.count {
      let candidates = (0..<2).map { _ in
        Dictionary(uniqueKeysWithValues: (1...3).map { ($0, 2 + Self.noise * normal.next()) })
      }
      fair += BestOfRates(candidates).losses.values.reduce(0, +) / 3 - 2
      flattered += (candidates.map { $0.values.reduce(0, +) / 3 }.min() ?? 0) - 2
    }
    // 0.56 · σ/√3 is what the lower of two means is lower by; the fair one strays by 0.01/√3/√1000 = 0.0002.
    #expect(abs(fair / Double(Self.count)) < 0.001 && flattered / Double(Self.count) < -0.002)
  }

  // MARK: Duplicates

  @Test("an arm that is the baseline over again is never better, in 200 studies") func duplicate() {
    var simulator = StudySimulator(losses: [2, 1.9], noise: [0.01, 0.01], seed: 6)
    for _ in 0..<200 {
      let runs = simulator.study(seeds: 5)
      let found = StudyStatistics(baseline: runs[0], arms: [runs[0], runs[1]])
      #expect(found.comparisons[0].verdict == .notDistinguishable && found.comparisons[0].difference.mean == 0)
      let looked = StudyStatistics(
        baseline: ArmLosses(runs: runs[0]), arms: [ArmLosses(runs: runs[0])], schedule: SeedSchedule(looks: [3, 5]),
        seeds: [1, 2, 3, 4, 5])
      #expect(looked.comparisons[0].verdict == .notDistinguishable && looked.finishedLooks == 2)
    }
  }
}
