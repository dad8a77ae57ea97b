import Components
import Essentials
import Specification

/// What a report says in sentences, the same in every form.
extension StudyReport {
  /// What was found, in one sentence: of a design, what it was made to ask.
  public var headline: String { effectsHeadline ?? armsHeadline }

  /// What came of the design's questions, and how many of its models differ; nil without them and while nothing is known.
  private var effectsHeadline: String? {
    guard let title = effectsTitle?.title, effects.contains(where: { $0.comparison.correctedProbability != nil }) else {
      return nil
    }
    let parts = Verdict.allCases.compactMap { verdict -> String? in
      let names = effects.filter { $0.comparison.verdict == verdict }.map { effect in
        verdict == .better || verdict == .worse
          ? "\(effect.contrast.name) (\(Wording.signed(effect.comparison.difference.mean)))" : effect.contrast.name
      }
      return names.isEmpty ? nil : "\(words(ofEffect: verdict)): \(names.joined(separator: ", "))"
    }
    let models = rows.compactMap { ($0.tuned?.comparison ?? $0.comparison)?.verdict }
    let counts = Verdict.allCases.compactMap { verdict in
      let count = models.count { $0 == verdict }
      return count == 0 ? nil : "\(words(for: verdict)) \(count)"
    }
    let how = effectsTuning.map { ", each at its own best \($0)" } ?? ""
    return "\(title)\(how): \(parts.joined(separator: "; ")). Of \(models.count) models beside \(plan.baseline.name): "
      + (counts + troubles).joined(separator: ", ") + "."
  }

  /// What keeps arms from being compared.
  private var troubles: [String] {
    let failed = rows.filter { !$0.failures.isEmpty }.map(\.arm.name)
    return (rows[0].hasDiverged ? ["the baseline itself diverged"] : [])
      + (failed.isEmpty ? [] : ["failed: " + failed.joined(separator: ", ")])
  }

  /// What was found of each arm.
  private var armsHeadline: String {
    let compared = rows.filter { $0.comparison != nil }
    func names(_ verdict: Verdict) -> String? {
      let names = compared.filter { $0.comparison?.verdict == verdict }.map(\.arm.name)
      return names.isEmpty ? nil : names.joined(separator: ", ")
    }
    let parts =
      [
        names(.better).map { "better: \($0)" }, names(.worse).map { "worse: \($0)" },
        names(.notDistinguishable).map { "no significant difference: \($0)" },
        names(.tooFewSeeds).map { "\(tooFew): \($0)" }, names(.diverged).map { "diverged: \($0)" },
      ].compactMap { $0 } + troubles
    let shared =
      "Against \(plan.baseline.name): " + (parts.isEmpty ? "nothing yet" : parts.joined(separator: "; ")) + "."
    guard let tuning = plan.study.tuning, let best = bestHeadline else { return shared }
    return "\(best) At the shared \(tuning.key): " + shared.prefix(1).lowercased() + shared.dropFirst()
  }

  /// What was found of arms at their own best; nil while that is not known.
  private var bestHeadline: String? {
    guard let tuning = plan.study.tuning, rows.contains(where: { $0.tuned?.comparison != nil }) else { return nil }
    let parts = [Verdict.better, .worse, .notDistinguishable, .tooFewSeeds].compactMap { verdict -> String? in
      let names = rows.filter { $0.tuned?.comparison?.verdict == verdict }.map(\.arm.name)
      return names.isEmpty ? nil : "\(words(for: verdict)): \(names.joined(separator: ", "))"
    }
    return "Each at its own best \(tuning.key), against \(plan.baseline.name): \(parts.joined(separator: "; "))."
  }

  /// What is said of arms that have too little for a verdict.
  private var tooFew: String { plan.isEvaluation ? "too short a text to say" : Verdict.tooFewSeeds.rawValue }

  /// A verdict as this study says it.
  public func words(for verdict: Verdict) -> String { verdict == .tooFewSeeds ? tooFew : verdict.rawValue }

  /// What a reader must know to believe the table, a sentence each.
  public var notes: [String] {
    var notes: [String] = []
    if !isComplete {
      notes.append("\(finishedCount) of \(tasks.count) runs are finished; the rest is missing here.")
    }
    notes += rows.compactMap(\.trouble)
    if let floor = statistics.noiseFloor {
      notes.append(
        "Noise floor: two runs of \(plan.baseline.name) that differ only in the seed end up to "
          + "\(Wording.loss(floor)) nats apart (95 times in 100, from \(statistics.baseline.count) seeds). It is what "
          + "comparing single runs can be mistaken by; verdicts can be of smaller differences, for they are of "
          + "\(plan.seeds.count) seeds, each of which both arms share.")
    }
    notes.append(test)
    if let schedule = plan.study.schedule, !plan.isEvaluation {
      notes.append(
        "Seeds are added until an arm is decided: looks at \(schedule.looks.map(String.init).joined(separator: ", ")) seeds, of which "
          + "\(statistics.finishedLooks) are over. Each look spends a part of the 5 % (Kim and DeMets), so looking several times does "
          + "not find more than there is. Decided: "
          + (rows.compactMap { row in row.comparison?.decidedAt.map { "\(row.arm.name) at \($0)" } }.joined(
            separator: ", "
          )
          .nonEmpty ?? "none") + ".")
    }
    if let budget = plan.study.budget {
      notes.append(
        "Every arm spends \(budget.words), each to the end of its own schedule: "
          + rows.map { "\($0.arm.name) \(Wording.count($0.arm.training.tokens)) tokens" }.joined(separator: ", ") + ".")
    }
    if let tuning = plan.study.tuning {
      notes.append(
        "Each arm was run with the first seed at several values of \(tuning.key), and with all seeds at the best two. A seed's "
          + "loss is that at the value which the other seeds prefer, so that choosing flatters nobody.")
    }
    notes += plan.study.design.aliases.map { "In this fraction \($0)." }
    let same = rows.filter { $0.comparison?.difference.isWithoutChance ?? false }.map(\.arm.name)
    if !same.isEmpty {
      notes.append(
        "Every seed gave the same loss for \(same.joined(separator: ", ")) and the baseline, so nothing is known of what "
          + "chance explains.")
    }
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
      let beginning =
        plan.study.hold.quantity == .none
        ? "Nothing was held equal, and arms differ in \(what)" : "Not matched in \(what)"
      notes.append("\(beginning): \(unmatched.joined(separator: ", ")). Their differences may be due to size.")
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

  /// The commands that go on with the study and make this report again. A report without times is the same wherever it is
  /// written: its commands are for the study's folder.
  public var commands: [String] {
    let path = includesTimes ? Wording.quoted(absolute(folder)) : "."
    let last = tasks.count - 1
    return (includesTimes ? [] : ["# in the study's folder"]) + [
      "chimera ablate \(path)",
      "chimera ablate run \(path) --task 0     # one task\(last > 0 ? ", 0 to \(last)" : ""), on any machine that sees the folder",
      "chimera ablate merge \(path)",
    ]
  }

  private func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + (path == "." ? "" : "/" + path)
  }

  /// How verdicts and intervals are come by.
  private var test: String {
    let (all, contrasts) = statistics.tests
    let count =
      "\(all) \(all == 1 ? "comparison" : "comparisons")"
      + (contrasts > 0 && contrasts < all
        ? ", of which the \(contrasts) that the design was made for have one half of the error among them" : "")
    let intervals =
      "where there is no difference at all, at most one study in twenty reports one. Intervals are at the confidence that "
      + "each verdict was decided at, 95 % or more, so a verdict is one whose interval leaves 0 out"
    if plan.isEvaluation {
      return
        "Nothing is trained, so a seed changes nothing and each arm was evaluated once. A verdict is a paired bootstrap over "
        + "\(rows[0].outcomes.first?.outcome.result.windows.count ?? 0) windows of the validation text, corrected by Holm for \(count): "
        + intervals + "; it speaks of other texts of this kind, not of other training runs."
    }
    return "A verdict is a paired t test over seeds, corrected by Holm for \(count): " + intervals
      + "; ± behind a loss is the standard deviation over seeds."
  }

  /// An arm's changes as YAML; empty for the baseline.
  func yaml(of arm: PlannedArm) -> String {
    var tree = arm.patch
    if arm.trainingPatch.entries?.isEmpty == false { tree[StudyKeys.training] = arm.trainingPatch }
    return tree.entries?.isEmpty ?? true ? "" : YAMLWriter().write(tree)
  }
}

extension StudyReport.Row {
  /// Whether a run of it diverged.
  var hasDiverged: Bool { outcomes.contains { !$0.outcome.result.loss.isFinite } }

  /// Which of its runs diverged or failed, and how, in a sentence; nil when all are well.
  var trouble: String? {
    let diverged = outcomes.filter { !$0.outcome.result.loss.isFinite }.map { run in
      "seed \(run.seed) \(Wording.divergence(run.outcome.result))"
    }
    let failed = failures.map { "seed \($0.seed) failed: \($0.reason)" }
    let all = diverged + failed
    return all.isEmpty ? nil : "\(arm.name): \(all.joined(separator: "; "))."
  }
}

extension String {
  /// Nil of no characters.
  fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
