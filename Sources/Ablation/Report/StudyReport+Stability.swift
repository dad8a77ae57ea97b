import Essentials

extension StudyReport {
  /// The columns of how calmly arms trained, and a row for each; empty where no run tells.
  public var stabilityTable: [[String]] {
    guard rows.contains(where: { !stabilities($0).isEmpty }) else { return [] }
    let tuning = plan.study.tuning
    let hasExtremes = rows.contains { stabilities($0).contains { $0.largestActivation != nil } }
    let head =
      ["arm", "gradient norm: median", "99th percentile", "largest", "loss spikes", "diverged"]
      + (hasExtremes ? ["largest attention logit", "largest activation"] : [])
    return [head + (tuning.map { ["largest \($0.key) that trains"] } ?? [])]
      + rows.map { row in
        let all = stabilities(row)
        func mean(_ value: (RunStability) -> Double) -> String {
          Sample(all.map(value)).mean.map(Wording.short) ?? "–"
        }
        return [
          row.arm.name, mean(\.medianNorm), mean(\.highNorm),
          all.map(\.largestNorm).max().map(Wording.short) ?? "–", "\(all.reduce(0) { $0 + $1.spikes })",
          "\(row.outcomes.count { !$0.outcome.result.loss.isFinite }) of \(row.outcomes.count)",
        ]
          + (hasExtremes
            ? [\RunStability.largestScore, \.largestActivation].map { path in
              all.compactMap { $0[keyPath: path] }.max().map(Wording.short) ?? "–"
            } : []) + (tuning == nil ? [] : [largestRate(row)])
      }
  }

  /// What the table says.
  public static let stabilityMeaning =
    "Norms of all gradients together before they are cut, over the steps of a run; means over seeds, the largest of all. A spike is a training loss far above those of the 32 steps before; they are of all seeds together. Attention logits, before a cap and before what positions add, and activations are the largest of the trained models on 32 windows of the validation text. A value trains where the first seed's loss keeps nine tenths of what the best one gains on a uniform guess."

  private func stabilities(_ row: Row) -> [RunStability] { row.outcomes.compactMap(\.outcome.result.stability) }

  /// The largest value tried at which the first seed trains, and what a larger one did.
  private func largestRate(_ row: Row) -> String {
    guard let curve = row.tuned?.curve,
      let place = curve.largestThatTrains(from: log(Double(row.arm.plan.shape.vocabSize)))
    else { return "–" }
    let points = curve.points
    let words = Tuning.words(points[place].factor)
    if place + 1 == points.count { return "\(words) or more" }
    let next = points[place + 1]
    return "\(words) (\(Tuning.words(next.factor)) \(next.loss.isFinite ? "does not" : "diverged"))"
  }
}
