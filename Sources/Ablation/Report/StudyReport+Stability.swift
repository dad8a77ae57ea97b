extension StudyReport {
  /// The columns of how calmly arms trained, and a row for each; empty where no run tells.
  public var stabilityTable: [[String]] {
    guard rows.contains(where: { !stabilities($0).isEmpty }) else { return [] }
    let tuning = plan.study.tuning
    let head = ["arm", "gradient norm: median", "99th percentile", "largest", "loss spikes", "diverged"]
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
        ] + (tuning == nil ? [] : [largestRate(row)])
      }
  }

  /// What the table says.
  public static let stabilityMeaning =
    "Norms of all gradients together before they are cut, over the steps of a run; means over seeds, the largest of all. A spike is a training loss far above those of the 32 steps before; they are of all seeds together."

  private func stabilities(_ row: Row) -> [RunStability] { row.outcomes.compactMap(\.outcome.result.stability) }

  /// The largest value tried at which the first seed did not diverge, and whether a larger one did.
  private func largestRate(_ row: Row) -> String {
    guard let points = row.tuned?.curve.points, let place = points.lastIndex(where: \.loss.isFinite) else { return "–" }
    let words = Tuning.words(points[place].factor)
    return place + 1 < points.count
      ? "\(words) (\(Tuning.words(points[place + 1].factor)) diverged)" : "\(words) or more"
  }
}
