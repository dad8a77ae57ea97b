import Files
import Specification

extension StudyReport {
  /// The report for a paper's appendix or a pull request.
  public var markdown: String {
    var text = "# \(plan.study.name)\n\n\(headline)\n\n"
    if !sentences.isEmpty { text += sentences.map { "- \($0)\n" }.joined() + "\n" }
    var columns = ["arm", "loss", "Δ nats", "Δ %", "p", "verdict", "parameters", "Δ params", "FLOPs/token", "memory"]
    if includesTimes { columns += ["tokens/s", "time"] }
    text += line(columns) + line(columns.indices.map { $0 == 0 || $0 == 5 ? "---" : "---:" })
    for row in rows {
      var cells = [row.arm.name, Wording.sample(row.losses)]
      if let comparison = row.comparison {
        cells += [
          Wording.difference(comparison), Wording.percent(comparison.percent),
          Wording.probability(comparison.correctedProbability), "**\(words(for: comparison.verdict))**",
        ]
      } else {
        cells += ["", "", "", "baseline"]
      }
      cells += [
        Wording.count(row.arm.parameterCount), row.comparison == nil ? "" : Wording.mismatch(row.arm, plan.study.hold),
        Wording.operations(row.arm.flopsPerToken), Wording.bytes(row.arm.training.memory),
      ]
      if includesTimes {
        cells += [
          row.tokensPerSecond.map { Wording.count(Int(rounding: $0)) } ?? "–", row.seconds.map(Wording.duration) ?? "–",
        ]
      }
      text += line(cells)
    }
    text += "\n" + notes.map { "- \($0)\n" }.joined()
    if let title = effectsTitle, !effects.isEmpty {
      text += "\n## \(title.title)\n\n\(title.meaning)\n\n" + table(effectsTable)
    }
    if let tuning = plan.study.tuning { text += "\n## Each at its own best \(tuning.key)\n\n" + table(tuningTable) }
    if !probes.isEmpty { text += "\n## Probes\n\n\(Self.probesMeaning)\n\n" + table(probesTable) }
    for section in sections { text += "\n## \(section.title)\n\n\(section.meaning)\n\n" + table(section.table) }
    let stability = stabilityTable
    if !stability.isEmpty { text += "\n## Stability\n\n\(Self.stabilityMeaning)\n\n" + table(stability) }
    text += extrapolation + "\n## Arms\n\nThe base is \(plan.baseline.architecture.name); each arm changes\n\n```yaml\n"
    for row in rows where row.comparison != nil {
      let yaml = yaml(of: row.arm)
      text += "# \(row.arm.name)\n" + (yaml.isEmpty ? "{}\n" : yaml)
    }
    text += "```\n\n## Runs\n\nTraining: \(settings). Data: \(dataNames) (\(plan.dataFingerprint)).\n"
    if includesTimes, !machines.isEmpty { text += "Machine: \(machines.joined(separator: "; ")).\n" }
    if let origin { text += "Written on \(origin.date) by chimera \(origin.version).\n" }
    let seeds = plan.seeds
    text += "\n" + line(["arm"] + seeds.map { "seed \($0)" }) + line(["---"] + seeds.map { _ in "---:" })
    for row in rows {
      text += line(
        [row.arm.name] + seeds.map { seed in Wording.loss(row.outcomes.first { $0.seed == seed }?.outcome.result.loss) }
      )
    }
    text +=
      "\n```sh\n" + commands.joined(separator: "\n") + "\n```\n\nFingerprint of the study: `\(plan.fingerprint)`\n"
    return text
  }

  private var extrapolation: String {
    let contexts = contexts
    guard !contexts.isEmpty else { return "" }
    var text =
      "\n## Other lengths\n\nValidation loss in nats over windows of this many tokens; trained at \(plan.baseline.training.context).\n\n"
    text += line(["arm"] + contexts.map { "\($0)" }) + line(["---"] + contexts.map { _ in "---:" })
    for row in rows {
      text += line([row.arm.name] + contexts.map { Wording.length(row, at: $0) })
    }
    return text
  }

  /// The first row is the head; the last column but one is of words.
  private func table(_ rows: [[String]]) -> String {
    guard let head = rows.first else { return "" }
    return line(head) + line(head.indices.map { $0 == 0 || $0 >= head.count - 1 ? "---" : "---:" })
      + rows.dropFirst().map(line).joined()
  }

  private func line(_ cells: [String]) -> String {
    "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
  }
}

extension Wording {
  /// An arm's loss at a length: `2.0150 ± 0.0289`, or that it cannot be evaluated there.
  public static func length(_ row: StudyReport.Row, at context: Int) -> String {
    if row.outcomes.isEmpty { return "–" }
    guard let losses = row.losses(at: context) else { return "cannot be evaluated" }
    return sample(losses)
  }
}
