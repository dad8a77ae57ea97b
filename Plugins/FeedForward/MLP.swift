import Components

/// A feed-forward of two matrices around an activation, or of three with a gate.
///
///     y = act(x·Wupᵀ)·Wdownᵀ        gated: y = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762; gated: Shazeer, 2020, https://arxiv.org/abs/2002.05202.
/// The activation acts on the gate, not on `up`. SwiGLU is gated with `silu`.
///
/// Examples: `{intermediate_size: 24, bias: true}` `{gated: true, activation: silu}`
public struct MLP: FeedForward {
  public static let name = "mlp"

  let width: Int
  let gated: Bool
  let bias: [String: Bool]
  let activation: (any Activation)?

  public init(_ options: Options) {
    let inner = 4 * options.shape.hiddenSize
    width = options.integer("intermediate_size", default: inner, "the inner width; 4 × hidden_size when left out")
    gated = options.flag("gated", default: false, "whether a gate multiplies the inner numbers")
    bias = options.flags("bias", ["gate", "up", "down"], default: false, "which matrices have a bias")
    activation = options.component("activation", default: "gelu", slot: .activation, "the nonlinearity")
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    var inner: Value
    if gated {
      let gate = plan.linear(x, to: width, named: "gate", bias: bias["gate"] ?? false)
      let opened = activation?.write(gate, into: &plan) ?? gate
      let up = plan.linear(x, to: width, named: "up", bias: bias["up"] ?? false)
      inner = plan.multiply(opened, up)
    } else {
      inner = plan.linear(x, to: width, named: "up", bias: bias["up"] ?? false)
      inner = activation?.write(inner, into: &plan) ?? inner
    }
    return plan.linear(inner, to: plan.shape.hiddenSize, named: "down", bias: bias["down"] ?? false)
  }
}
