import Files

/// The losses of a study's arms, and what can be said of them.
///
/// All that a study tests, arms against the baseline and contrasts of a design, is one family: corrected together, so that a
/// study reports a difference where there is none at most one time in twenty, however much it asks. Where a design asks for
/// contrasts, those are what it was made for, and its many models are the means: the contrasts have one half of the level among
/// them, and all else the other.
public struct StudyStatistics: Sendable {
  /// The baseline's losses that are numbers.
  public let baseline: Sample
  /// A comparison for each arm, in the order they were given.
  public let comparisons: [Comparison]
  /// A comparison for each contrast, likewise.
  public let effects: [Comparison]
  /// A comparison of each of the further differences, likewise; nil where there are none.
  public let further: [Comparison?]
  /// Different tests that are decided together, and how many of them are the contrasts that a design was made for.
  public let tests: (all: Int, contrasts: Int)
  /// Looks of the schedule that are over; 0 without one.
  public let finishedLooks: Int
  /// How likely a study is to call any difference real that is not.
  public static let level = 0.05

  /// Compares each of `arms` with `baseline`: losses in nats by seed; a loss that is NaN is a run that diverged.
  public init(baseline: [Int: Double], arms: [[Int: Double]]) {
    self.init(baseline: ArmLosses(runs: baseline), arms: arms.map { ArmLosses(runs: $0) })
  }

  /// Compares each of `arms` with `baseline`, by the windows of the text where both have theirs, else by seeds, and tests
  /// `contrasts`, whose place 0 is the baseline and 1 the first arm. With a `schedule`, which looks at the first of `seeds`,
  /// an arm is judged by the seeds of the look that decided it. `further` differences are tested with them: the first are the
  /// arms' and the contrasts' of other runs, such as those at each arm's own best rate, and those of contrasts stand for the
  /// design's where they are there. A test that is asked twice is one test.
  public init(
    baseline: ArmLosses, arms: [ArmLosses], contrasts: [Contrast] = [], further: [PairedDifference?] = [],
    schedule: SeedSchedule? = nil, seeds: [Int] = []
  ) {
    let all = [baseline] + arms
    let finite = all.map { $0.runs.filter(\.value.isFinite) }
    let diverged = all.map { $0.runs.values.contains { !$0.isFinite } }
    func differences(_ seeds: [Int]?) -> [PairedDifference] {
      let known = Set(seeds ?? [])
      let runs = seeds == nil ? finite : finite.map { $0.filter { known.contains($0.key) } }
      return arms.indices.map { index in
        arms[index].windows.isEmpty || arms[index].windows.count != baseline.windows.count
          ? PairedDifference(arm: runs[index + 1], baseline: runs[0])
          : PairedDifference(armWindows: arms[index].windows, baselineWindows: baseline.windows)
      } + contrasts.map { PairedDifference($0, runs) }
    }
    let own = differences(nil)
    let asked = further.indices.filter { index in
      further[index].map { !own.indices.contains(index) || $0.sample != own[index].sample } ?? false
    }
    let more = asked.compactMap { further[$0] }
    let isOut =
      arms.indices.map { diverged[$0 + 1] } + contrasts.map { $0.weights.keys.contains { diverged[$0] } }
      + more.map { _ in false }
    func probability(_ index: Int, _ difference: PairedDifference) -> Double? {
      isOut[index] || !difference.isTestable ? nil : difference.probability
    }
    self.baseline = Sample(finite[0].sorted { $0.key < $1.key }.map(\.value))
    let judged: [Judged]
    if let schedule {
      let looks = schedule.looks.map { differences(Array(seeds.prefix($0))) + more }
      let over = Self.finished(schedule, looks.map { $0.enumerated().map { probability($0.offset, $0.element) } }) {
        test, look in
        // An arm that failed is waited for no longer, and judged by what it has.
        isOut[test] || baseline.hasFailed || (arms.indices.contains(test) && arms[test].hasFailed)
          || looks[look][test].sample.count >= schedule.looks[look]
      }
      let outcomes = schedule.decide(isOut.count, finishedLooks: over) { test, look in
        probability(test, looks[look][test])
      }
      let unfinished = over == 0 ? own + more : []
      finishedLooks = over
      tests = (isOut.count, 0)
      let last = outcomes.enumerated().map { test, outcome in
        over == 0 ? unfinished[test] : looks[outcome.lastLook][test]
      }
      let isTested = last.indices.map { over > 0 && probability($0, last[$0]) != nil }
      let tested = max(1, isTested.count { $0 })
      judged = outcomes.enumerated().map { test, outcome in
        Judged(
          difference: last[test], level: outcome.level, corrected: nil, isFound: outcome.look != nil,
          isTested: isTested[test], tests: tested, decidedAt: outcome.look.map { schedule.looks[$0] })
      }
    } else {
      finishedLooks = 0
      let contrasts = (arms.count..<own.count).map { place in
        asked.firstIndex(of: place).map { own.count + $0 } ?? place
      }
      (judged, tests) = Self.judged(own + more, contrasts: Set(contrasts), probability)
    }
    let mean = self.baseline.mean
    let found = judged.enumerated().map { index, judged in judged.comparison(mean: mean, isOut: isOut[index]) }
    let firsts = Array(found[..<arms.count])
    comparisons = firsts
    effects = Array(found[arms.count..<arms.count + contrasts.count])
    let rest = found[(arms.count + contrasts.count)...]
    self.further = further.indices.map { index in
      if let place = asked.firstIndex(of: index) { return rest[rest.startIndex + place] }
      return further[index] == nil || !own.indices.contains(index) ? nil : found[index]
    }
  }

  /// Looks of `schedule` that are over: every test that was open had all its pairs.
  private static func finished(
    _ schedule: SeedSchedule, _ probabilities: [[Double?]], isThere: (_ test: Int, _ look: Int) -> Bool
  ) -> Int {
    let tests = probabilities.first?.count ?? 0
    for look in schedule.looks.indices {
      let outcomes = schedule.decide(tests, finishedLooks: look) { probabilities[$1][$0] }
      if outcomes.indices.contains(where: { outcomes[$0].look == nil && !isThere($0, look) }) { return look }
      if look > 0, outcomes.allSatisfy({ $0.look != nil }) { return look }
    }
    return schedule.looks.count
  }

  /// All tests at once, by Holm's correction; those at `contrasts` have one half of the level.
  private static func judged(
    _ differences: [PairedDifference], contrasts: Set<Int>, _ probability: (Int, PairedDifference) -> Double?
  ) -> (judged: [Judged], tests: (all: Int, contrasts: Int)) {
    // The same differences asked twice are one test, of the weightier kind.
    var first: [PairedDifference: Int] = [:]
    let order = contrasts.sorted() + differences.indices.filter { !contrasts.contains($0) }
    let known = order.filter { probability($0, differences[$0]) != nil }
    for index in known + order where first[differences[index]] == nil { first[differences[index]] = index }
    let asked = first.values.sorted()
    let tested = asked.filter { probability($0, differences[$0]) != nil }
    let probabilities = tested.compactMap { probability($0, differences[$0]) }
    /// The part of the level that the test at `index` of `all` begins with.
    func weight(_ index: Int, _ all: [Int]) -> Double {
      let ofContrasts = all.count(where: contrasts.contains)
      let alike = contrasts.contains(index) ? ofContrasts : all.count - ofContrasts
      return (ofContrasts == 0 || ofContrasts == all.count ? 1 : 0.5) / Double(max(1, alike))
    }
    let weights = tested.map { weight($0, tested) }
    let corrected = holmCorrected(probabilities, weights: weights)
    let levels = holmLevels(probabilities, weights: weights, level: level)
    let judged = differences.indices.map { index in
      let own = first[differences[index]] ?? index
      guard probability(index, differences[index]) != nil, let place = tested.firstIndex(of: own) else {
        // What is not tested has the interval of what all tests together would leave it.
        return Judged(
          difference: differences[index], level: level * weight(own, asked), corrected: nil, isFound: false,
          isTested: false, tests: 1, decidedAt: nil)
      }
      return Judged(
        difference: differences[index], level: levels[place], corrected: corrected[place],
        isFound: probabilities[place] <= levels[place], isTested: true, tests: Int(rounding: 1 / weights[place]),
        decidedAt: nil)
    }
    return (judged, (asked.count, asked.count(where: contrasts.contains)))
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

/// A difference, and how it was decided.
private struct Judged {
  let difference: PairedDifference
  let level: Double
  let corrected: Double?
  let isFound: Bool
  let isTested: Bool
  /// As how many tests of equal weight those decided with it count.
  let tests: Int
  let decidedAt: Int?

  func comparison(mean: Double?, isOut: Bool) -> Comparison {
    let verdict: Verdict =
      if isOut {
        .diverged
      } else if isTested, let nats = difference.mean {
        !isFound ? .notDistinguishable : nats < 0 ? .better : .worse
      } else { .tooFewSeeds }
    let hasInterval = !difference.isWithoutChance && !isOut
    // Over looks there is no one p-value; what it is at its own look, times what the level was divided by, is one that is
    // below 0.05 exactly where the verdict is a difference.
    let probability = difference.probability
    return Comparison(
      difference: difference,
      percent: difference.mean.flatMap { nats in mean.map { nats / $0 * 100 } },
      halfWidth: hasInterval ? difference.halfWidth(level: level) : nil, confidence: 1 - level,
      uncorrectedHalfWidth: hasInterval ? difference.halfWidth(level: StudyStatistics.level) : nil,
      correctedProbability: isTested
        ? corrected ?? probability.map { min(1, $0 / level * StudyStatistics.level) } : nil,
      tests: tests, verdict: verdict, decidedAt: decidedAt)
  }
}
