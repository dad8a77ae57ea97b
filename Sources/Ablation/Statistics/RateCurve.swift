import Essentials

/// An arm's losses at several values of a setting, on one seed: where its best lies, and which two values are worth all seeds.
///
/// Near its lowest point a loss is a parabola in the logarithm of the learning rate, so three points say where the lowest is:
///
///     L(r) = a (log₂ r − v)² + c
///
/// fitted to the best point and its neighbours. The best two are the best point and its neighbour on the side of v.
public struct RateCurve: Sendable, Hashable {
  /// A value of the setting, as a multiple of the shared one, and the loss there; NaN where the run diverged.
  public struct Point: Sendable, Hashable {
    /// The multiple, above 0.
    public let factor: Double
    /// The loss in nats.
    public let loss: Double

    /// `loss` at `factor` times the shared value.
    public init(factor: Double, loss: Double) {
      self.factor = factor
      self.loss = loss
    }
  }

  /// The points, by ascending factor.
  public let points: [Point]

  /// The curve through `points`.
  public init(_ points: [Point]) { self.points = points.sorted { $0.factor < $1.factor } }

  /// The place of the lowest point; nil where every run diverged.
  public var best: Int? {
    points.indices.filter { points[$0].loss.isFinite }.min { points[$0].loss < points[$1].loss }
  }

  /// The place of the largest value that trains: whose loss keeps nine tenths of what the best gains on `start`, the loss of a
  /// uniform guess. A run that learns little more than how often tokens occur is as lost as one that is NaN. Nil where none
  /// gains anything.
  public func largestThatTrains(from start: Double) -> Int? {
    guard let best, points[best].loss < start else { return nil }
    let limit = points[best].loss + Self.lost * (start - points[best].loss)
    return points.lastIndex { $0.loss <= limit }
  }

  /// What part of the gain may be lost.
  private static let lost = 0.1

  /// Whether the best lies at an end of what was tried, so that better may lie beyond.
  public var isAtEdge: Bool { best.map { points.count > 1 && ($0 == 0 || $0 == points.count - 1) } ?? false }

  /// The lowest point of the parabola, as a factor; nil where it has none: at an edge, or beside a run that diverged.
  public var vertex: Double? {
    guard let best, best > 0, best + 1 < points.count else { return nil }
    let near = points[best - 1...best + 1].map { (x: log2($0.factor), y: $0.loss) }
    guard near.allSatisfy({ $0.y.isFinite }) else { return nil }
    // Newton's divided differences.
    let first = (near[1].y - near[0].y) / (near[1].x - near[0].x)
    let second = ((near[2].y - near[1].y) / (near[2].x - near[1].x) - first) / (near[2].x - near[0].x)
    guard second > 0 else { return nil }
    let place = (near[0].x + near[1].x) / 2 - first / (2 * second)
    return exp2(min(max(place, near[0].x), near[2].x))
  }

  /// The places of the two points that are run with all seeds; one where only one has a loss.
  public var finalists: [Int] {
    guard let best else { return [] }
    let beside = [best - 1, best + 1].filter { points.indices.contains($0) && points[$0].loss.isFinite }
    let isAbove = vertex.map { $0 > points[best].factor }
    let second =
      beside.first { isAbove == ($0 > best) } ?? beside.min { points[$0].loss < points[$1].loss }
    return [best] + (second.map { [$0] } ?? [])
  }

  /// The factor to try next where the best lies at an edge: as far from it as its neighbour is. Nil elsewhere, and beyond
  /// `limit` times or one `limit`th of the shared value.
  public func next(limit: Double) -> Double? {
    guard isAtEdge, let best else { return nil }
    let beside = best == 0 ? 1 : best - 1
    let factor = points[best].factor * points[best].factor / points[beside].factor
    return factor <= limit * 1.000001 && factor >= 1 / limit / 1.000001 ? factor : nil
  }
}

/// An arm at the best of its finalists, without being flattered for having been chosen.
///
/// The lower of two noisy means is lower than the truth, the more so the flatter a curve is, so an arm that does not mind its
/// rate would look better than one that does. So each seed's loss is taken at the value that *the other* seeds prefer: a
/// seed has no part in what is chosen for it.
public struct BestOfRates: Sendable, Hashable {
  /// The place of the value that all seeds together prefer; nil where no seed has a loss at every value.
  public let chosen: Int?
  /// The loss of each seed, at the value that the others prefer.
  public let losses: [Int: Double]

  /// The best of `candidates`, the losses at each value by seed. A value where any run diverged is out.
  public init(_ candidates: [[Int: Double]]) {
    let whole = candidates.indices.filter { index in
      !candidates[index].isEmpty && candidates[index].values.allSatisfy(\.isFinite)
    }
    let seeds =
      whole.reduce(nil as Set<Int>?) { common, index in
        common.map { $0.intersection(candidates[index].keys) } ?? Set(candidates[index].keys)
      }?.sorted() ?? []
    func preferred(without seed: Int?) -> Int? {
      let others = seeds.filter { $0 != seed }
      let counted = others.isEmpty ? seeds : others
      func sum(_ index: Int) -> Double { counted.reduce(0) { $0 + (candidates[index][$1] ?? .infinity) } }
      return whole.min { sum($0) < sum($1) }
    }
    chosen = seeds.isEmpty ? nil : preferred(without: nil)
    losses = Dictionary(
      uniqueKeysWithValues: seeds.compactMap { seed in
        preferred(without: seed).flatMap { candidates[$0][seed] }.map { (seed, $0) }
      })
  }
}
