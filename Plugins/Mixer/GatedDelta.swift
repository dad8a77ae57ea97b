import Components
import Essentials

/// Linear attention whose state is corrected, not only added to: the gated delta rule.
///
///     q, k, v = act(convolution(projections of the token));   q, k with heads of length one, q / √head_dim
///     S_t = exp(g_t)·S_{t−1} + k_t·u_tᵀ,  u_t = β_t·(v_t − (exp(g_t)·S_{t−1})ᵀ·k_t);   y = norm(S_tᵀ·q_t) ⊙ gate(x), then ·Woᵀ
///     β = beta_scale·σ(x·Wβᵀ);   g = −exp(a_log)·softplus(x·Waᵀ + b)
///
/// Yang, Kautz and Hatamizadeh, 2024, https://arxiv.org/abs/2412.06464; the delta rule: Schlag, Irie and Schmidhuber, 2021,
/// https://arxiv.org/abs/2102.11174. In Qwen3-Next, Qwen3.5 and OLMo Hybrid beside attention. With `decay: channel` each number of a key
/// fades at its own rate, as in Kimi Linear (https://arxiv.org/abs/2510.26692), whose decays and gates are made by way of few
/// numbers (`decay_rank`, `gate_rank`), and in Ling 2.5, whose states never fade by more than `decay_bound`.
/// A head's state has head_dim × v_head_dim elements; heads of values share the queries and keys of `num_key_heads`. What is
/// cached of a sequence does not grow. A `beta_scale` of 2 lets a state turn its sign (Grazzi et al., 2024,
/// https://arxiv.org/abs/2411.12537). Positions have nothing to act on: the convolutions and the order of tokens say them.
///
/// Examples: `{num_heads: 2}` `{num_heads: 4, num_key_heads: 2, head_dim: 3, v_head_dim: 5, conv_kernel: 2, beta_scale: 2}`
/// `{num_heads: 2, head_dim: 4, decay: channel, head_norm: {type: rmsnorm}, gate_activation: sigmoid, decay_rank: 3, gate_rank: 2}`
/// `{num_heads: 2, head_dim: 4, decay: channel, decay_bound: -5}`
///
/// Known as: gated_deltanet, deltanet, gdn `attention: {type: gated_delta, num_heads: 16}`,
/// kda, kimi_delta_attention `attention: {type: gated_delta, num_heads: 16, decay: channel}`
public struct GatedDelta: Mixer {
  public static let name = "gated_delta"

  enum DecayWidth: String, CaseIterable { case head, channel }

  let heads: Int
  let keyHeads: Int
  let headDim: Int
  let valueDim: Int
  let kernel: Int
  let betaScale: Double
  let decay: DecayWidth
  let decayBound: Double?
  let decayRank: Int?
  let gateRank: Int?
  let activation: (any Activation)?
  let gateActivation: (any Activation)?
  let norm: (any Normalization)?

  public init(_ options: Options) {
    let width = options.shape.hiddenSize
    let heads = options.requiredInteger("num_heads", in: 1...65536, "the number of heads of values, each with a state")
    keyHeads = options.integer(
      "num_key_heads", default: heads, in: 1...65536, "the number of heads of queries and keys")
    if heads % keyHeads != 0 {
      options.fail("num_key_heads", "\(heads) heads cannot share \(keyHeads) keys evenly")
    }
    headDim = options.integer(
      "head_dim", default: max(1, width / heads), in: 1...65536,
      "the width of a query and a key; hidden_size / num_heads by default")
    valueDim = options.optionalInteger("v_head_dim", in: 1...65536, "the width of a value, if not head_dim") ?? headDim
    kernel = options.integer("conv_kernel", default: 4, in: 2...64, "the kernel size of the convolutions, in tokens")
    betaScale = options.number("beta_scale", default: 1, in: 1e-3...2, "what the strength of a correction is at most")
    decay = options.choice("decay", default: DecayWidth.head, "a decay for each head, or for each number of a key")
    decayRank = options.optionalInteger("decay_rank", in: 1...65536, "the rank of the projection of the decays")
    gateRank = options.optionalInteger("gate_rank", in: 1...65536, "the rank of the projection of the output gate")
    decayBound = options.optionalNumber(
      "decay_bound", in: -1e3...(-1e-6),
      "the least that the logarithm of a decay may be: bound·σ(exp(a_log)·(x·Waᵀ + b))")
    activation = options.component(
      "activation", default: "silu", slot: .activation, "the nonlinearity of the convolutions")
    gateActivation = options.component(
      "gate_activation", default: "silu", slot: .activation, "the nonlinearity of the output gate")
    norm = options.inheritedComponent("head_norm", slot: .norm, "the norm of each head's result")
    self.heads = heads
    if decay == .channel, keyHeads != heads {
      options.fail("decay", "with a decay for each number of a key there are as many key heads as heads")
    }
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let scale = 1 / Double(headDim).squareRoot()
    let q = plan.apply(
      UnitHeads(heads: keyHeads, scale: Float(scale)), to: mixed(x, "q", keyHeads * headDim, into: &plan))
    let k = plan.apply(UnitHeads(heads: keyHeads, scale: 1), to: mixed(x, "k", keyHeads * headDim, into: &plan))
    let v = mixed(x, "v", heads * valueDim, into: &plan)
    let beta = plan.linear(x, to: heads, named: "beta")
    let low = decayRank.map { plan.linear(x, to: $0, named: "decay_in") } ?? x
    let opened = plan.linear(low, to: decay == .head ? heads : heads * headDim, named: "decay", bias: true)
    let logarithms = plan.parameter("a_log", shape: [heads], starts: .each((1...heads).map { log(Double($0)) }))
    let g = plan.apply(Decay(heads: heads, bound: decayBound.map { Float($0) }), to: opened, parameters: [logarithms])
    let state = plan.state("state", width: heads * headDim * valueDim, extent: .fixed)
    let rule = DeltaRule(heads: heads, keyHeads: keyHeads, betaScale: Float(betaScale), byKey: decay == .channel)
    var y = plan.apply(rule, to: [q, k, v, g, beta], states: [state])[0]
    y = norm?.write(y, named: "head_norm", over: .heads(heads, sharedWeight: true), into: &plan) ?? y
    let lowGate = gateRank.map { plan.linear(x, to: $0, named: "gate_in") } ?? x
    let gate = plan.linear(lowGate, to: heads * valueDim, named: "gate")
    y = plan.multiply(gateActivation?.write(gate, into: &plan) ?? gate, y)
    return plan.linear(y, to: plan.shape.hiddenSize, named: "o")
  }

  /// A projection, mixed with those of the few tokens before.
  private func mixed(_ x: Value, _ name: String, _ width: Int, into plan: inout PlanBuilder) -> Value {
    var y = plan.linear(x, to: width, named: name)
    y = plan.convolve(y, over: kernel, named: "\(name)_conv", bias: false)
    return activation?.write(y, into: &plan) ?? y
  }
}
