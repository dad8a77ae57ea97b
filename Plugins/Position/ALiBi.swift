import Components
import Essentials

/// A penalty on attention scores that grows linearly with distance, steeper for some heads than for others.
///
///     s(q, k) −= slope(h)·|q − k|;   slope(h) = 2^(−max_bias·(h + 1)/n) for n heads, n a power of two
///
/// Press, Smith and Lewis, 2021, https://arxiv.org/abs/2108.12409.
/// For other head counts the slopes of the next power of two are taken: every second one first, as the paper's code
/// does. Keys behind the query, under a mask that shows them, are penalized by their distance as those before it are. `before_scale` adds the bias before the scores are scaled, as Falcon-RW does, whose implementation also computes
/// slope·k in bf16 (`precision`): by key, not by distance, so that rounding differs from token to token. That form is for causal attention alone.
///
/// Examples: `{max_bias: 4}` `{before_scale: true, precision: bf16, strength: 2}`
public struct ALiBi: PositionEncoding {
  public static let name = "alibi"

  enum Precision: String, CaseIterable { case f32, bf16 }

  let maxBias: Double
  let beforeScale: Bool
  let precision: Precision
  let strength: Double

  public init(_ options: Options) {
    maxBias = options.number("max_bias", default: 8, in: 0...64, "the exponent of the smallest slope")
    beforeScale = options.flag("before_scale", default: false, "whether the bias is scaled together with the scores")
    strength = options.number("strength", default: 1, words: [:], "a factor of the biases")
    precision = options.choice("precision", default: Precision.f32, "how slopes and biases are rounded")
  }

  public func scoreBias(heads: Int, scale: Float) -> (any ScoreBias)? {
    Slopes(
      heads: heads, maxBias: maxBias, factor: Float(strength) * (beforeScale ? scale : 1), rounds: precision == .bf16)
  }

  struct Slopes: ScoreBias {
    // What slopes follow from, and not a list of them: every layer has its own bias, and a file may ask for 10,000.
    let heads: Int
    let maxBias: Double
    let factor: Float
    let rounds: Bool

    let name = "alibi"
    // slope·k differs from −slope·|q − k| by what is the same for all keys of a query, but only for keys up to it.
    var keys: ScoreBiasKeys { rounds ? .upToQuery : .anywhere }
    var attributes: [Attribute] {
      [
        Attribute("heads", heads, plain: heads), Attribute("max_bias", maxBias),
        Attribute("factor", factor, plain: Float(1)), Attribute("bf16", rounds, plain: false),
      ]
    }

    func slope(of head: Int) -> Float {
      var power = 1
      while power < heads { power *= 2 }
      let rank = power == heads ? head : head < power / 2 ? 2 * head + 1 : 2 * (head - power / 2)
      return Float(exp2(-maxBias * Double(rank + 1) / Double(power)))
    }

    func add(to scores: UnsafeMutablePointer<Float>, count: Int, head: Int, query: Int, firstKey: Int) {
      if rounds {
        let slope = Self.rounded(slope(of: head))
        for i in 0..<count { scores[i] += Self.rounded(slope * Self.rounded(Float(firstKey + i))) * factor }
        return
      }
      let slope = slope(of: head) * factor
      for i in 0..<count { scores[i] -= slope * Float(abs(query - firstKey - i)) }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      var lines = ["def alibi(query, key, heads):"]
      lines.append(
        "    \"\"\"−slope(h)·|q − k|, [heads, tokens, keys]: slopes fall from 2^(−\(PyTorchExpression(maxBias).text)/n) by that factor.\"\"\""
      )
      lines.append("    power = 1 << (heads - 1).bit_length()")
      lines.append("    order = [2 * h + 1 if h < power // 2 else 2 * (h - power // 2) for h in range(heads)]")
      lines.append("    order = range(heads) if power == heads else order")
      lines.append(
        "    slopes = [2.0 ** (-\(PyTorchExpression(maxBias).text) * (place + 1) / power) for place in order]")
      lines.append("    slopes = torch.tensor(slopes, device=key.device)[:, None, None]")
      if rounds {
        // By key, in bf16, as Falcon-RW computes it.
        lines.append(
          "    return (slopes.bfloat16() * key.bfloat16()).float()\(factor == 1 ? "" : " * \(PyTorchExpression(factor).text)")"
        )
      } else {
        lines.append(
          "    return -slopes * \(factor == 1 ? "" : "\(PyTorchExpression(factor).text) * ")(query - key).abs()")
      }
      call.define("alibi", lines.joined(separator: "\n"))
      return .call("alibi", ["query", "key", call.setting("num_heads", PyTorchExpression(heads))])
    }

    /// The nearest bf16, the even one of two: the upper half of a `Float`. Slopes and positions are finite.
    private static func rounded(_ x: Float) -> Float {
      let bits = x.bitPattern
      return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
    }
  }
}
