import Essentials

/// Seeds that are added until every arm is decided, or there are enough of them, without more false verdicts for looking
/// several times.
///
/// After each look at n₁ < n₂ < … < n_K seeds, every arm that is not decided is tested. What may be spent of the level up to
/// a look grows with the square of how much is known, and each look has what is new:
///
///     α₁ + … + α_k = α · (n_k / n_K)²
///
/// At a look, Holm's procedure goes over the arms that are left, at α_k. The first false verdict of a study has some look and
/// some arm of those without a difference, of which there are t: its probability is at most Σ_k Σ_t α_k / t = α, however
/// looks and arms depend on each other.
///
/// Source: the spending function is of Kim and DeMets, Biometrika 74 (1987); Holm over the arms left at each look, Maurer and
/// Bretz, Statistics in Biopharmaceutical Research 5 (2013). Bounds over looks by their sum are a little strict, and are exact
/// for t tests on three seeds, where boundaries for normal numbers are not.
public struct SeedSchedule: Sendable, Hashable {
  /// How many seeds there are at each look, ascending.
  public let looks: [Int]
  /// The level of all looks together.
  public let level: Double

  /// The looks at `looks` seeds, which must ascend from at least 3.
  public init(looks: [Int], level: Double = StudyStatistics.level) {
    precondition(
      !looks.isEmpty && looks[0] >= Verdict.fewestSeeds && zip(looks, looks.dropFirst()).allSatisfy { $0 < $1 },
      "looks at \(looks) seeds")
    self.looks = looks
    self.level = level
  }

  /// Looks from `first` seeds on, each at about half as many more as the last, up to `last`.
  public init(from first: Int, to last: Int) {
    var looks = [first]
    while let newest = looks.last, newest < last { looks.append(min(last, max(newest + 1, newest * 3 / 2))) }
    self.init(looks: looks)
  }

  /// What look `index` may spend.
  public func level(ofLook index: Int) -> Double {
    func part(_ index: Int) -> Double {
      guard index >= 0, let last = looks.last else { return 0 }
      let share = Double(looks[index]) / Double(last)
      return share * share
    }
    return level * (part(index) - part(index - 1))
  }

  /// What became of each test, from the values of its pairs by look; a test without enough of them stays open.
  public struct Outcome: Sendable, Hashable {
    /// The look at which it was decided; nil where it was not.
    public let look: Int?
    /// The level that it was decided at, or that it last failed at.
    public let level: Double
    /// The look that this level is of.
    public let lastLook: Int
  }

  /// Goes through `finishedLooks` of the looks: `probability` is the probability of test `test` at look `look`, nil where it
  /// cannot be tested.
  public func decide(_ tests: Int, finishedLooks: Int, probability: (_ test: Int, _ look: Int) -> Double?) -> [Outcome]
  {
    var decided: [Int: Outcome] = [:]
    var open: [Int: Outcome] = [:]
    for look in 0..<min(finishedLooks, looks.count) {
      let share = level(ofLook: look)
      var left = (0..<tests).filter { decided[$0] == nil }
      var found = left.compactMap { test in probability(test, look).map { (test: test, probability: $0) } }
        .sorted { ($0.probability, $0.test) < ($1.probability, $1.test) }[...]
      while let first = found.first {
        let own = share / Double(left.count)
        guard first.probability <= own else { break }
        decided[first.test] = Outcome(look: look, level: own, lastLook: look)
        found.removeFirst()
        left.removeAll { $0 == first.test }
      }
      for test in left { open[test] = Outcome(look: nil, level: share / Double(left.count), lastLook: look) }
    }
    return (0..<tests).map {
      decided[$0] ?? open[$0] ?? Outcome(look: nil, level: level / Double(max(1, tests)), lastLook: 0)
    }
  }

  /// How often a true difference of `effect`, with pairs that stray by `spread`, is found among `comparisons` tests, and with
  /// how many seeds on average: by drawing 4,000 studies, always the same.
  public func chance(of effect: Double, spread: Double, comparisons: Int) -> (found: Double, seeds: Double) {
    guard spread > 0, let last = looks.last else { return (effect == 0 ? 0 : 1, Double(looks[0])) }
    let critical = looks.indices.map {
      StudentT(degreesOfFreedom: looks[$0] - 1).critical(
        max(1e-12, level(ofLook: $0) / Double(max(1, comparisons))))
    }
    var normal = NormalNumbers(seed: 20_240_229)
    var (found, seeds) = (0, 0)
    let count = 4_000
    for _ in 0..<count {
      let values = (0..<last).map { _ in effect + spread * normal.next() }
      var used = last
      for (look, seeds) in looks.enumerated() {
        let sample = Sample(Array(values[..<seeds]))
        guard let mean = sample.mean, let error = sample.standardError, abs(mean) >= critical[look] * error else {
          continue
        }
        found += 1
        used = seeds
        break
      }
      seeds += used
    }
    return (Double(found) / Double(count), Double(seeds) / Double(count))
  }
}

/// Standard normal numbers, the same every time: SplitMix64 with Box and Muller's transform (1958).
struct NormalNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number above 0 and below 1.
  private mutating func uniform() -> Double {
    // SplitMix64 wraps by definition.
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return (Double((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53
  }

  mutating func next() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * Double.pi * uniform()) }
}
