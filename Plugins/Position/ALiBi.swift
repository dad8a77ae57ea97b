import Components
import Foundation

/// A penalty on attention scores that grows linearly with distance, steeper for some heads than for others.
///
///     s(q, k) += slope(h)·(k − q);   slope(h) = 2^(−max_bias·(h + 1)/n) for n heads, n a power of two
///
/// Press, Smith and Lewis, 2021, https://arxiv.org/abs/2108.12409.
/// For other head counts the slopes of the next power of two are taken: every second one first, as the paper's code
/// does. `before_scale` adds the bias before the scores are scaled, as Falcon-RW does.
///
/// Examples: `{max_bias: 4}`
public struct ALiBi: PositionEncoding {
  public static let name = "alibi"

  let maxBias: Double
  let beforeScale: Bool

  public init(_ options: Options) {
    maxBias = options.number("max_bias", default: 8, in: 0...64, "the exponent of the gentlest slope")
    beforeScale = options.flag("before_scale", default: false, "whether the bias is scaled together with the scores")
  }

  public func scoreBias(heads: Int, scale: Float) -> (any ScoreBias)? {
    let slopes = Self.slopes(heads: heads, maxBias: maxBias)
    return Slopes(slopes: beforeScale ? slopes.map { $0 * scale } : slopes)
  }

  static func slopes(heads: Int, maxBias: Double) -> [Float] {
    var power = 1
    while power < heads { power *= 2 }
    let all = (1...power).map { Float(exp2(-maxBias * Double($0) / Double(power))) }
    if power == heads { return all }
    let reordered = all.indices.filter { $0 % 2 == 1 } + all.indices.filter { $0 % 2 == 0 }
    return reordered.prefix(heads).map { all[$0] }
  }

  struct Slopes: ScoreBias {
    let slopes: [Float]  // [heads]

    func add(to scores: UnsafeMutablePointer<Float>, count: Int, head: Int, query: Int, firstKey: Int) {
      let slope = slopes[head]
      for i in 0..<count { scores[i] += slope * Float(firstKey + i - query) }
    }
  }
}
