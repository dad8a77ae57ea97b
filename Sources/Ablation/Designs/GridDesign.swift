/// Every value of each factor with every value of the others, and what that says of factors by themselves and in pairs.
///
/// The **main effect** of a value is its loss less that of the factor's reference, averaged over all values of the other
/// factors; the **interaction** of two is how much of the one's effect is due to the other:
///
///     main(a)        = mean over the rest of L(a, ·) − L(a₀, ·)
///     interaction(a, b) = mean over the rest of L(a, b) − L(a, b₀) − L(a₀, b) + L(a₀, b₀)
///
/// Source: Fisher, "The Design of Experiments" (1935), ch. VI.
public struct GridDesign: Sendable, Hashable {
  /// The factors' names.
  public let factors: [String]
  /// The names of each factor's values.
  public let levels: [[String]]

  /// A grid of `levels` of `factors`, as many lists as names, none of them empty.
  public init(factors: [String], levels: [[String]]) {
    precondition(factors.count == levels.count && !levels.contains(where: \.isEmpty), "a grid of \(levels)")
    self.factors = factors
    self.levels = levels
  }

  /// The questions, for arms whose places are `cells`, by the values that they have; `reference` is what each factor has
  /// where it is as in the base. Questions that miss an arm are left out.
  public func contrasts(cells: [[Int]: Int], reference: [Int]) -> [Contrast] {
    var contrasts: [Contrast] = []
    func add(_ name: String, _ kind: Contrast.Kind, over fixed: [[(factor: Int, level: Int)]], signs: [Double]) {
      let used = Set(fixed.flatMap { $0.map(\.factor) })
      let rest = factors.indices.filter { !used.contains($0) }.reduce([[Int: Int]()]) { sets, factor in
        sets.flatMap { set in levels[factor].indices.map { set.merging([factor: $0]) { $1 } } }
      }
      var weights: [Int: Double] = [:]
      for (choice, sign) in zip(fixed, signs) {
        for others in rest {
          var cell = reference
          for (factor, level) in others { cell[factor] = level }
          for (factor, level) in choice { cell[factor] = level }
          guard let arm = cells[cell] else { return }
          weights[arm, default: 0] += sign / Double(rest.count)
        }
      }
      contrasts.append(Contrast(name, kind, weights: weights))
    }
    let varied = factors.indices.filter { levels[$0].count > 1 }
    for factor in varied {
      for level in levels[factor].indices where level != reference[factor] {
        add(
          title(factor, level), .main, over: [[(factor, level)], [(factor, reference[factor])]], signs: [1, -1])
      }
    }
    for (place, first) in varied.enumerated() {
      for second in varied.dropFirst(place + 1) {
        for a in levels[first].indices where a != reference[first] {
          for b in levels[second].indices where b != reference[second] {
            let (a0, b0) = (reference[first], reference[second])
            add(
              "\(title(first, a)) × \(title(second, b))", .interaction,
              over: [
                [(first, a), (second, b)], [(first, a), (second, b0)], [(first, a0), (second, b)],
                [(first, a0), (second, b0)],
              ], signs: [1, -1, -1, 1])
          }
        }
      }
    }
    return contrasts
  }

  private func title(_ factor: Int, _ level: Int) -> String {
    let value = levels[factor][level]
    return factors[factor] == value ? value : "\(factors[factor])=\(value)"
  }
}
