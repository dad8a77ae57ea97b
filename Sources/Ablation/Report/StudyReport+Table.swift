/// A report as a table that programs and spreadsheets read.
extension StudyReport {
  /// A line for each arm, its columns separated by tabs, the head first.
  ///
  /// `status` is what an automatic search does with an arm: `baseline`, `keep` for one that is better beyond what chance
  /// explains, `crash` for one that diverged or failed, else `discard`. Nothing inside the noise is kept. The columns of
  /// karpathy/autoresearch's results.tsv are among these: memory_gb, status and description.
  public var tabSeparated: String {
    let head = [
      "arm", "loss", "difference", "low", "high", "probability", "verdict", "status", "memory_gb", "parameters",
      "flops_per_token", "description",
    ]
    let lines = rows.map { row -> [String] in
      let comparison = row.tuned?.comparison ?? row.comparison
      let mean = comparison?.difference.mean
      let half = comparison?.halfWidth
      let loss =
        row.tuned?.chosen.flatMap { Sample($0.losses.sorted { $0.key < $1.key }.map(\.value)).mean } ?? row.losses.mean
      return [
        row.arm.name, number(loss), number(mean), number(mean.flatMap { mean in half.map { mean - $0 } }),
        number(mean.flatMap { mean in half.map { mean + $0 } }), number(comparison?.correctedProbability),
        comparison.map { words(for: $0.verdict) } ?? "baseline", status(row, comparison),
        Wording.fixed(Double(row.arm.training.memory) / 1e9, 3), String(row.arm.parameterCount),
        number(row.arm.flopsPerToken), yaml(of: row.arm).split(separator: "\n").joined(separator: " | "),
      ]
    }
    return ([head] + lines).map { cells in
      cells.map { $0.replacing("\t", with: " ").replacing("\n", with: " ") }.joined(separator: "\t") + "\n"
    }.joined()
  }

  private func status(_ row: Row, _ comparison: Comparison?) -> String {
    if row.hasDiverged || !row.failures.isEmpty, row.tuned?.comparison == nil { return "crash" }
    guard let comparison else { return "baseline" }
    return comparison.verdict == .better ? "keep" : comparison.verdict == .diverged ? "crash" : "discard"
  }

  private func number(_ value: Double?) -> String { value.map { $0.isFinite ? "\($0)" : "" } ?? "" }
}
