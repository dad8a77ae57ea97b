import Ablation
import Composition
import Files

/// Where a report goes: the table to standard output, its other forms into the study's folder.
struct StudyOutput {
  private let report: StudyReport
  private let folder: StudyFolder

  init(_ opened: OpenedStudy, includesTimes: Bool) {
    report = StudyReport(opened.plan, in: opened.folder, includesTimes: includesTimes)
    folder = opened.folder
  }

  func write(json: Bool) throws {
    // What other programs compare is without times, whoever asks for them elsewhere.
    let results = StudyReport(report.plan, in: folder, includesTimes: false).json.serialized(pretty: true) + "\n"
    try writeAtomically(results, to: folder.path + "/results.json")
    try writeAtomically(report.markdown, to: folder.path + "/report.md")
    try writeAtomically(report.page, to: folder.path + "/report.html")
    Console.write(json ? report.json.serialized(pretty: true) + "\n" : text)
    Console.note("report: \(folder.path)/report.html, report.md, results.json")
  }

  /// The report for a terminal.
  private var text: String {
    var text = report.headline + "\n\n"
    var table = TextTable([.left, .right, .right, .right, .right, .left, .right, .right, .right], flexible: [0])
    table.add("arm", "loss", "Δ nats", "Δ %", "p", "verdict", "parameters", "Δ params", "tokens/s")
    for row in report.rows {
      table.add([
        row.arm.name, Wording.sample(row.losses), row.comparison.map(Wording.difference) ?? "",
        row.comparison.map { Wording.percent($0.percent) } ?? "",
        row.comparison.map { Wording.probability($0.correctedProbability) } ?? "",
        row.comparison.map { report.words(for: $0.verdict) } ?? "baseline",
        Wording.count(row.arm.parameterCount),
        row.comparison == nil ? "" : Wording.mismatch(row.arm, report.plan.study.hold),
        report.includesTimes ? row.tokensPerSecond.map { Wording.count(Int(rounding: $0)) } ?? "–" : "",
      ])
    }
    text += table.text(width: Console.width)
    let contexts = report.contexts
    if !contexts.isEmpty {
      var table = TextTable([.left] + contexts.map { _ in .right })
      table.add(["loss over windows of"] + contexts.map { "\($0) tokens" })
      for row in report.rows { table.add([row.arm.name] + contexts.map { Wording.length(row, at: $0) }) }
      text += "\n" + table.text(width: Console.width)
    }
    return text + "\n" + report.notes.map { $0 + "\n" }.joined()
  }
}
