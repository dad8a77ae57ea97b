import Ablation
import Components
import Foundation
import Specification
import Testing

@Suite("equal budgets, and what arms cost") struct BudgetTests {
  private static let text = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    seeds: 4
    hold: none
    arms:
      wide: {mlp: {intermediate_size: 2048}}

    """

  @Test("the same FLOPs are more tokens for the cheaper arm") func flops() throws {
    let plan = try Studies.plan(Self.text + "budget: {flops: 1e12}")
    for arm in plan.arms { #expect(abs(arm.trainingFlops / 1e12 - 1) < 1e-3, "\(arm.name)") }
    #expect(plan.arms[0].training.tokens > 2 * plan.arms[1].training.tokens)
    let tokens = try Studies.plan(Self.text + "budget: {tokens: 6400}")
    #expect(tokens.arms.allSatisfy { $0.training.tokens == 6400 })
  }

  @Test("seconds are measured once, and what was measured decides the tasks") func seconds() throws {
    let planner = try Studies.planner()
    let study = try Studies.read(Self.text + "budget: {seconds: 60}")
    var measured: [String] = []
    let known = try planner.measuring(study, planner.plan(study)) { measured.append($0.name) }
    #expect(measured == ["baseline", "wide"])
    let plan = try planner.plan(known)
    for arm in plan.arms {
      #expect(abs(Double(arm.training.tokens) - 60 * 1e9 / Double(arm.parameterCount)) <= 1)
    }
    var again: [String] = []
    _ = try planner.measuring(known, plan) { again.append($0.name) }
    #expect(again.isEmpty)
    let written = Self.text + "budget: {seconds: 60, tokens_each: {baseline: 640, wide: 320}}"
    #expect(try Studies.plan(written).arms.map(\.training.tokens) == [640, 320])
  }

  @Test("costs: losses at equal FLOPs are read from the curves, and what arms cost stands beside") func costs() throws {
    let plan = try Studies.plan(Self.text)
    let total = plan.baseline.training.tokens
    let report = StudyReport(plan) { task in
      // Both fall by 1 from 3 over their run; the second seed and so on a little higher.
      let noise = 0.001 * Double(task.seed * (task.arm + 2) % 5)
      let curve = (1...10).map {
        TaskResult.Point(tokens: total * $0 / 10, loss: 3 - 0.1 * Double($0) + noise)
      }
      return TaskOutcome(
        TaskResult(loss: curve[9].loss, curve: curve, contexts: []),
        TaskTimes(
          seconds: 1, tokensPerSecond: Double(total) / (task.arm == 0 ? 1 : 2), decodedPerSecond: 100, machine: "a fake"
        ))
    }
    let costs = report.costs
    #expect(costs.map(\.quantity) == [.flops, .seconds])
    #expect(costs[0].amount == plan.baseline.trainingFlops)
    // The wide arm is at as many FLOPs after as large a part of its run as it costs more, and at half of it after as many seconds.
    let part = plan.baseline.flopsPerToken / plan.arms[1].flopsPerToken
    #expect(abs((costs[0].comparisons[0]?.difference.mean ?? 0) - (1 - part)) < 0.01)
    #expect(abs((costs[1].comparisons[0]?.difference.mean ?? 0) - 0.5) < 0.01)
    #expect(costs.allSatisfy { $0.comparisons[0]?.verdict == .worse })
    for text in [report.markdown, report.page] {
      #expect(text.contains("KV bytes/token") && text.contains("decoded tokens/s") && text.contains("at equal FLOPs"))
    }
    let plain = StudyReport(plan, includesTimes: false) { _ in nil }
    #expect(plain.costsTable.isEmpty)
  }

  @Test("of several budgets the largest is the run's, and the smaller ones are its decays, in proportion")
  func several() throws {
    let plan = try Studies.plan(Self.text + "budget: {flops: [1e12, 4e12, 2e12]}")
    for arm in plan.arms {
      #expect(abs(arm.trainingFlops / 4e12 - 1) < 1e-3, "\(arm.name)")
      let whole = Double(arm.training.tokens)
      #expect(arm.budget.smaller.map { (Double($0) / whole * 100).rounded() } == [25, 50], "\(arm.name)")
    }
    // 3 at the first budget, 2.5 and 2 after; the wide arm is better by 0.1, 0.2 and 0.3.
    let report = StudyReport(plan) { task in
      func loss(_ place: Int) -> Double {
        3 - 0.5 * Double(place) - (task.arm == 1 ? 0.1 * Double(place + 1) : 0) + 0.001
          * Double(task.seed * (task.arm + 2) % 5)
      }
      let smaller = plan.arms[task.arm].budget.smaller
      return TaskOutcome(
        TaskResult(
          loss: loss(2), curve: [.init(tokens: 100, loss: loss(2))], contexts: [],
          budgets: [.init(tokens: smaller[0], loss: loss(0)), .init(tokens: smaller[1], loss: loss(1))]),
        TaskTimes(seconds: 1, tokensPerSecond: 1, machine: "a fake"))
    }
    #expect(report.budgets.map(\.amount) == [1e12, 2e12, 4e12])
    for (place, finding) in report.budgets.enumerated() {
      let mean = try #require(finding.comparisons[0]?.difference.mean)
      #expect(abs(mean + 0.1 * Double(place + 1)) < 0.01 && finding.comparisons[0]?.verdict == .better)
    }
    for text in [report.markdown, report.page] { #expect(text.contains("Budgets") && text.contains("1e+12 FLOPs")) }
    #expect(report.page.contains("Loss at the end of each budget"))
  }

  @Test(
    "a budget that cannot be is a sentence with its place",
    arguments: [
      ("5", "'budget' takes one of tokens, flops, seconds"), ("{flop: 1e12}", "'flop' is not a key"),
      ("{tokens: [64, 0]}", "an amount of at least 1, or several"), ("{tokens: [64, 64]}", "is there twice"),
      ("{tokens: []}", "from 1 to 16 amounts"), ("{flops: 0}", "an amount of at least 1"),
      ("{flops: 1e12, tokens: 5}", "'tokens' is a second"),
      ("{flops: 1e12}\ntrain: {steps: 4}", "'steps' is not free"),
      ("{tokens: 64}\nhold: {tokens: 64}", "'hold' gives every run its tokens already"),
    ])
  func refused(_ lines: String, _ sentence: String) {
    let text = lines.contains("hold") ? Self.text.replacing("hold: none\n", with: "") : Self.text
    let message = Studies.message(text + "budget: \(lines)\n")
    #expect(message.contains(sentence) && message.contains("study.yaml:"), "\(message)")
  }
}
