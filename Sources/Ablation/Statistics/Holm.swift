/// Corrects probabilities for the number of comparisons: of all the comparisons of a study, at most one study in twenty
/// calls any difference real that is not.
///
///     p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) · p₍ⱼ₎)
///
/// Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
/// It holds however the comparisons depend on each other, as those with one baseline do, and never finds less than
/// Bonferroni's.
public func holmCorrected(_ probabilities: [Double]) -> [Double] {
  let order = probabilities.indices.sorted { (probabilities[$0], $0) < (probabilities[$1], $1) }
  var corrected = probabilities
  var largest = 0.0
  for (rank, index) in order.enumerated() {
    largest = max(largest, min(1, Double(probabilities.count - rank) * probabilities[index]))
    corrected[index] = largest
  }
  return corrected
}

/// The level that each comparison is decided at when all are decided at `level` together: an interval of 1 minus it leaves
/// 0 out exactly where Holm's correction finds a difference.
///
/// The i-th smallest probability is compared with level / (m − i + 1); from the first that is above on, all are compared
/// with what that one was.
public func holmLevels(_ probabilities: [Double], level: Double) -> [Double] {
  let order = probabilities.indices.sorted { (probabilities[$0], $0) < (probabilities[$1], $1) }
  var levels = probabilities
  var stopped: Double?
  for (rank, index) in order.enumerated() {
    let own = stopped ?? level / Double(probabilities.count - rank)
    if probabilities[index] > own { stopped = own }
    levels[index] = own
  }
  return levels
}
