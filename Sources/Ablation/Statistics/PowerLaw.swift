import Essentials

/// How a loss falls with compute:
///
///     L(C) = L∞ + a · (C / C₀)^−b,   L∞ ≥ 0, a > 0
///
/// Source: Hoffmann et al., "Training Compute-Optimal Large Language Models" (2022), https://arxiv.org/abs/2203.15556. Fitted
/// by least squares on the losses; C₀ is the geometric mean of the computes, so that numbers stay near 1.
public struct PowerLaw: Sendable, Hashable {
  /// L∞, in nats: what no compute gets below.
  public let limit: Double
  /// a, in nats.
  public let scale: Double
  /// b.
  public let exponent: Double
  /// C₀, in FLOPs.
  public let unit: Double

  /// The exponents that are looked among: at the least the curve is a straight line over log C.
  private static let exponents = 0.01...3.0

  /// The curve nearest to `points`, of FLOPs and nats; nil of fewer than three, and where losses do not fall with compute.
  public init?(_ points: [(compute: Double, loss: Double)]) {
    guard points.count >= 3, points.allSatisfy({ $0.compute > 0 && $0.loss.isFinite }) else { return nil }
    let logs = points.map { log($0.compute) }
    let middle = logs.reduce(0, +) / Double(logs.count)
    let losses = points.map(\.loss)
    func fit(_ exponent: Double) -> (limit: Double, scale: Double, error: Double) {
      let x = logs.map { exp(-exponent * ($0 - middle)) }
      let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), losses.reduce(0, +) / Double(x.count))
      let (sxy, sxx) = zip(x, losses).reduce((0.0, 0.0)) { sums, point in
        (sums.0 + (point.0 - meanX) * (point.1 - meanY), sums.1 + (point.0 - meanX) * (point.0 - meanX))
      }
      var scale = sxx > 0 ? sxy / sxx : 0
      var limit = meanY - scale * meanX
      if limit < 0 {
        limit = 0
        scale = zip(x, losses).reduce(0) { $0 + $1.0 * $1.1 } / x.reduce(0) { $0 + $1 * $1 }
      }
      return (limit, scale, zip(x, losses).reduce(0) { $0 + square($1.1 - limit - scale * $1.0) })
    }
    // The error has one valley over log b, or an end is lowest: a grid finds the valley, thirds its bottom.
    let (low, high) = (log(Self.exponents.lowerBound), log(Self.exponents.upperBound))
    let grid = (0...60).map { low + (high - low) * Double($0) / 60 }
    let best = grid.indices.min { fit(exp(grid[$0])).error < fit(exp(grid[$1])).error } ?? 0
    var (left, right) = (grid[max(0, best - 1)], grid[min(60, best + 1)])
    for _ in 0..<100 {
      let (a, b) = (left + (right - left) / 3, right - (right - left) / 3)
      if fit(exp(a)).error < fit(exp(b)).error { right = b } else { left = a }
    }
    exponent = exp((left + right) / 2)
    let found = fit(exponent)
    guard found.scale > 0, found.limit.isFinite else { return nil }
    (limit, scale, unit) = (found.limit, found.scale, exp(middle))
  }

  /// The loss at `compute` FLOPs.
  public func loss(at compute: Double) -> Double { limit + scale * pow(compute / unit, -exponent) }

  /// ln of the FLOPs that reach `loss`; nil of what no compute reaches.
  public func logCompute(of loss: Double) -> Double? {
    loss > limit ? log(unit) - log((loss - limit) / scale) / exponent : nil
  }
}

private func square(_ x: Double) -> Double { x * x }
