import Essentials

/// An arm beside the baseline at several sizes: how much less compute it needs for the same loss, whether that grows with
/// size, and what both curves predict beyond the largest.
///
/// The **compute multiplier** at a size, with the baseline's curve B and the losses L at equal size:
///
///     m = C_base / C_arm · B⁻¹(L_arm) / B⁻¹(L_base)
///
/// so an arm that is the baseline over again has exactly 1. All three are smooth functions g of the mean losses at the sizes;
/// each seed s, which all runs of a size share, gives the value
///
///     g(L̄) + ∇g(L̄) · (L_s − L̄)
///
/// whose mean is g(L̄) and whose spread is that of g by the delta method, and what is tested is their mean, by Student's t.
public struct LadderStatistics: Sendable {
  /// What one arm spends at each size and what it comes to.
  public struct Line: Sendable {
    /// FLOPs of a run at each size, ascending.
    public let compute: [Double]
    /// The losses at each size, by seed.
    public let losses: [[Int: Double]]

    /// `losses` by seed for `compute` FLOPs a run, size by size.
    public init(compute: [Double], losses: [[Int: Double]]) { (self.compute, self.losses) = (compute, losses) }

    /// The seeds with a loss at every size.
    var seeds: Set<Int> {
      losses.dropFirst().reduce(Set((losses.first ?? [:]).filter(\.value.isFinite).keys)) {
        $0.intersection($1.filter(\.value.isFinite).keys)
      }
    }
  }

  /// −ln of the compute multiplier at each size, by seed: below 0 needs less compute. Nil where a curve does not reach.
  public let multipliers: [PairedDifference?]
  /// What that changes by where compute is e times as much: below 0 the gain grows.
  public let trend: PairedDifference?
  /// The difference of the losses that both curves predict at `beyond` times the largest compute, in nats.
  public let prediction: PairedDifference?
  /// How far beyond the largest size is predicted.
  public static let beyond = 10.0

  /// What `arm` is beside `baseline`, which has the same sizes.
  public init(_ arm: Line, _ baseline: Line) {
    let seeds = arm.seeds.intersection(baseline.seeds).sorted()
    let sizes = baseline.compute.count
    let runs = seeds.map { seed in
      (baseline.losses + arm.losses).map { $0[seed] ?? .nan }
    }
    let means = (0..<2 * sizes).map { place in runs.reduce(0) { $0 + $1[place] } / Double(max(1, runs.count)) }
    func multipliers(_ losses: [Double]) -> [Double?] {
      guard let curve = PowerLaw(zip(baseline.compute, losses).map { ($0, $1) }) else {
        return (0..<sizes).map { _ in nil }
      }
      return (0..<sizes).map { size in
        guard let own = curve.logCompute(of: losses[sizes + size]), let base = curve.logCompute(of: losses[size]) else {
          return nil
        }
        return log(arm.compute[size]) - log(baseline.compute[size]) - (own - base)
      }
    }
    func trend(_ losses: [Double]) -> Double? {
      let values = multipliers(losses).compactMap { $0 }
      guard values.count == sizes else { return nil }
      let x = arm.compute.map { log($0) }
      let (meanX, meanY) = (x.reduce(0, +) / Double(sizes), values.reduce(0, +) / Double(sizes))
      let sums = zip(x, values).reduce((0.0, 0.0)) {
        ($0.0 + ($1.0 - meanX) * ($1.1 - meanY), $0.1 + ($1.0 - meanX) * ($1.0 - meanX))
      }
      return sums.1 > 0 ? sums.0 / sums.1 : nil
    }
    func prediction(_ losses: [Double]) -> Double? {
      guard let base = PowerLaw(zip(baseline.compute, losses).map { ($0, $1) }),
        let own = PowerLaw(zip(arm.compute, losses[sizes...]).map { ($0, $1) }), let most = baseline.compute.last
      else { return nil }
      return own.loss(at: most * Self.beyond) - base.loss(at: most * Self.beyond)
    }
    func values(_ function: ([Double]) -> Double?) -> PairedDifference? {
      runs.isEmpty ? nil : Self.linear(function, means, runs).map { PairedDifference(values: $0) }
    }
    self.multipliers = (0..<sizes).map { size in values { multipliers($0)[size] } }
    self.trend = values(trend)
    self.prediction = values(prediction)
  }

  /// The values of `function` by run, linear around its value at `means`; nil where it has none there or beside it.
  private static func linear(
    _ function: ([Double]) -> Double?, _ means: [Double], _ runs: [[Double]]
  ) -> [Double]? {
    guard let middle = function(means) else { return nil }
    var slopes: [Double] = []
    for place in means.indices {
      // Wide enough for the fit's own rounding, narrow beside what losses of sizes differ by.
      let step = 1e-4
      var (above, below) = (means, means)
      above[place] += step
      below[place] -= step
      guard let high = function(above), let low = function(below) else { return nil }
      slopes.append((high - low) / (2 * step))
    }
    let values = runs.map { run in
      middle + zip(slopes, zip(run, means)).reduce(0) { $0 + $1.0 * ($1.1.0 - $1.1.1) }
    }
    // What the fit's rounding leaves of nothing is nothing.
    return values.allSatisfy { abs($0) < 1e-6 } ? values.map { _ in 0 } : values
  }
}
