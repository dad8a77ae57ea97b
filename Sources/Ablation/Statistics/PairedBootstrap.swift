import Files

/// Chance by drawing again: how a mean difference would have come out over other texts of the same kind.
///
/// The parts of a text are drawn with replacement, as many as there are, 9,999 times; the mean of each draw strays from
/// the mean of all as that strays from the truth. Both arms are drawn alike, so what makes a part hard for both leaves
/// the difference.
///
///     p = (1 + #{ |d*| ≥ |d| }) / 10,000
///
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), ch. 16; Koehn, "Statistical significance
/// tests for machine translation evaluation", EMNLP 2004. Neighbouring windows are of one document more often than not,
/// so parts are runs of windows; what draws lack of the true spread, √((n − 1)/n), is put back.
public struct PairedBootstrap {
  private static let draws = 9_999
  private static let partLimit = 100

  /// |d*| of every draw, ascending.
  private let deviations: [Double]

  /// The distribution of the mean of `sample`.
  public init(_ sample: Sample) {
    let values = sample.values
    let mean = sample.mean ?? 0
    let scale = values.count > 1 ? (Double(values.count) / Double(values.count - 1)).squareRoot() : 1
    // The same draws for every arm, and always: a report made again is the same report.
    var state: UInt64 = 0x243f_6a88_85a3_08d3
    deviations = (0..<Self.draws).map { _ in
      var sum = 0.0
      for _ in values.indices {
        // SplitMix64, which wraps by definition.
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z ^= z >> 31
        sum += values[Int(truncatingIfNeeded: z.multipliedFullWidth(by: UInt64(values.count)).high)]
      }
      return abs(sum / Double(values.count) - mean) * scale
    }.sorted()
  }

  /// How often a draw strays at least as far as `mean` is from 0.
  public func probability(_ mean: Double) -> Double {
    Double(1 + deviations.count { $0 >= abs(mean) }) / Double(Self.draws + 1)
  }

  /// What draws stray from the mean by at most, `1 − level` times in 1.
  public func halfWidth(level: Double) -> Double {
    // p ≤ level wants at most so many draws as far out as the mean.
    let further = Int(rounding: level * Double(Self.draws + 1), .down) - 1
    return further < 0 ? .infinity : deviations[max(0, deviations.count - 1 - further)]
  }

  /// The mean differences of at most a hundred runs of windows of equal length; what is left over at the end joins none.
  public static func parts(_ windows: [Double]) -> Sample {
    let length = max(1, (windows.count + partLimit - 1) / partLimit)
    return Sample(
      stride(from: 0, through: windows.count - length, by: length).map { start in
        windows[start..<start + length].reduce(0, +) / Double(length)
      })
  }
}
