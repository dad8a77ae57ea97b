/// Corrects probabilities for the number of comparisons: of all the comparisons of a study, at most one study in twenty
/// calls any difference real that is not.
///
///     p̃₍ᵢ₎ = max over j ≤ i of min(1, W₍ⱼ₎ / w₍ⱼ₎ · p₍ⱼ₎),   in the order of p / w,   W₍ⱼ₎ = Σ over k ≥ j of w₍ₖ₎
///
/// `weights` w say how much of the level each comparison has; left out, all have as much, and W / w is m − j + 1.
///
/// Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979),
/// which has the weights too. It holds however the comparisons depend on each other, as those with one baseline do, and
/// never finds less than Bonferroni's. The weights must not be chosen by the probabilities.
public func holmCorrected(_ probabilities: [Double], weights: [Double] = []) -> [Double] {
  var corrected = probabilities
  var largest = 0.0
  for (index, share) in holmOrder(probabilities, weights) {
    largest = max(largest, min(1, probabilities[index] / share))
    corrected[index] = largest
  }
  return corrected
}

/// The level that each comparison is decided at when all are decided at `level` together: an interval of 1 minus it leaves
/// 0 out exactly where Holm's correction finds a difference.
///
/// The i-th in the order is compared with level · w₍ᵢ₎ / W₍ᵢ₎; from the first that is above on, all are compared with their
/// part of what was left for that one.
public func holmLevels(_ probabilities: [Double], weights: [Double] = [], level: Double) -> [Double] {
  var levels = probabilities
  var stopped: Double?
  for (index, share) in holmOrder(probabilities, weights) {
    let weight = weights.isEmpty ? 1 : weights[index]
    let each = stopped ?? share / weight
    let own = level * min(1, each * weight)
    if probabilities[index] > own { stopped = each }
    levels[index] = own
  }
  return levels
}

/// The comparisons in the order that they are decided in, each with its share of what is left of the level.
private func holmOrder(_ probabilities: [Double], _ weights: [Double]) -> [(index: Int, share: Double)] {
  func weight(_ index: Int) -> Double { weights.isEmpty ? 1 : weights[index] }
  let order = probabilities.indices.sorted {
    (probabilities[$0] / weight($0), $0) < (probabilities[$1] / weight($1), $1)
  }
  var left = order.reduce(0) { $0 + weight($1) }
  return order.map { index in
    defer { left -= weight(index) }
    return (index, min(1, weight(index) / left))
  }
}
