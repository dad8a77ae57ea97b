import Essentials

/// The frequency of each pair of a rotary embedding in a text of some length: f(i) = theta^(−2i/d), changed as the scaling
/// says. A value without memory of its own, for it is made anew in every pass.
struct RoPEFrequencies {
  private let scaling: RoPEScaling
  private let width: Int
  private let length: Int
  /// What the frequencies are powers of.
  private let base: Double
  /// YaRN's ramp.
  private let ramp: (low: Double, high: Double)

  /// The frequencies of `width / 2` pairs in a text of `length` tokens.
  init(_ scaling: RoPEScaling, theta: Double, width: Int, length: Int) {
    self.scaling = scaling
    self.width = width
    self.length = length
    var (base, ramp) = (theta, (low: 0.0, high: 0.0))
    switch scaling {
    case .dynamic(let factor, let original):
      let original = Double(original)
      if Double(length) > original, width > 2 {
        let growth = factor * Double(length) / original - (factor - 1)
        base = theta * pow(growth, Double(width) / Double(width - 2))
      }
    case .ntk(let alpha): base = theta * pow(alpha, Double(width) / Double(max(1, width - 2)))
    case .yarn(let yarn): ramp = yarn.ramp(theta: theta, width: width)
    case .none, .linear, .factors, .proportional, .llama3, .longrope: break
    }
    (self.base, self.ramp) = (base, ramp)
  }

  /// The frequency of pair `pair`, in radians per token.
  subscript(pair: Int) -> Double {
    let plain = pow(base, -(Double(2 * pair) / Double(width)))
    switch scaling {
    case .none, .dynamic, .ntk: return plain
    case .linear(let factor): return plain / factor
    case .factors(let factors): return plain / factors[pair]
    case .proportional(let factor, let pairs): return pair < pairs ? plain / factor : 0
    case .llama3(let factor, let low, let high, let original):
      let periods = Double(original) * plain / (2 * .pi)
      if periods < low { return plain / factor }
      if periods > high { return plain }
      let share = (periods - low) / (high - low)
      return (1 - share) * plain / factor + share * plain
    case .yarn(let yarn):
      let divided = min(max((Double(pair) - ramp.low) / (ramp.high - ramp.low), 0), 1)
      return plain / yarn.factor * divided + plain * (1 - divided)
    case .longrope(let scaling):
      return plain / (length > scaling.original ? scaling.long : scaling.short)[pair]
    }
  }
}
