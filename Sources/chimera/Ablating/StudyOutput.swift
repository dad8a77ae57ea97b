import Ablation
import Composition
import Files
import Essentials

/// Where a report goes: the table to standard output, its other forms into the study's folder.
struct StudyOutput {
  private let report: StudyReport
  private let folder: StudyFolder

  init(_ opened: OpenedStudy, includesTimes: Bool) {
    let origin = StudyReport.Origin(
      version: programVersion, date: Date.now.formatted(.iso8601.year().month().day()))
    report = StudyReport(opened.plan, in: opened.folder, includesTimes: includesTimes, origin: origin)
    folder = opened.folder
  }

  /// Writes the page alone, as it is while the study runs.
  static func writeLive(_ opened: OpenedStudy) throws {
    var report = StudyReport(opened.plan, in: opened.folder)
    report.isLive = true
    try writeAtomically(report.page, to: opened.folder.path + "/report.html")
  }

  func write(json: Bool) throws {
    // What other programs compare is without times, whoever asks for them elsewhere.
    let results = StudyReport(report.plan, in: folder, includesTimes: false).json.serialized(pretty: true) + "\n"
    try writeAtomically(results, to: folder.path + "/results.json")
    try writeAtomically(report.markdown, to: folder.path + "/report.md")
    try writeAtomically(report.tabSeparated, to: folder.path + "/results.tsv")
    try writeAtomically(report.page, to: folder.path + "/report.html")
    Console.write(json ? report.json.serialized(pretty: true) + "\n" : text)
    Console.note("report: \(folder.path)/report.html, report.md, results.json, results.tsv")
  }

  /// The report for a terminal.
  private var text: String {
    var text = report.headline + "\n\n"
    if !report.sentences.isEmpty { text += report.sentences.map { $0 + "\n" }.joined() + "\n" }
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
    if let title = report.effectsTitle, !report.effects.isEmpty {
      text += "\n\(title.title). \(title.meaning)\n" + lines(report.effectsTable)
    }
    if let tuning = report.plan.study.tuning {
      text += "\nEach at its own best \(tuning.key)\n" + lines(report.tuningTable)
    }
    if !report.probes.isEmpty { text += "\nProbes. \(StudyReport.probesMeaning)\n" + lines(report.probesTable) }
    for section in report.sections { text += "\n\(section.title). \(section.meaning)\n" + lines(section.table) }
    let contexts = report.contexts
    if !contexts.isEmpty {
      var table = TextTable([.left] + contexts.map { _ in .right })
      table.add(["loss over windows of"] + contexts.map { "\($0) tokens" })
      for row in report.rows { table.add([row.arm.name] + contexts.map { Wording.length(row, at: $0) }) }
      text += "\n" + table.text(width: Console.width)
    }
    return text + "\n" + report.notes.map { $0 + "\n" }.joined()
  }

  private func lines(_ rows: [[String]]) -> String {
    guard let head = rows.first else { return "" }
    var table = TextTable(head.indices.map { $0 == 0 || $0 + 1 == head.count ? .left : .right }, flexible: [0])
    for row in rows { table.add(row) }
    return table.text(width: Console.width)
  }
}
