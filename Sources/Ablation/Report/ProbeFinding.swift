import Essentials

/// What a probe found of each arm.
public struct ProbeFinding: Sendable {
  /// The probe.
  public let probe: Probe
  /// The share of right answers by arm, the baseline first, and by seed; NaN where a run diverged.
  public let accuracies: [[Int: Double]]
  /// How the share of wrong answers of each arm but the baseline compares with the baseline's.
  public let comparisons: [Comparison?]

  /// The accuracy of the arm at `index`, of runs that did not diverge.
  public func sample(_ index: Int) -> Sample {
    Sample(accuracies[index].sorted { $0.key < $1.key }.map(\.value).filter(\.isFinite))
  }
}

extension ProbeFinding {
  /// The findings, all their comparisons corrected together: a family beside that of the losses.
  static func all(_ measured: [(probe: Probe, accuracies: [[Int: Double]])]) -> [ProbeFinding] {
    let differences = measured.flatMap { _, accuracies in
      let errors = accuracies.map { $0.filter(\.value.isFinite).mapValues { 1 - $0 } }
      return errors.dropFirst().map { arm -> PairedDifference? in
        arm.isEmpty || errors[0].isEmpty ? nil : PairedDifference(arm: arm, baseline: errors[0])
      }
    }
    let tested = StudyStatistics(baseline: ArmLosses(runs: [:]), arms: [], further: differences).further
    var start = 0
    return measured.map { probe, accuracies in
      let count = accuracies.count - 1
      defer { start += count }
      return ProbeFinding(
        probe: probe, accuracies: accuracies, comparisons: Array(tested[start..<start + count]))
    }
  }
}

extension StudyReport {
  /// The columns of the probes, and a row for each arm: the share of right answers, and what can be said of it.
  public var probesTable: [[String]] {
    if probes.isEmpty { return [] }
    let head = ["arm"] + probes.map { "\($0.probe.name) (chance \(Wording.share(of: $0.probe.chance)))" }
    return [head]
      + rows.indices.map { index in
        [rows[index].arm.name]
          + probes.map { finding in
            guard let mean = finding.sample(index).mean else {
              return finding.accuracies[index].isEmpty ? "–" : "diverged"
            }
            let spread = finding.sample(index).standardDeviation.map { " ± \(Wording.fixed($0 * 100, 1))" } ?? ""
            let text = Wording.fixed(mean * 100, 1) + spread + " %"
            guard index > 0, let comparison = finding.comparisons[index - 1] else { return text }
            switch comparison.verdict {
            case .better, .worse: return "\(text), \(comparison.verdict.rawValue)"
            case .notDistinguishable, .tooFewSeeds, .diverged: return text
            }
          }
      }
  }

  /// What the probes' table says.
  public static let probesMeaning =
    "Right answers, of 100 %, on sequences that were not trained on; each probe trains every arm anew. Better and worse are by a paired t test over seeds, corrected by Holm for all cells of this table together; what has no word is no significant difference."
}

extension Wording {
  /// `12.5 %`.
  static func share(of part: Double) -> String { fixed(part * 100, 1).replacing(".0", with: "") + " %" }
}
