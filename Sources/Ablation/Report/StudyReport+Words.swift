import Components
import Specification

/// What a report says in sentences, the same in every form.
extension StudyReport {
  /// What was found, in one sentence.
  public var headline: String {
    let compared = rows.filter { $0.comparison != nil }
    func names(_ verdict: Verdict) -> String? {
      let names = compared.filter { $0.comparison?.verdict == verdict }.map(\.arm.name)
      return names.isEmpty ? nil : names.joined(separator: ", ")
    }
    let parts = [
      names(.better).map { "better: \($0)" }, names(.worse).map { "worse: \($0)" },
      names(.notDistinguishable).map { "no significant difference: \($0)" },
      names(.tooFewSeeds).map { "too few seeds to say: \($0)" }, names(.diverged).map { "diverged: \($0)" },
    ].compactMap { $0 }
    return "Against \(plan.baseline.name): " + (parts.isEmpty ? "nothing yet" : parts.joined(separator: "; ")) + "."
  }

  /// What a reader must know to believe the table, a sentence each.
  public var notes: [String] {
    var notes: [String] = []
    if !isComplete {
      notes.append("\(finishedCount) of \(plan.tasks.count) runs are finished; the rest is missing here.")
    }
    if let floor = statistics.noiseFloor {
      notes.append(
        "Noise floor: two runs of \(plan.baseline.name) that differ only in the seed end up to "
          + "\(Wording.loss(floor)) nats apart (95 times in 100, from \(statistics.baseline.count) seeds).")
    }
    notes.append(
      "A verdict is a paired t test over seeds, corrected by Holm for \(rows.count - 1) "
        + "\(rows.count == 2 ? "comparison" : "comparisons"): where there is no difference at all, at most one study in "
        + "twenty reports one. Intervals hold 95 % each, uncorrected; ± behind a loss is the standard deviation over seeds."
    )
    let blind = rows.compactMap { row in
      row.comparison?.verdict == .notDistinguishable
        ? row.comparison?.smallestDetectable.map { "\(row.arm.name) \(Wording.loss($0))" } : nil
    }
    if !blind.isEmpty {
      notes.append(
        "No significant difference does not mean equal: these differences, in nats, would have been detected: "
          + blind.joined(separator: ", ") + ". More seeds detect smaller ones.")
    }
    let unmatched = rows.filter { !$0.arm.isMatched }.map {
      "\($0.arm.name) (\(Wording.signed($0.arm.mismatch * 100, digits: 1)) %)"
    }
    if !unmatched.isEmpty {
      let what = plan.study.hold.quantity == .flops ? "FLOPs per token" : "parameters"
      notes.append(
        "Not matched in \(what): \(unmatched.joined(separator: ", ")). Their differences may be due to size.")
    }
    let sized = rows.compactMap { row in row.arm.sizing.map { "\(row.arm.name): \($0.path) = \($0.width)" } }
    if !sized.isEmpty { notes.append("Sized to match: \(sized.joined(separator: "; ")).") }
    if plan.study.hold.dataOrder == .own {
      notes.append("Every arm has seeds of its own, so equal seeds share neither data nor start.")
    }
    return notes
  }

  /// How the arms were trained.
  public var settings: String {
    plan.baseline.training.settings.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  /// The commands that make this report again.
  public var commands: [String] {
    [
      "chimera ablate study.yaml", "chimera ablate run FOLDER --task K     # one of \(plan.tasks.count), anywhere",
      "chimera ablate merge FOLDER",
    ]
  }

  /// An arm's changes as YAML; empty for the baseline.
  func yaml(of arm: PlannedArm) -> String {
    var tree = arm.patch
    if arm.trainingPatch.entries?.isEmpty == false { tree[StudyKeys.training] = arm.trainingPatch }
    return tree.entries?.isEmpty ?? true ? "" : YAMLWriter().write(tree)
  }
}
