import Components

/// A feed-forward of two matrices around an activation, or of three with a gate.
///
///     y = act(x·Wupᵀ)·Wdownᵀ        gated: y = (act(x·Wgateᵀ) ⊙ x·Wupᵀ)·Wdownᵀ
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762; gated: Shazeer, 2020, https://arxiv.org/abs/2002.05202.
/// The activation acts on the gate, not on `up`. SwiGLU is gated with `silu`. A `clamp` c keeps the gate below c and `up`
/// within ±c, before the activation; without a gate, `up` within ±c. `up_offset` is added to `up` after that, as Phi-3-small
/// and GPT-oss add 1. `sparsity` lets through the gate, before the nonlinearity, the part 1 − `sparsity` of a row that a normal distribution of its
/// mean and spread has above a limit, less that limit, as in Gemma 3n. `after_token` gives zeros before the first such token of a text, as where a picture's stands for (Llama 3.2 Vision). `sub_norm` stands before `down`, as in BitNet b1.58 (https://arxiv.org/abs/2402.17764).
/// `bounded` is as in attention.
///
/// Examples: `{intermediate_size: 24, bias: true}` `{gated: true, activation: silu}` `{clamp: 0.3}`
/// `{gated: true, activation: quick_gelu, clamp: 0.3, up_offset: 1, sub_norm: {type: rmsnorm}}`
/// `{gated: true, activation: silu, gate_scale: 0.7, down_scale: 1.4}` `{gated: true, activation: gelu_tanh, sparsity: 0.7}` `{sparsity: 0.4}` `{after_token: 3}` `{gated: true, bounded: true}`
///
/// Known as: swiglu `mlp: {gated: true, activation: silu}`, geglu `mlp: {gated: true, activation: gelu}`,
/// geglu_tanh `mlp: {gated: true, activation: gelu_tanh}`, reglu `mlp: {gated: true, activation: relu}`,
/// glu `mlp: {gated: true, activation: sigmoid}`, bilinear `mlp: {gated: true, activation: identity}`,
/// gated_mlp, glu_mlp `mlp: {gated: true}`, ffn, feed_forward, feedforward, dense_mlp `mlp: {type: mlp, intermediate_size: 3072}`,
/// ffn_dim, d_ff, n_inner, intermediate `mlp: {intermediate_size: 3072}`
public struct MLP: FeedForward {
  public static let name = "mlp"

  let width: Int
  let gated: Bool
  let bias: [String: Bool]
  let activation: (any Activation)?
  let clamp: Double?
  let upOffset: Double
  let subNorm: (any Normalization)?
  let gateScale: Double
  let sparsity: Double
  let downScale: Double
  let afterToken: Int?
  let bounded: Bool

  public init(_ options: Options) {
    let inner = 4 * options.shape.hiddenSize
    width = options.integer("intermediate_size", default: inner, "the inner width; 4 × hidden_size by default")
    gated = options.flag("gated", default: false, "whether a gate multiplies the inner activations (SwiGLU, GEGLU)")
    bias = options.flags("bias", ["gate", "up", "down"], default: false, "which matrices have a bias")
    bounded = options.flag(
      "bounded", default: false, "whether learned limits hold the input and the result of each matrix")
    clamp = options.optionalNumber("clamp", in: 1e-6...1e6, "clamp of the inner activations before the nonlinearity")
    upOffset = (gated ? options.optionalNumber("up_offset", "what is added to `up` before the gate") : nil) ?? 0
    subNorm =
      options.group("sub_norm", "a norm before the last matrix: the layer's with the options given here") { group in
        group.inheritedComponent(as: (any Normalization).self, slot: .norm, ignoring: [])
      } ?? nil
    activation = options.component("activation", default: "gelu", slot: .activation, "the nonlinearity")
    gateScale =
      gated
      ? options.number("gate_scale", default: 1, in: -1e6...1e6, "what the gate is multiplied by, before all else") : 1
    sparsity = options.number(
      "sparsity", default: 0, in: 0...0.999999,
      "the share of inner activations that are to be zero, by a normal distribution; 0 is none")
    downScale = options.number("down_scale", default: 1, in: -1e6...1e6, "what the result is multiplied by")
    afterToken = options.optionalInteger(
      "after_token", in: 0...(1 << 31), "a token before whose first place in a text the result is zero")
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    var inner: Value
    if gated {
      var gate = plan.linear(x, to: width, named: "gate", bias: bias["gate"] ?? false, bounded: bounded)
      gate = plan.scale(gate, by: gateScale)
      if let clamp { gate = plan.clamp(gate, to: -.infinity...Float(clamp)) }
      if sparsity > 0 { gate = plan.apply(NormalThreshold(below: sparsity), to: gate) }
      let opened = activation?.write(gate, into: &plan) ?? gate
      var up = plan.linear(x, to: width, named: "up", bias: bias["up"] ?? false, bounded: bounded)
      if let clamp { up = plan.clamp(up, to: -Float(clamp)...Float(clamp)) }
      up = plan.shift(up, by: upOffset)
      inner = plan.multiply(opened, up)
    } else {
      inner = plan.linear(x, to: width, named: "up", bias: bias["up"] ?? false, bounded: bounded)
      if let clamp { inner = plan.clamp(inner, to: -Float(clamp)...Float(clamp)) }
      if sparsity > 0 { inner = plan.apply(NormalThreshold(below: sparsity), to: inner) }
      inner = activation?.write(inner, into: &plan) ?? inner
    }
    inner = subNorm?.write(inner, named: "sub_norm", over: .row, into: &plan) ?? inner
    let down = plan.linear(
      inner, to: plan.shape.hiddenSize, named: "down", bias: bias["down"] ?? false, bounded: bounded)
    let scaled = plan.scale(down, by: downScale)
    guard let afterToken else { return scaled }
    return plan.apply(ClearBeforePictures(), to: scaled, PicturesOfTokens.write(token: afterToken, into: &plan))
  }
}
