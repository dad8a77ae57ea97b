import Components
import Essentials

/// How the angles of a rotary embedding change for contexts longer than the model was trained on.
///
/// The methods and their constants are those of Hugging Face's `modeling_rope_utils`; the papers stand with each.
enum RoPEScaling: Sendable, Hashable {
  /// Angles as they are.
  case none
  /// All positions divided by `factor` (Chen et al., 2023, https://arxiv.org/abs/2306.15595).
  case linear(factor: Double)
  /// The base grows with the length of the text once that exceeds the original context ("dynamic NTK", bloc97 2023). A
  /// key keeps the angles of the length at which it was computed, as in the reference: rotating all of them again would
  /// cost a pass over the text for every token.
  case dynamic(factor: Double, original: Int)
  /// Low frequencies divided, high ones unchanged, a ramp between by wavelength (Llama 3.1, https://arxiv.org/abs/2407.21783).
  case llama3(factor: Double, low: Double, high: Double, original: Int)
  /// A ramp between by number of rotations, and an attention factor (Peng et al., 2023, https://arxiv.org/abs/2309.00071).
  case yarn(YaRN)
  /// A factor for each frequency, one list for short and one for long texts (Ding et al., 2024,
  /// https://arxiv.org/abs/2402.13753).
  case longrope(LongRoPE)

  /// The base grows once, whatever the length: by `alpha` to the power d/(d − 2), as Hunyuan has it.
  case ntk(alpha: Double)
  /// Only the first `pairs` are rotated, at the frequencies that they have when all are, divided by `factor`: Gemma 4.
  case proportional(factor: Double, pairs: Int)
  /// A number for each frequency to be divided by, whatever the length: what llama.cpp stores of Llama 3.1's scaling.
  case factors([Double])

  struct LongRoPE: Sendable, Hashable {
    /// What becomes of cached keys when a text outgrows the original context.
    enum Cached: String, CaseIterable, Sendable { case recomputed, kept }

    var short, long: [Double]
    var original: Int
    var factor, attention: Double?
    var cached: Cached
  }

  struct YaRN: Sendable, Hashable {
    var factor, betaFast, betaSlow: Double
    var original: Int
    var attention, mscale, mscaleAllDim: Double?
    var truncate: Bool
    var scaleScores: Bool
  }

  private enum Kind: String, CaseIterable {
    case none, linear, dynamic, llama3, yarn, longrope, ntk, proportional, factors
  }

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
        original: options.integer("original_context", default: options.shape.contextLength, original))
    case .llama3:
      self = .llama3(
        factor: options.requiredNumber("factor", in: 1...1e6, "the factor that low frequencies are divided by"),
        low: options.number(
          "low_freq_factor", default: 1, in: 0.001...1e6,
          "the original context over the wavelength: below, frequencies are divided"),
        high: options.number(
          "high_freq_factor", default: 4, in: 0.001...1e6,
          "the original context over the wavelength: above, frequencies are left as they are"),
        original: options.integer("original_context", default: options.shape.contextLength, original))
    case .yarn:
      self = .yarn(
        YaRN(
          factor: options.requiredNumber("factor", in: 1...1e6, "the factor that low frequencies are divided by"),
          betaFast: options.number(
            "beta_fast", default: 32, in: 0.001...1e6, "rotations above which frequencies are unchanged"),
          betaSlow: options.number(
            "beta_slow", default: 1, in: 0.001...1e6, "rotations below which frequencies are divided"),
          original: options.integer("original_context", default: options.shape.contextLength, original),
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
    case .factors:
      let factors = options.numbers("factors", "what each frequency is divided by") ?? []
      if factors.isEmpty || factors.contains(where: { $0 <= 0 }) {
        options.fail("factors", "'factors' takes a positive number for each pair")
      }
      self = .factors(factors)
    case .longrope:
      let short = options.numbers("short_factor", "what each frequency is divided by, up to the original context") ?? []
      let long = options.numbers("long_factor", "what each frequency is divided by, beyond it") ?? []
      if short.count != long.count || (short + long).contains(where: { $0 <= 0 }) {
        options.fail("long_factor", "'short_factor' and 'long_factor' take equally many positive numbers")
      }
      var scaling = LongRoPE(
        short: short, long: long, original: options.requiredInteger("original_context", original),
        factor: options.optionalNumber(
          "factor", in: 0.01...1e6, "how many times the original context texts may have, which gives `attention_factor`"
        ),
        attention: options.optionalNumber(
          "attention_factor", "attention factor: what sines and cosines are multiplied by"),
        cached: options.choice(
          "cached", default: .recomputed, "what becomes of cached keys when a text outgrows the original context"))
      if scaling.factor == nil, scaling.attention == nil {
        scaling.factor = Double(options.shape.contextLength) / Double(max(1, scaling.original))
      }
      self = .longrope(scaling)
    }
  }

  /// How many factors the file lists, when it lists any.
  var expectedFactors: Int? {
    switch self {
    case .longrope(let scaling): scaling.short.count
    case .factors(let factors): factors.count
    default: nil
    }
  }

  /// How angles go by the length of a text.
  var lengthUse: LengthUse {
    switch self {
    case .dynamic(_, let original): .cached(beyond: original)
    case .longrope(let scaling):
      scaling.cached == .kept ? .cached(beyond: scaling.original) : .recomputed(beyond: scaling.original)
    case .none, .linear, .llama3, .yarn, .ntk, .proportional, .factors: .none
    }
  }

  /// How long a text the angles are made for, where `context` does not say it: files write into their context length
  /// either the trained one or the longer one.
  func longestText(context: Int) -> Int? {
    func stretched(_ original: Int, _ factor: Double) -> Int { Int(min(Double(original) * factor, 0x1p53)) }
    switch self {
    case .none, .ntk, .proportional, .factors: return nil
    case .dynamic: return Int.max
    case .linear(let factor): return stretched(context, factor)
    case .llama3(let factor, _, _, let original): return stretched(original, factor)
    case .yarn(let yarn): return stretched(yarn.original, yarn.factor)
    case .longrope(let scaling): return scaling.factor.map { stretched(scaling.original, $0) }
    }
  }

  /// What sines and cosines are multiplied by.
  var attentionFactor: Double {
    switch self {
    case .yarn(let yarn): yarn.attentionFactor
    case .longrope(let scaling): scaling.attentionFactor
    case .none, .linear, .factors, .dynamic, .ntk, .proportional, .llama3: 1
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
    case .longrope(let scaling):
      .group(
        "longrope",
        [
          Attribute("short_factor", scaling.short), Attribute("long_factor", scaling.long),
          Attribute("original_context", scaling.original), Attribute("attention_factor", scaling.attentionFactor),
          Attribute("cached", scaling.cached.rawValue, plain: "recomputed"),
        ])
    case .factors(let factors): .group("factors", [Attribute("factors", factors)])
    case .ntk(let alpha): .group("ntk", [Attribute("alpha", alpha)])
    case .proportional(let factor, let pairs):
      .group("proportional", [Attribute("factor", factor, plain: 1.0), Attribute("pairs", pairs)])
    }
  }
}

extension RoPEScaling.LongRoPE {
  /// √(1 + ln factor / ln original), unless the file says another number.
  var attentionFactor: Double {
    if let attention { return attention }
    guard let factor, factor > 1 else { return 1 }
    return (1 + log(factor) / log(Double(original))).squareRoot()
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

  /// The pair that rotates `rotations` times over the original context.
  private func pair(rotating rotations: Double, theta: Double, width: Int) -> Double {
    Double(width) * log(Double(original) / (rotations * 2 * .pi)) / (2 * log(theta))
  }

  /// The pairs between which the ramp goes from frequencies as they are to divided ones.
  func ramp(theta: Double, width: Int) -> (low: Double, high: Double) {
    var low = pair(rotating: betaFast, theta: theta, width: width)
    var high = pair(rotating: betaSlow, theta: theta, width: width)
    if truncate { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    low = max(low, 0)
    high = min(high, Double(width - 1))
    if low == high { high += 0.001 }
    return (low, high)
  }

  var attentionFactor: Double {
    if let attention { return attention }
    if let mscale, let mscaleAllDim { return strength(mscale) / strength(mscaleAllDim) }
    return strength(1)
  }

  private func strength(_ mscale: Double) -> Double { factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1 }

  /// What scores are multiplied by: once for queries and once for keys.
  var scoreFactor: Double {
    guard scaleScores, let mscaleAllDim else { return 1 }
    return strength(mscaleAllDim) * strength(mscaleAllDim)
  }
}
