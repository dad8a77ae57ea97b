import Essentials

extension StudyReport {
  /// The columns of the ladder, and a row for each arm.
  public var ladderTable: [[String]] {
    guard let ladder else { return [] }
    let head =
      ["arm"] + ladder.factors.map { "loss at \(Tuning.words($0))" }
      + [
        "L∞, b", "compute multiplier at \(Tuning.words(ladder.factors.last ?? 1))", "p", "verdict",
        "with size the gain", "Δ nats predicted at 10 × the compute",
      ]
    return [head] + ladder.arms.indices.map { ladderLine($0, ladder.arms[$0]) }
  }

  private func ladderLine(_ index: Int, _ arm: LadderFinding.Arm) -> [String] {
    var cells = [rows[index].arm.name]
    for losses in arm.line.losses {
      cells.append(Wording.sample(Sample(losses.sorted { $0.key < $1.key }.map(\.value).filter(\.isFinite))))
    }
    cells.append(arm.curve.map { "\(Wording.fixed($0.limit, 2)), b = \(Wording.fixed($0.exponent, 2))" } ?? "–")
    guard index > 0 else { return cells + ["", "", "baseline", "", ""] }
    cells.append(arm.multiplier.flatMap(Wording.multiplier) ?? "–")
    cells.append(arm.multiplier.map { Wording.probability($0.correctedProbability) } ?? "–")
    cells.append(arm.multiplier.map { words(for: $0.verdict) } ?? "–")
    cells.append(arm.trend.map(Self.words(ofTrend:)) ?? "–")
    cells.append(arm.statistics?.prediction.flatMap(Wording.prediction) ?? "not known")
    return cells
  }

  /// What the table says.
  public static let ladderMeaning =
    "The study at several widths of the base, heads of the same width, arms matched at each. A curve L = L∞ + a·C^−b of training FLOPs is fitted to each arm's mean losses. The compute multiplier says how many times the arm's compute the baseline's curve needs for the arm's loss at the largest size: above 1 the arm is cheaper. It and its trend are tested with the study's other differences; what is predicted beyond the largest size has its 95 % interval and is no verdict."

  /// Which way an arm's gain goes with size.
  static func words(ofTrend comparison: Comparison) -> String {
    switch comparison.verdict {
    case .better: "grows"
    case .worse: "shrinks"
    case .notDistinguishable: "neither grows nor shrinks significantly"
    case .tooFewSeeds, .diverged: comparison.verdict.rawValue
    }
  }

  /// A sentence for each arm, of what it needs at the largest size; empty without a ladder and while nothing is known.
  public var ladderSentences: [String] {
    guard let ladder else { return [] }
    return ladder.arms.enumerated().compactMap { index, arm in
      guard let multiplier = arm.multiplier, let words = Wording.multiplier(multiplier),
        multiplier.verdict != .diverged
      else { return nil }
      let size = Tuning.words(ladder.factors.last ?? 1)
      var text = "\(rows[index].arm.name) at the largest size (\(size)) has a compute multiplier of \(words): "
      switch multiplier.verdict {
      case .better: text += "\(plan.baseline.name) needs more compute for the same loss"
      case .worse: text += "\(plan.baseline.name) needs less compute for the same loss"
      case .notDistinguishable: text += "no significant difference from 1"
      case .tooFewSeeds, .diverged: text += multiplier.verdict.rawValue
      }
      if let trend = arm.trend { text += "; with size the gain \(Self.words(ofTrend: trend))" }
      return text + "."
    }
  }
}

extension Wording {
  /// What an interval of a compute multiplier is at most told to.
  private static let widest = 100.0

  /// `1.18 (95 % interval 1.05 to 1.33)`, of −ln of a multiplier.
  static func multiplier(_ comparison: Comparison) -> String? {
    guard let mean = comparison.difference.mean else { return nil }
    let text = fixed(exp(-mean), 3)
    guard let half = comparison.halfWidth, half.isFinite else { return text }
    // Curves of three sizes that hardly fall say nothing of compute, and digits of such an interval would say that they do.
    if half > log(widest) { return "\(text) (its interval is wider than a factor of \(Int(widest)) either way)" }
    let ends = [-half, half].map { fixed(exp($0 - mean), 3) }
    return "\(text) (\(confidence(comparison)) % interval \(ends[0]) to \(ends[1]))"
  }

  /// `−0.0231 (−0.0402 to −0.0060)`; nil without an interval, for nothing is predicted without one.
  static func prediction(_ difference: PairedDifference) -> String? {
    guard let mean = difference.mean, difference.sample.count >= Verdict.fewestSeeds,
      let half = difference.halfWidth(level: StudyStatistics.level), half.isFinite
    else { return nil }
    return "\(signed(mean)) (\(signed(mean - half)) to \(signed(mean + half)))"
  }
}
