import Ablation
import Foundation
import Specification
import TestSupport
import Testing

@Suite("studies with probes") struct ProbedStudyTests {
  private static let text = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    hold: none
    seeds: 4
    probes: [recall, parity]
    arms:
      none: {position: none}
      slow: {train: {lr: 0.0005}}
    """

  @Test("every arm is probed with every seed, and the report says what it can do") func report() throws {
    let plan = try Studies.plan(Self.text)
    let probes = plan.tasks.filter { $0.probe != nil }
    #expect(plan.tasks.count == 3 * 4 + 3 * 4 * 2 && probes.count == 24)
    #expect(Set(plan.tasks.map(\.key)).count == plan.tasks.count)
    let recall = plan.arm(of: try #require(probes.first { $0.probe == .recall }))
    #expect(recall.architecture.shape.vocabSize == Probe(.recall).vocabulary)
    #expect(recall.architecture.shape.contextLength == Probe(.recall).length)
    #expect(plan.name(of: probes[0]).contains("baseline, probe recall, seed 1"))
    let path = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = StudyFolder(path: path)
    let isComplete = try StudyRunner(plan, in: folder, trainer: FakeTrainer()).run { _ in true }
    #expect(isComplete)
    let report = StudyReport(plan, in: folder)
    #expect(report.isComplete && report.probes.map(\.probe.kind) == [.recall, .parity])
    #expect(report.probes[0].comparisons.map { $0?.verdict } == [.worse, .notDistinguishable])
    #expect(report.rows[1].outcomes.count == 4, "losses are of the runs on text alone")
    for text in [report.markdown, report.page] {
      #expect(text.contains("recall (chance 12.5 %)") && text.contains(" %, worse"))
    }
    let json = report.json["probes"]?.array?[0]
    #expect(json?["ceiling"]?.number == 1 && json?["chance"]?.number == 0.125)
    #expect(json?["arms"]?.array?[1]["accuracies"]?.array?.count == 4)
  }

  @Test("adding probes to a study that was run leaves its runs as they are") func added() throws {
    let plain = try Studies.plan(Self.text.replacing("probes: [recall, parity]\n", with: ""))
    let plan = try Studies.plan(Self.text)
    #expect(Set(plain.tasks.map(\.key)).isSubset(of: Set(plan.tasks.map(\.key))))
  }

  @Test(
    "what cannot be is a sentence with its place",
    arguments: [
      ("[recal]", "there is no probe 'recal'; there are recall, induction, copy, hops"),
      ("[recall, recall]", "is there already"),
      ("[[recall]]", "'probes' takes the names of probes"),
      ("{recall: 5}", "a probe takes a group of steps, batch, lr"),
      ("{recall: {stepz: 5}}", "'stepz' is not a key"), ("{recall: {steps: 0}}", "for at least one step"),
      ("[recall]\nweights: somewhere", "probes train every arm anew"),
    ])
  func refused(_ lines: String, _ sentence: String) {
    let message = Studies.message(Self.text.replacing("[recall, parity]", with: lines))
    #expect(message.contains(sentence) && message.contains("study.yaml:"), "\(message)")
  }
}
