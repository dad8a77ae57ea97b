/// What a reviewer would write of each arm.
extension StudyReport {
  /// A sentence for each arm but the baseline, in the order of the arms; empty while nothing is known.
  public var sentences: [String] {
    rows.compactMap { row in row.comparison.flatMap { sentence(of: row, $0) } } + ladderSentences
  }

  private func sentence(of row: Row, _ comparison: Comparison) -> String? {
    let base = plan.baseline.name
    guard let tuning = plan.study.tuning, let tuned = row.tuned, let best = tuned.comparison,
      let factor = tuned.chosen?.factor, let own = rows[0].tuned?.chosen?.factor
    else { return finding(comparison).map { "\(row.arm.name) \($0(base))." } }
    let rates =
      factor == own
      ? "at \(Tuning.words(factor)) the shared \(tuning.key), which is best for both"
      : "each at its own best \(tuning.key) (\(Tuning.words(factor)) against \(Tuning.words(own)))"
    guard let first = finding(best) else { return finding(comparison).map { "\(row.arm.name) \($0(base))." } }
    var text = "\(row.arm.name) \(first(base)), \(rates)"
    if best.verdict != comparison.verdict {
      let shared =
        comparison.verdict == .notDistinguishable
        ? "no significant difference" : words(for: comparison.verdict)
      text += "; at the shared \(tuning.key) it is \(shared) (\(Wording.difference(comparison)))"
    } else {
      text += "; at the shared \(tuning.key) likewise"
    }
    if tuned.curve.isAtEdge || rows[0].tuned?.curve.isAtEdge == true {
      text += "; a best lies at the end of what was tried, so it may not be the best"
    }
    return text + "."
  }

  /// What was found, after the arm's name and before the baseline's.
  private func finding(_ comparison: Comparison) -> ((String) -> String)? {
    let pairs = comparison.difference.sample.count
    let basis =
      comparison.difference.basis == .seeds ? "\(pairs) \(pairs == 1 ? "seed" : "seeds")" : "\(pairs) parts of the text"
    let interval = Wording.interval(comparison).map { "\($0), \(basis)" } ?? basis
    let size = comparison.difference.mean.map { Wording.loss(abs($0)) } ?? ""
    switch comparison.verdict {
    case .better: return { "is better than \($0) by \(size) nats (\(interval))" }
    case .worse: return { "is worse than \($0) by \(size) nats (\(interval))" }
    case .notDistinguishable:
      let blind = comparison.smallestDetectable.map {
        "; differences from \(Wording.loss($0)) nats on would have been found four times in five"
      }
      return {
        "does not differ significantly from \($0) (\(Wording.signed(comparison.difference.mean)) nats, \(interval)\(blind ?? ""))"
      }
    case .tooFewSeeds:
      return comparison.difference.mean == nil
        ? nil : { "cannot be told from \($0) yet (\(Wording.signed(comparison.difference.mean)) nats, \(basis))" }
    case .diverged: return { _ in "diverged" }
    }
  }

  /// What an effect was found to be.
  public func words(ofEffect comparison: Comparison) -> String { words(ofEffect: comparison.verdict) }

  func words(ofEffect verdict: Verdict) -> String {
    switch verdict {
    case .better: "lowers the loss"
    case .worse: "raises the loss"
    case .notDistinguishable: "not significant"
    case .tooFewSeeds, .diverged: words(for: verdict)
    }
  }

  /// The title of the effects, and what they are.
  public var effectsTitle: (title: String, meaning: String)? {
    switch plan.study.design {
    case .each: nil
    case .grid:
      (
        "Main effects and interactions",
        "The main effect of a value is what it changes in the loss on average over the other factors' values; an interaction, how much of one's effect is due to the other."
      )
    case .fractional(let design, _):
      (
        "Effects",
        "The effect of a change is the mean loss of the \(design.runs.count / 2) models that have it, less that of those that have not (a fraction of resolution \(Wording.roman(design.resolution)))."
      )
    case .path(let design, _):
      (
        "What each change contributes",
        "What a change adds, averaged over \(design.orders.map { "\($0.count)" } ?? "all") orders of making the changes (Shapley values): the shares add up to the whole difference."
      )
    }
  }

  /// The setting that effects are told at each model's own best of; nil where none is tuned, or not all of it is known.
  var effectsTuning: String? { effects.contains { $0.shared != nil } ? plan.study.tuning?.key : nil }

  /// The columns of the effects, and a row for each.
  public var effectsTable: [[String]] {
    let head = effectsTuning.map {
      ["Δ nats, each at its own best \($0)", "p", "verdict", "Δ nats at the shared \($0)"]
    }
    return [["effect"] + (head ?? ["Δ nats", "p", "verdict"])]
      + effects.map { effect in
        [
          effect.contrast.name, Wording.difference(effect.comparison),
          Wording.probability(effect.comparison.correctedProbability), words(ofEffect: effect.comparison),
        ] + (head == nil ? [] : [effect.shared.map(Wording.difference) ?? "–"])
      }
  }

  /// The columns of what was tuned, and a row for each arm; empty where nothing was.
  public var tuningTable: [[String]] {
    guard let tuning = plan.study.tuning else { return [] }
    return [["arm", "best \(tuning.key)", "loss there", "Δ nats, best against best", "p", "verdict", "tried"]]
      + rows.map { row in
        let tuned = row.tuned
        let loss = Sample((tuned?.chosen?.losses ?? [:]).sorted { $0.key < $1.key }.map(\.value))
        return [
          row.arm.name,
          tuned?.chosen.map { "\(Wording.short($0.value)) (\(Tuning.words($0.factor)))" } ?? "–",
          Wording.sample(loss), tuned?.comparison.map(Wording.difference) ?? "",
          tuned?.comparison.map { Wording.probability($0.correctedProbability) } ?? "",
          tuned?.comparison.map { words(for: $0.verdict) } ?? (row.comparison == nil ? "baseline" : "–"),
          (tuned?.curve.points.map { "\(Tuning.words($0.factor)) \(Wording.loss($0.loss))" } ?? []).joined(
            separator: ", ")
            + (tuned?.curve.isAtEdge == true ? " (best at the end)" : ""),
        ]
      }
  }
}

extension Wording {
  /// `95 % interval −0.0512 to −0.0264`; nil without one.
  static func interval(_ comparison: Comparison) -> String? {
    guard let mean = comparison.difference.mean, let half = comparison.halfWidth, half.isFinite else { return nil }
    return "\(confidence(comparison)) % interval \(signed(mean - half)) to \(signed(mean + half))"
  }

  /// `95`, `99.8`, `99.97`: in per cent, with as many digits as keep it from being 100.
  static func confidence(_ comparison: Comparison) -> String {
    let percent = comparison.confidence * 100
    let texts = (1...6).map { fixed(percent, $0) }
    let text = texts.first { !$0.hasPrefix("100") } ?? texts[0]
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// `IV`.
  static func roman(_ number: Int) -> String {
    let letters = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]
    return letters.indices.contains(number - 1) ? letters[number - 1] : String(number)
  }
}
