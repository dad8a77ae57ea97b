import Ablation
import Foundation

/// Studies that nobody trains: losses of arms with planted effects, the seeds' part in them shared, each arm with noise of
/// its own. What a study reports of them can be held against what was planted.
struct StudySimulator {
  /// The true loss of each arm, the baseline first.
  let losses: [Double]
  /// The standard deviation of each arm's noise.
  let noise: [Double]
  /// The standard deviation of what a seed does to all arms alike.
  var common = 0.02
  var normal: Normal

  init(losses: [Double], noise: [Double], seed: UInt64) {
    (self.losses, self.noise) = (losses, noise)
    normal = Normal(seed: seed)
  }

  /// The losses of one study, by arm and seed.
  mutating func study(seeds: Int) -> [[Int: Double]] {
    var runs = losses.map { _ in [Int: Double]() }
    for seed in 1...seeds {
      let shared = common * normal.next()
      for arm in losses.indices { runs[arm][seed] = losses[arm] + shared + noise[arm] * normal.next() }
    }
    return runs
  }
}

/// What many simulated studies came to.
struct Tally {
  /// Studies, and those of them that reported any difference where there is none.
  private(set) var studies = 0
  private(set) var falseStudies = 0
  /// Tests with a planted difference, and those of them that found it, on the right side.
  private(set) var planted = 0
  private(set) var found = 0
  /// Uncorrected 95 % intervals, and those of them that hold the truth.
  private(set) var intervals = 0
  private(set) var holding = 0
  /// Studies all of whose own intervals hold the truth.
  private(set) var wholly = 0

  var falseShare: Double { Double(falseStudies) / Double(max(1, studies)) }
  var power: Double { Double(found) / Double(max(1, planted)) }
  var coverage: Double { Double(holding) / Double(max(1, intervals)) }
  var jointCoverage: Double { Double(wholly) / Double(max(1, studies)) }

  /// Counts a study of which `comparisons` were reported, whose true differences are `truths`.
  mutating func count(_ comparisons: [Comparison], truths: [Double]) {
    studies += 1
    var isFalse = false
    var holdsAll = true
    for (comparison, truth) in zip(comparisons, truths) {
      let isFound = comparison.verdict == .better || comparison.verdict == .worse
      // A difference on the wrong side is as false as one where there is none.
      let isRight = isFound && truth != 0 && (truth < 0) == (comparison.verdict == .better)
      if isFound, !isRight { isFalse = true }
      if truth != 0 {
        planted += 1
        if isRight { found += 1 }
      }
      guard let mean = comparison.difference.mean, let half = comparison.uncorrectedHalfWidth,
        let own = comparison.halfWidth
      else { continue }
      intervals += 1
      if abs(mean - truth) <= half { holding += 1 }
      if abs(mean - truth) > own { holdsAll = false }
    }
    if isFalse { falseStudies += 1 }
    if holdsAll { wholly += 1 }
  }
}

/// Standard normal numbers, the same every time (Box and Muller, 1958).
struct Normal {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  private mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return (Double((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53
  }

  mutating func next() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * Double.pi * uniform()) }
}
