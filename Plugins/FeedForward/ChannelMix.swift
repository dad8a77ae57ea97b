import Components

/// The channel mixing of RWKV-4: a feed-forward that reads the token before too, behind a gate.
///
///     k, r = (μ ⊙ x_t + (1 − μ) ⊙ x_{t−1})·Wᵀ, each with a μ of its own;   y = σ(r) ⊙ (act(k)·Wdownᵀ)
///
/// Peng et al., 2023, https://arxiv.org/abs/2305.13048. The last token of a sequence is cached. The careful reader's mistake:
/// what it reads of the token before is the norm of the residual stream, not what the token gave.
///
/// Examples: `{}` `{intermediate_size: 10, activation: gelu}`
///
/// Known as: rwkv_channel_mix `mlp: channel_mix`
public struct ChannelMix: FeedForward {
  public static let name = "channel_mix"

  let width: Int
  let activation: (any Activation)?

  public init(_ options: Options) {
    width = options.integer(
      "intermediate_size", default: 4 * options.shape.hiddenSize, "the inner width; 4 × hidden_size by default")
    activation = options.component("activation", default: "relu2", slot: .activation, "the nonlinearity")
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let before = plan.previousToken(x)
    let read = plan.mean(x, before, named: "up_mix")
    let up = plan.linear(read, to: width, named: "up")
    let inner = activation?.write(up, into: &plan) ?? up
    let down = plan.linear(inner, to: plan.shape.hiddenSize, named: "down")
    let gated = plan.mean(x, before, named: "gate_mix")
    let gate = plan.linear(gated, to: plan.shape.hiddenSize, named: "gate")
    return plan.apply(RWKV4.SigmoidProduct(), to: gate, down)
  }
}
