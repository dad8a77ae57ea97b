import Foundation
import Specification
import TestSupport
import Testing

import Ablation

/// What a report says of sizes, intervals and chance agrees with itself.
@Suite struct HonestNumberTests {
  // MARK: Intervals

  @Test("an interval leaves 0 out exactly where the verdict is better or worse", arguments: [3, 5, 9])
  func agree(_ seeds: Int) {
    var generator = Uniform(state: UInt64(seeds))
    var verdicts: Set<Verdict> = []
    for _ in 0..<2000 {
      let arms = 1 + Int(generator.next() * 6)
      let baseline = (0..<seeds).map { ($0, 2 + 0.1 * generator.next()) }
      let losses = (0..<arms).map { _ in
        let effect = 0.3 * (generator.next() - 0.5)
        return baseline.map { ($0.0, $0.1 + effect + 0.1 * generator.next()) }
      }
      let statistics = StudyStatistics(
        baseline: Dictionary(uniqueKeysWithValues: baseline),
        arms: losses.map { Dictionary(uniqueKeysWithValues: $0) })
      for comparison in statistics.comparisons {
        verdicts.insert(comparison.verdict)
        guard let mean = comparison.difference.mean, let half = comparison.halfWidth else {
          Issue.record("no interval")
          continue
        }
        #expect((abs(mean) > half) == (comparison.verdict == .better || comparison.verdict == .worse))
        #expect(half >= (comparison.uncorrectedHalfWidth ?? .infinity) && comparison.confidence >= 0.95 - 1e-12)
      }
    }
    #expect(verdicts == [.better, .worse, .notDistinguishable])
  }

  @Test("the levels of Holm's correction are those that its probabilities are decided at") func levels() {
    var generator = Uniform(state: 5)
    for _ in 0..<2000 {
      let p = (0..<1 + Int(generator.next() * 7)).map { _ in generator.next() * generator.next() * 0.2 }
      let weights = generator.next() < 0.5 ? [] : p.map { _ in 0.1 + generator.next() }
      let (corrected, levels) = (holmCorrected(p, weights: weights), holmLevels(p, weights: weights, level: 0.05))
      for index in p.indices { #expect((corrected[index] <= 0.05) == (p[index] <= levels[index])) }
    }
  }

  // MARK: Nothing trained

  private static func windows(_ count: Int, _ effect: Double, seed: UInt64) -> (base: [Double], arm: [Double]) {
    var generator = Uniform(state: seed)
    let base = (0..<count).map { _ in 3 + generator.next() }
    return (base, base.map { $0 + effect + 0.2 * (generator.next() - 0.5) })
  }

  private static func verdict(_ windows: (base: [Double], arm: [Double])) -> Comparison {
    StudyStatistics(
      baseline: ArmLosses(runs: [1: Sample(windows.base).mean ?? 0], windows: windows.base),
      arms: [ArmLosses(runs: [1: Sample(windows.arm).mean ?? 0], windows: windows.arm)]
    ).comparisons[0]
  }

  @Test("arms that are only evaluated are compared by a bootstrap over windows: found where there is a difference")
  func bootstrap() {
    #expect(Self.verdict(Self.windows(400, 0.05, seed: 1)).verdict == .worse)
    #expect(Self.verdict(Self.windows(400, -0.05, seed: 1)).verdict == .better)
    let same = Self.windows(400, 0, seed: 1).base
    #expect(Self.verdict((same, same)).verdict == .notDistinguishable)
    #expect(Self.verdict(Self.windows(9, 0.05, seed: 1)).verdict == .tooFewSeeds)
    for seed in 0..<60 {
      let found = Self.verdict(Self.windows(120, 0.01, seed: UInt64(seed)))
      let isFound = found.verdict == .better || found.verdict == .worse
      #expect((abs(found.difference.mean ?? 0) > (found.halfWidth ?? 0)) == isFound)
    }
  }

  @Test("and where there is none, in about one study of twenty") func falseVerdicts() {
    let count = 400
    let found = (0..<count).count {
      Self.verdict(Self.windows(60, 0, seed: UInt64($0) &* 7919)).verdict != .notDistinguishable
    }
    // Three standard errors of a count with probability 1/20 around it, and a little for 60 windows being few.
    #expect((5...40).contains(found), "\(found) of \(count)")
  }

  @Test("runs that are the same for every seed give no verdict") func identical() {
    let base = Dictionary(uniqueKeysWithValues: (1...5).map { ($0, 2.5) })
    let statistics = StudyStatistics(baseline: base, arms: [base.mapValues { $0 + 0.25 }])
    #expect(statistics.comparisons[0].verdict == .tooFewSeeds && statistics.comparisons[0].halfWidth == nil)
    #expect(statistics.noiseFloor == nil)
  }

  // MARK: Sizes

  private static func study(_ hold: String) -> String {
    """
    ablation: q
    base: gpt2-mini
    data: text.txt
    hold: \(hold)
    arms:
      wide: {mlp: {intermediate_size: 1024}}
      none: {position: none}
    """
  }

  @Test(
    "how much larger an arm is stands in the report, whatever is held",
    arguments: ["none", "{tokens: 64000}", "{params: 100%}"])
  func mismatch(_ hold: String) throws {
    let plan = try Studies.plan(Self.study(hold))
    let ratio = Double(plan.arms[1].parameterCount) / Double(plan.arms[0].parameterCount) - 1
    #expect(ratio > 0.01 && abs(plan.arms[1].mismatch - ratio) < 1e-12)
    let report = StudyReport(plan) { _ in nil }
    let words = Wording.share(ratio)
    #expect(words != "0 %" && report.markdown.contains("| \(words) |") && report.page.contains(words))
    #expect(report.json["arms"]?.array?[1]["mismatch"]?.number == plan.arms[1].mismatch)
    if hold != "{params: 100%}" {
      #expect(report.notes.contains { $0.hasPrefix("Nothing was held equal, and arms differ in parameters: wide (+") })
    }
  }

  @Test(
    "a bound that could be a part or per cent is refused, with how to write it",
    arguments: [
      ("1", "write 1%"), ("0.5", "write 0.5%"), ("2", "write 2%"), ("0.11", "write 0.11%"), ("-0.01", ""), ("101%", ""),
    ])
  func ambiguous(_ bound: String, _ hint: String) {
    for key in ["params", "flops"] {
      let message = Studies.message(Self.study("{\(key): \(bound)}"))
      #expect(
        message.contains("study.yaml:4:") && message.contains("'\(key)' takes how far an arm may be off"), "\(message)")
      #expect(hint.isEmpty || message.contains(hint))
    }
  }

  @Test("bounds that are clear are taken", arguments: ["1%", "0.01", "0.1", "100%", "0", "0%", "12.5%"])
  func clear(_ bound: String) throws { _ = try Studies.read(Self.study("{params: \(bound)}")) }

  @Test("more tokens than can be counted are refused", arguments: ["9223372036854775807", "0", "-5", "1e30"])
  func tokens(_ count: String) {
    #expect(Studies.message(Self.study("{tokens: \(count)}")).contains("'tokens' takes an integer from 1 to"))
  }
}

/// Uniform numbers, the same every time.
private struct Uniform {
  var state: UInt64

  mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }
}
