import Components
import Essentials

/// The time mixing of RWKV-4: a weighted mean of all values up to a token, whose weights fall off with distance.
///
///     k, v, r = (μ ⊙ x_t + (1 − μ) ⊙ x_{t−1})·Wᵀ, each with a μ of its own;   w = exp(decay)
///     wkv_t = (Σ_{s<t} exp(k_s − (t − 1 − s)·w)·v_s + exp(u + k_t)·v_t) / (the same sums without v);   y = (σ(r) ⊙ wkv)·Woᵀ
///
/// Peng et al., 2023, https://arxiv.org/abs/2305.13048. Computed token by token with two sums a channel, relative to the greatest
/// exponent so far. What is cached of a sequence does not grow: the sums, that exponent, and the last token. Positions have nothing
/// to act on. The careful reader's mistake: the token's own weight has the bonus u and no decay, and one step earlier none either.
///
/// Examples: `{}` `{width: 12}`
///
/// Known as: rwkv, wkv, time_mix `attention: rwkv4`
public struct RWKV4: Mixer {
  public static let name = "rwkv4"

  let width: Int

  public init(_ options: Options) {
    width = options.integer(
      "width", default: options.shape.hiddenSize, in: 1...1_048_576, "the number of channels; hidden_size by default")
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let before = plan.previousToken(x)
    func projected(_ name: String, _ plan: inout PlanBuilder) -> Value {
      let mixed = plan.mean(x, before, named: "\(name)_mix")
      return plan.linear(mixed, to: width, named: name)
    }
    let k = projected("k", &plan)
    let v = projected("v", &plan)
    let r = projected("r", &plan)
    // As the authors start it: channels forget faster, the higher their number.
    let depth = Double(layer.index) / Double(max(1, plan.shape.layerCount - 1))
    let decays = (0..<width).map { -5 + 8 * pow(Double($0) / Double(max(1, width - 1)), 0.7 + 1.3 * depth) }
    let tensors = [
      plan.parameter("decay", shape: [width], starts: .each(decays), use: .vector),
      plan.parameter("bonus", shape: [width], starts: .constant(log(0.3)), use: .vector),
    ]
    let state = plan.state("state", width: 4 * width, extent: .fixed)
    let mixed = plan.apply(WKV(), to: [k, v], parameters: tensors, states: [state])[0]
    let opened = plan.apply(SigmoidProduct(), to: r, mixed)
    return plan.linear(opened, to: plan.shape.hiddenSize, named: "o")
  }
}
