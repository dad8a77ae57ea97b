/// An arm at its own best value of the tuned setting.
public struct TunedArm: Sendable {
  /// The losses over the values, with the first seed.
  public let curve: RateCurve
  /// Whether no further value is to be tried.
  public let isSettled: Bool
  /// The values that all seeds were run at, with their factors and losses by seed, the best of the first seed first.
  public let finalists: [Finalist]
  /// The best of the finalists, by all seeds.
  public let best: BestOfRates
  /// How the best stands to the baseline's best; nil for the baseline, and while it is not known.
  public let comparison: Comparison?

  /// A value that all seeds were run at.
  public struct Finalist: Sendable {
    /// What the shared value is multiplied by.
    public let factor: Double
    /// The value.
    public let value: Double
    /// The losses by seed.
    public let losses: [Int: Double]
  }

  init(
    curve: (curve: RateCurve, isSettled: Bool), _ losses: [Double: [Int: Double]], _ candidates: [StudyPlan.Candidate],
    _ tuning: Tuning
  ) {
    let (points, isSettled) = curve
    (self.curve, self.isSettled) = (points, isSettled)
    let places = isSettled ? points.finalists : []
    finalists = places.compactMap { place in
      let factor = points.points[place].factor
      return candidates.first { $0.factor == factor }.map {
        Finalist(factor: factor, value: $0.value, losses: losses[factor] ?? [:])
      }
    }
    best = BestOfRates(finalists.map(\.losses))
    comparison = nil
  }

  private init(_ other: TunedArm, _ comparison: Comparison?) {
    (curve, isSettled, finalists, best) = (other.curve, other.isSettled, other.finalists, other.best)
    self.comparison = comparison
  }

  /// The same, compared.
  func compared(_ comparison: Comparison?) -> TunedArm { TunedArm(self, comparison) }

  /// The best finalist by all seeds.
  public var chosen: Finalist? { best.chosen.map { finalists[$0] } }
}
