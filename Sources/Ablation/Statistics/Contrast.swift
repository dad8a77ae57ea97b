/// A question that several arms answer together: their losses with weights, so that what is the same in all leaves it.
///
///     c = Σ wₐ Lₐ,   Σ wₐ = 0
///
/// One arm against the baseline is the simplest; the effect of a change over all arms that have it and the interaction of
/// two are others. Every seed gives one value, for each of its runs shares the seed, and a test is on those values: exact
/// whatever the arms' noise is, as each arm need not be as noisy as another.
public struct Contrast: Sendable, Hashable {
  /// What it asks, in a few words.
  public let name: String
  /// What kind of question it is.
  public let kind: Kind
  /// The weight of each arm that has a part in it, by the arm's place; they add up to 0.
  public let weights: [Int: Double]

  /// The kinds of questions.
  public enum Kind: String, Sendable {
    /// What a change does, over the arms.
    case main
    /// How what one change does depends on another.
    case interaction
    /// What a change adds, on average over the orders in which changes can be made.
    case shapley
    /// What all changes make together.
    case whole
  }

  /// The question `name` with `weights`.
  public init(_ name: String, _ kind: Kind, weights: [Int: Double]) {
    self.name = name
    self.kind = kind
    self.weights = weights.filter { $0.value != 0 }
  }

  /// Its value with each seed that every arm in it has a loss of.
  public func values(_ losses: [[Int: Double]]) -> [Double] {
    let arms = weights.keys.sorted()
    guard let first = arms.first, losses.indices.contains(first) else { return [] }
    return losses[first].keys.sorted().compactMap { seed in
      var sum = 0.0
      for arm in arms {
        guard losses.indices.contains(arm), let loss = losses[arm][seed], loss.isFinite else { return nil }
        sum += loss * (weights[arm] ?? 0)
      }
      return sum
    }
  }
}
