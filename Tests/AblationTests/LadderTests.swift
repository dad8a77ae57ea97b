import Ablation
import Components
import Foundation
import Specification
import Testing

@Suite("studies at several sizes") struct LadderTests {
  private static let text = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    seeds: 4
    ladder: 3
    hold: {params: 1%, by: mlp.intermediate_size}
    arms:
      none: {position: none}
      gated: {mlp: {gated: true, activation: silu, intermediate_size: match_params}}
    """

  private func withFolder(_ body: (StudyFolder) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(StudyFolder(path: path))
  }

  @Test("sizes are siblings by width at a fixed head width, matched, with tokens and rates in proportion") func plan()
    throws
  {
    let plan = try Studies.plan(Self.text)
    #expect(plan.rungs.map(\.factor) == [0.5, 2])
    for rung in plan.rungs {
      let base = rung.plan.baseline
      #expect(base.architecture.shape.hiddenSize == Int(128 * rung.factor))
      #expect(base.architecture.resolved[path: "attention.num_heads"]?.integer == Int(4 * rung.factor))
      #expect(base.architecture.shape.layerCount == plan.baseline.architecture.shape.layerCount)
      #expect(rung.plan.arms.map(\.name) == plan.arms.map(\.name))
      #expect(rung.plan.arms.allSatisfy { $0.isMatched && abs($0.mismatch) < 0.01 })
      let ratio = Double(base.parameterCount) / Double(plan.baseline.parameterCount)
      let tokens = Double(base.training.tokens) / Double(plan.baseline.training.tokens)
      #expect(abs(tokens / ratio - 1) < 0.01, "\(tokens) for \(ratio) times the parameters")
      let rate = try #require(base.training.numbers["lr"]) / 0.001
      #expect(abs(rate - pow(ratio, -1.0 / 3)) < 1e-4)
    }
    #expect(plan.tasks.count == 3 * 3 * 4 && Set(plan.tasks.map(\.key)).count == plan.tasks.count)
    #expect(plan.tasks.map(\.index) == Array(plan.tasks.indices))
    let last = try #require(plan.tasks.last)
    #expect(plan.name(of: last) == "task 35 (gated, size ×2, seed 4)")
    #expect(plan.arm(of: last).architecture.shape.hiddenSize == 256)
    let plain = try Studies.plan(Self.text.replacing("ladder: 3\n", with: ""))
    #expect(
      plan.tasks.prefix(plain.tasks.count).map(\.key) == plain.tasks.map(\.key), "a study can be given sizes later")
    let same = try Studies.plan(
      Self.text.replacing("ladder: 3", with: "ladder: {sizes: [x0.5, x2], tokens: same, lr: same}"))
    #expect(same.rungs[0].plan.baseline.training.tokens == same.baseline.training.tokens)
    let counts = try Studies.plan(Self.text.replacing("ladder: 3", with: "ladder: [250K, 3M]"))
    #expect(counts.rungs.map(\.factor) == [0.5, 2])
  }

  /// Losses that follow a power law of a run's FLOPs, of which `gated` needs a fifth less for the same loss.
  private static func excess(_ arm: PlannedArm, _ rate: Double) -> Double {
    let compute = arm.trainingFlops * (arm.name == "gated" ? 1.25 : 1)
    return 0.5 + 2 * pow(compute / 1e9, -0.15)
  }

  @Test("a planted compute multiplier is found, with its curve, its interval and its sentence") func found() throws {
    try withFolder { folder in
      let trainer = FakeTrainer(excess: Self.excess, spread: 1e-3)
      let plan = try Studies.plan(Self.text, trainer)
      let isWhole = try StudyRunner(plan, in: folder, trainer: trainer).run { _ in true }
      #expect(isWhole)
      let report = StudyReport(plan, in: folder)
      #expect(report.isComplete)
      let ladder = try #require(report.ladder)
      #expect(ladder.factors == [0.5, 1, 2])
      let curve = try #require(ladder.arms[0].curve)
      #expect(abs(curve.exponent - 0.15) < 0.02)
      let gated = try #require(ladder.arms.last)
      let multiplier = try #require(gated.multiplier)
      let mean = try #require(multiplier.difference.mean)
      let value = exp(-mean)
      #expect(abs(value - 1.25) < 0.03 && multiplier.verdict == .better, "\(value)")
      #expect(gated.trend?.verdict == .notDistinguishable)
      let sentence = try #require(report.sentences.last)
      #expect(sentence.contains("gated at the largest size (×2) has a compute multiplier of 1.2"))
      for text in [report.markdown, report.page] { #expect(text.contains("compute multiplier at ×2")) }
      #expect(report.json["ladder"]?["arms"]?.array?[2]["multiplier"]?.number == value)
    }
  }

  @Test("stopped after any task and gone on with, the report is the same") func resumed() throws {
    let trainer = FakeTrainer(excess: Self.excess, spread: 1e-3)
    let text = Self.text + "\ntune: auto\n"
    let plan = try Studies.plan(text, trainer)
    var whole = ""
    try withFolder { folder in
      let isWhole = try StudyRunner(plan, in: folder, trainer: trainer).run { _ in true }
      #expect(isWhole)
      whole = StudyReport(plan, in: folder, includesTimes: false).json.serialized(pretty: true)
    }
    for stop in [1, 7, 20, 41, 60] {
      try withFolder { folder in
        var finished = 0
        _ = try StudyRunner(plan, in: folder, trainer: trainer).run { event in
          if case .finished = event { finished += 1 }
          return finished < stop
        }
        let isWhole = try StudyRunner(plan, in: folder, trainer: trainer).run { _ in true }
        #expect(isWhole)
        #expect(StudyReport(plan, in: folder, includesTimes: false).json.serialized(pretty: true) == whole)
      }
    }
  }

  @Test(
    "a ladder that cannot be is a sentence with its place",
    arguments: [
      ("2", "a ladder has from 3 to 8 sizes, for its curve has three constants, not '2'"),
      ("[x0.5]", "and these are 2"), ("[x0.3, x0.5]", "at ×0.3 the width 'hidden_size' would be 38.4"),
      ("[x0.375, x0.5]", "at ×0.375 the width 'num_heads' would be 1.5"),
      ("[x0.5, x0.5, x2]", "a size is there twice"), ("[1K, 3M]", "has about 1,000 parameters"),
      ("{sizes: 3, lr: halved}", "'lr' of a ladder takes scaled or same"), ("{size: 3}", "'size' is not a key"),
      ("3\nweights: somewhere", "'weights' have one size"), ("3\nbudget: {flops: 1e12}", "a ladder compares arms by"),
    ])
  func refused(_ lines: String, _ sentence: String) {
    let message = Studies.message(Self.text.replacing("ladder: 3", with: "ladder: " + lines))
    #expect(message.contains(sentence) && message.contains("study.yaml:"), "\(message)")
  }

  @Test("arms that cannot be matched at a size are refused, with the size") func unmatched() {
    let text = Self.text.replacing(", by: mlp.intermediate_size", with: "")
      .replacing("intermediate_size: match_params", with: "intermediate_size: 341")
      .replacing("hold: {params: 1%}", with: "hold: {params: 0.05%}")
      .replacing("  none: {position: none}\n", with: "")
    let message = Studies.message(text)
    #expect(message.contains("at the size ×") && message.contains("cannot be matched"), "\(message)")
    let collapsed = Studies.message(
      """
      ablation: q
      base: gpt2-mini
      data: text.txt
      hold: none
      ladder: [x0.25, x0.5]
      vary: {attention.num_kv_heads: [4, 2, 1]}
      """)
    #expect(collapsed.contains("is the base itself"), "\(collapsed)")
  }
}
