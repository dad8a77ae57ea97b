import Ablation
import Foundation
import TestSupport
import Testing

/// What drawings and the lines around them say cannot mislead.
@Suite("pictures and provenance of a report") struct ReportPictureTests {
  // MARK: Labels

  @Test(
    "no two arms have one label, however alike their names begin, and none is long",
    arguments: [
      (0..<4).map { "norm.type=\($0 % 2 == 0 ? "layernorm" : "rmsnorm"), block.placement=\($0 < 2 ? "pre" : "post")" },
      (0..<30).map { "an arm whose name is long and says only at its end which it is \($0)" },
      (0..<30).map { "\($0) is where this one differs, and what follows is the same in all of them" },
      (0..<3).map { "the same beginning \($0) and the same end of a name" },
      ["a", "b", "rope theta=500000"], [], ["one"],
    ])
  func labels(_ names: [String]) {
    let texts = ArmLabels(names, limit: 22).texts
    #expect(texts.count == names.count && Set(texts).count == names.count, "\(texts)")
    #expect(texts.allSatisfy { $0.count <= 22 + 4 })
  }

  @Test("values are names enough where they tell arms apart, and short names stay") func values() {
    #expect(
      ArmLabels(["norm.type=layernorm, block.placement=pre", "norm.type=rmsnorm, block.placement=pre"], limit: 22).texts
        == ["layernorm, pre", "rmsnorm, pre"])
    #expect(
      ArmLabels(["position=rope", "rope theta=500000"], limit: 22).texts == ["position=rope", "rope theta=500000"])
  }

  @Test("the page of a grid has a label for each arm") func grid() throws {
    let plan = try Studies.plan(
      """
      ablation: q
      base: gpt2-mini
      data: text.txt
      combine: grid
      hold: none
      vary: {norm.type: [layernorm, rmsnorm], block.placement: [pre, post, sandwich]}
      """)
    let page = StudyReport(plan, outcome: Self.outcome(of: plan)).page
    for label in ["layernorm, post", "rmsnorm, pre", "rmsnorm, sandwich"] {
      #expect(page.contains(">\(label)<"), "\(label)")
    }
  }

  // MARK: Ranges

  @Test("a spike does not set the range of a curve, and a run that learns less than the others is shown") func spike() {
    let calm = [3, 2.8, 2.6, 2.5, 2.45, 2.4, 2.38, 2.36]
    var spiked = calm
    spiked[4] = 11
    let slow = calm.map { $0 + 0.9 }
    let range = PlotRange.of([calm, spiked, slow])
    #expect(range.max() == 3.9 && range.min() == 2.36)
    #expect(PlotRange.of([calm, calm.map { $0 + 500 }]).max() == 3, "nor does a run that has gone astray")
    #expect(PlotRange.of([]).isEmpty && PlotRange.of([[.nan, .infinity]]).isEmpty)
    #expect(PlotRange.near([2, 2.1, 1e9, .nan]) == [2, 2.1])
  }

  @Test("the words of an axis have a line of their own") func units() throws {
    let plan = try Studies.plan(Self.text)
    let page = StudyReport(plan, outcome: Self.outcome(of: plan)).page
    // Labels of the vertical axis end where its ticks stand; the highest tick is at the top of the drawing or below.
    let heights = page.matches(of: #/class="tick ending" x="[0-9.]+" y="([0-9.]+)"/#).compactMap { Double($0.output.1) }
    let units = page.matches(of: #/class="axis" x="[0-9.]+" y="([0-9.]+)"/#).compactMap { Double($0.output.1) }
    #expect(!heights.isEmpty && !units.isEmpty)
    // Letters are 11 pixels high.
    #expect((heights.min() ?? 0) - (units.max() ?? 0) > 11)
  }

  // MARK: Provenance

  @Test("date, version and the data's name stand in a report with times; without them only the data's name does")
  func origin() throws {
    let plan = try Studies.plan(Self.text)
    for includesTimes in [true, false] {
      let report = StudyReport(
        plan, includesTimes: includesTimes, origin: .init(version: "9.8.7", date: "2031-02-03"),
        outcome: Self.outcome(of: plan))
      for text in [report.markdown, report.page, report.json.serialized()] {
        #expect(text.contains("9.8.7") == includesTimes && text.contains("2031-02-03") == includesTimes)
        #expect(text.contains("text.txt"))
      }
    }
  }

  private static let text = """
    ablation: q
    base: gpt2-mini
    data: some/folder/text.txt
    hold: none
    arms:
      none: {position: none}
    """

  private static func outcome(of plan: StudyPlan) -> (StudyTask) -> TaskOutcome? {
    { task in
      try? FakeTrainer().train(plan.arms[task.arm], of: plan.study, seed: task.runSeed, contexts: [], in: "") { _ in
        true
      }
    }
  }
}
