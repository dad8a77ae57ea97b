import Components
import Foundation

/// How the angles of a rotary embedding change for contexts longer than the model was trained on.
///
/// The methods and their constants are those of Hugging Face's `modeling_rope_utils`; the papers stand with each.
enum RoPEScaling: Sendable, Hashable {
  /// Angles as they are.
  case none
  /// All positions divided by `factor` (Chen et al., 2023, https://arxiv.org/abs/2306.15595).
  case linear(factor: Double)
  /// The base grows with the length of the sequence once that exceeds the context ("dynamic NTK", bloc97 2023).
  case dynamic(factor: Double, original: Int?)
  /// Low frequencies divided, high ones kept, a ramp between by wavelength (Llama 3.1, https://arxiv.org/abs/2407.21783).
  case llama3(factor: Double, low: Double, high: Double, original: Int)
  /// A ramp between by number of turns, and warmer attention (Peng et al., 2023, https://arxiv.org/abs/2309.00071).
  case yarn(YaRN)
  /// A factor for each frequency, one list for short and one for long sequences (Ding et al., 2024,
  /// https://arxiv.org/abs/2402.13753).
  case longrope(short: [Double], long: [Double], original: Int, attention: Double?)

  /// The base grows once, whatever the length: by `alpha` to the power d/(d − 2), as Hunyuan has it.
  case ntk(alpha: Double)
  /// Only the first `pairs` turn, at the frequencies that they have when all do, divided by `factor`: Gemma 4.
  case proportional(factor: Double, pairs: Int)

  struct YaRN: Sendable, Hashable {
    var factor, betaFast, betaSlow: Double
    var original: Int?
    var attention, mscale, mscaleAllDim: Double?
    var truncate: Bool
    var scaleScores: Bool
  }

  private enum Kind: String, CaseIterable { case none, linear, dynamic, llama3, yarn, longrope, ntk, proportional }

  init(_ options: Options) {
    let original = "the context the angles were trained on, in tokens"
    switch options.choice("type", default: Kind.none, "the method") {
    case .none: self = .none
    case .linear:
      self = .linear(
        factor: options.requiredNumber("factor", in: 0.01...1e6, "the factor that positions are divided by"))
    case .dynamic:
      self = .dynamic(
        factor: options.requiredNumber("factor", in: 1...1e6, "how fast the base grows"),
        original: options.optionalInteger("original_context", original))
    case .llama3:
      self = .llama3(
        factor: options.requiredNumber("factor", in: 1...1e6, "the factor that low frequencies are divided by"),
        low: options.number("low_freq_factor", default: 1, in: 0.001...1e6, "contexts per wave of the lowest kept"),
        high: options.number("high_freq_factor", default: 4, in: 0.001...1e6, "contexts per wave of the first divided"),
        original: options.integer("original_context", default: 8192, original))
    case .yarn:
      self = .yarn(
        YaRN(
          factor: options.requiredNumber("factor", in: 1...1e6, "the factor that low frequencies are divided by"),
          betaFast: options.number(
            "beta_fast", default: 32, in: 0.001...1e6, "rotations above which frequencies are kept"),
          betaSlow: options.number(
            "beta_slow", default: 1, in: 0.001...1e6, "rotations below which frequencies are divided"),
          original: options.optionalInteger("original_context", original),
          attention: options.optionalNumber(
            "attention_factor", "attention factor: what sines and cosines are multiplied by"),
          mscale: options.optionalNumber(
            "mscale", "strength of the attention factor, divided by that of `mscale_all_dim`"),
          mscaleAllDim: options.optionalNumber("mscale_all_dim", "strength that `mscale` is divided by"),
          truncate: options.flag("truncate", default: true, "whether the ramp starts and ends at whole pairs"),
          scaleScores: options.flag(
            "scale_scores", default: false, "whether scores take the strength of `mscale_all_dim` twice, as in DeepSeek"
          )))
    case .ntk:
      self = .ntk(alpha: options.requiredNumber("alpha", in: 1...1e12, "what the base is multiplied by, nearly"))
    case .proportional:
      self = .proportional(
        factor: options.number("factor", default: 1, in: 0.01...1e6, "what frequencies are divided by"), pairs: .max)
    case .longrope:
      let short = options.numbers("short_factor", "what each frequency is divided by, up to the original context") ?? []
      let long = options.numbers("long_factor", "what each frequency is divided by, beyond it") ?? []
      if short.count != long.count || (short + long).contains(where: { $0 <= 0 }) {
        options.fail("long_factor", "'short_factor' and 'long_factor' take equally many positive numbers")
      }
      self = .longrope(
        short: short, long: long, original: options.requiredInteger("original_context", original),
        attention: options.optionalNumber(
          "attention_factor", "attention factor: what sines and cosines are multiplied by"))
    }
  }

  /// Whether the angles follow from the context that the model is set to.
  var readsContextLength: Bool {
    switch self {
    case .none, .linear, .llama3, .ntk, .proportional: false
    case .dynamic(_, let original): original == nil
    case .yarn(let yarn): yarn.original == nil
    case .longrope(_, _, _, let attention): attention == nil
    }
  }

  /// How many factors the file lists, when it lists any.
  var expectedFactors: Int? {
    if case .longrope(let short, _, _, _) = self { return short.count }
    return nil
  }

  /// The frequencies of `width / 2` pairs in a sequence of `length` tokens, and what sines and cosines are multiplied by.
  func frequencies(theta: Double, width: Int, contextLength: Int, length: Int) -> (
    frequencies: [Double], warmth: Double
  ) {
    let exponents = stride(from: 0, to: width, by: 2).map { Double($0) / Double(width) }
    let plain = exponents.map { pow(theta, -$0) }
    switch self {
    case .none: return (plain, 1)
    case .linear(let factor): return (plain.map { $0 / factor }, 1)
    case .dynamic(let factor, let original):
      let original = Double(original ?? contextLength)
      guard Double(length) > original, width > 2 else { return (plain, 1) }
      let growth = factor * Double(length) / original - (factor - 1)
      let base = theta * pow(growth, Double(width) / Double(width - 2))
      return (exponents.map { pow(base, -$0) }, 1)
    case .ntk(let alpha):
      let base = theta * pow(alpha, Double(width) / Double(max(1, width - 2)))
      return (exponents.map { pow(base, -$0) }, 1)
    case .proportional(let factor, let pairs):
      return (plain.enumerated().map { $0 < pairs ? $1 / factor : 0 }, 1)
    case .llama3(let factor, let low, let high, let original):
      return (
        plain.map { frequency in
          let waves = Double(original) * frequency / (2 * .pi)
          if waves < low { return frequency / factor }
          if waves > high { return frequency }
          let keep = (waves - low) / (high - low)
          return (1 - keep) * frequency / factor + keep * frequency
        }, 1
      )
    case .yarn(let yarn): return yarn.frequencies(plain, theta: theta, width: width, contextLength: contextLength)
    case .longrope(let short, let long, let original, let attention):
      let factors = length > original ? long : short
      let ratio = Double(contextLength) / Double(original)
      let warmth = attention ?? (ratio <= 1 ? 1 : (1 + log(ratio) / log(Double(original))).squareRoot())
      return (zip(plain, factors).map { $0 / $1 }, warmth)
    }
  }
}

extension RoPEScaling: AttributeConvertible {
  var attributeValue: Attribute.Value {
    switch self {
    case .none: .none
    case .linear(let factor): .group("linear", [Attribute("factor", factor)])
    case .dynamic(let factor, let original):
      .group("dynamic", [Attribute("factor", factor), Attribute("original_context", original)])
    case .llama3(let factor, let low, let high, let original):
      .group(
        "llama3",
        [
          Attribute("factor", factor), Attribute("low_freq_factor", low, plain: 1.0),
          Attribute("high_freq_factor", high, plain: 4.0), Attribute("original_context", original),
        ])
    case .yarn(let yarn): .group("yarn", yarn.attributes)
    case .longrope(let short, let long, let original, let attention):
      .group(
        "longrope",
        [
          Attribute("short_factor", short), Attribute("long_factor", long), Attribute("original_context", original),
          Attribute("attention_factor", attention),
        ])
    case .ntk(let alpha): .group("ntk", [Attribute("alpha", alpha)])
    case .proportional(let factor, let pairs):
      .group("proportional", [Attribute("factor", factor, plain: 1.0), Attribute("pairs", pairs)])
    }
  }
}

extension RoPEScaling.YaRN {
  var attributes: [Attribute] {
    [
      Attribute("factor", factor), Attribute("beta_fast", betaFast, plain: 32.0),
      Attribute("beta_slow", betaSlow, plain: 1.0), Attribute("original_context", original),
      Attribute("attention_factor", attention), Attribute("mscale", mscale),
      Attribute("mscale_all_dim", mscaleAllDim), Attribute("truncate", truncate, plain: true),
      Attribute("scale_scores", scaleScores, plain: false),
    ]
  }

  /// The pair that turns `turns` times over the original context.
  private func pair(turning turns: Double, theta: Double, width: Int, original: Double) -> Double {
    Double(width) * log(original / (turns * 2 * .pi)) / (2 * log(theta))
  }

  func frequencies(_ plain: [Double], theta: Double, width: Int, contextLength: Int) -> ([Double], Double) {
    let original = Double(original ?? contextLength)
    var low = pair(turning: betaFast, theta: theta, width: width, original: original)
    var high = pair(turning: betaSlow, theta: theta, width: width, original: original)
    if truncate { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    low = max(low, 0)
    high = min(high, Double(width - 1))
    if low == high { high += 0.001 }
    let ramped = plain.enumerated().map { index, frequency in
      let divided = min(max((Double(index) - low) / (high - low), 0), 1)
      return frequency / factor * divided + frequency * (1 - divided)
    }
    if let attention { return (ramped, attention) }
    if let mscale, let mscaleAllDim { return (ramped, strength(mscale) / strength(mscaleAllDim)) }
    return (ramped, strength(1))
  }

  private func strength(_ mscale: Double) -> Double { factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1 }

  /// What scores are multiplied by: once for queries and once for keys.
  var scoreFactor: Double {
    guard scaleScores, let mscaleAllDim else { return 1 }
    return strength(mscaleAllDim) * strength(mscaleAllDim)
  }
}
