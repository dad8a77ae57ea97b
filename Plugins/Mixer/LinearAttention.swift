import Components
import Essentials

/// Linear attention: no softmax, over a state that decays: retention, or with data-dependent gates.
///
///     S_t = exp(g_t)·S_{t−1} + φ(k_t)·v_tᵀ;   y = norm(scale·φ(q_t)·S_t) ⊙ gate(x), each head by itself, then ·Woᵀ
///     decay none: g = 0    slopes: g_h = −2^(−8·(h + 1)/n)·(1 − layer/(slope_layers − 1))    fixed: g_h = log(1 − 2^(−5 − h))    gated: g = log σ(x·Wgᵀ + b) / decay_temperature
///
/// Katharopoulos et al., 2020, https://arxiv.org/abs/2006.16236; fixed: Sun et al., 2023 (retention),
/// https://arxiv.org/abs/2307.08621; gated: Sun et al., 2024 (gated retention), https://arxiv.org/abs/2405.05254, and Yang
/// et al., 2023, https://arxiv.org/abs/2312.06635, with a gate for each number of a key where here each head has one.
/// Slopes: Qin et al., 2024 (Lightning Attention-2), https://arxiv.org/abs/2401.04658, as MiniMax-01 has them (which adds 1e-5 to
/// the factor of a layer and to what it divides by), with `value_feature` on values and one norm of all heads.
/// φ is `feature`. Nothing divides by the sum of weights: the norm of each head keeps results in size. What is cached of a
/// sequence, head_dim × v_head_dim elements per head, does not grow. A position encoding may rotate queries and keys, but a bias
/// on scores has no place. `chunk_size` changes speed alone.
///
/// Examples: `{num_heads: 4}` `{num_heads: 2, v_head_dim: 5, chunk_size: 3, bias: true, feature: silu, scale: 0.7}`
/// `{num_heads: 4, decay: fixed, chunk_size: 4, output_gate: {activation: silu}}` `{num_heads: 2, head_dim: 3, decay: none, chunk_size: 2}`
/// `{num_heads: 4, decay_temperature: 1, head_norm: {type: rmsnorm}, output_gate: {per: head}, chunk_size: 4}`
/// `{num_heads: 2, decay: slopes, slope_layers: 3, feature: silu, value_feature: silu, scale: 1, norm_scope: full, chunk_size: 3}`
///
/// Known as: retention, retnet `attention: {type: linear_attention, num_heads: 12, decay: fixed}`,
/// lightning, lightning_attention `attention: {type: linear_attention, num_heads: 12, decay: slopes, slope_layers: 12}`,
/// gla, gated_linear_attention, gated_retention `attention: {type: linear_attention, num_heads: 12, decay: gated}`
public struct LinearAttention: Mixer {
  public static let name = "linear_attention"

  enum DecayKind: String, CaseIterable { case none, fixed, slopes, gated }
  enum NormScope: String, CaseIterable { case head, full }

  let heads: Int
  let headDim: Int
  let valueDim: Int
  let bias: [String: Bool]
  let scale: Double
  let decay: DecayKind
  let temperature: Double
  let chunk: Int
  let slopeLayers: Int?
  let feature: (any Activation)?
  let valueFeature: (any Activation)?
  let norm: (any Normalization)?
  let normScope: NormScope
  let gate: OutputGate?
  let place: Place?

  public init(_ options: Options) {
    let width = options.shape.hiddenSize
    let heads = options.requiredInteger("num_heads", in: 1...65536, "the number of heads, each with a state")
    headDim = options.integer(
      "head_dim", default: max(1, width / heads), in: 1...65536,
      "the width of a query and a key; hidden_size / num_heads by default")
    if !options.isSet("head_dim"), width % heads != 0 {
      options.fail("num_heads", "hidden_size \(width) does not divide into \(heads) heads", hint: "or say 'head_dim'")
    }
    valueDim = options.optionalInteger("v_head_dim", in: 1...65536, "the width of a value, if not head_dim") ?? headDim
    bias = options.flags("bias", ["q", "k", "v", "o"], default: false, "which projections have a bias")
    let auto = 1 / Double(headDim).squareRoot()
    scale = options.number(
      "scale", default: auto, words: ["auto": auto], "the factor of the queries; auto is 1/√head_dim")
    decay = options.choice(
      "decay", default: DecayKind.gated,
      "decay of the state: none, one rate per head, the slopes of ALiBi, or data-dependent")
    slopeLayers =
      decay == .slopes
      ? options.optionalInteger(
        "slope_layers", in: 1...65536, "the number of layers over which slopes fall to nothing; all alike by default")
      : nil
    temperature =
      decay == .gated
      ? options.number(
        "decay_temperature", default: 16, in: 1e-3...1e6, "what the logarithm of the gates is divided by") : 1
    chunk = options.integer(
      "chunk_size", default: 64, in: 1...1024, "chunk length of the parallel form, in tokens")
    // Without one no step is written.
    feature =
      options.isSet("feature") || options.isDescribing
      ? options.component("feature", default: "identity", slot: .activation, "the feature map of queries and keys")
      : nil
    valueFeature =
      options.isSet("value_feature") || options.isDescribing
      ? options.component("value_feature", default: "identity", slot: .activation, "the feature map of values") : nil
    norm = options.inheritedComponent("head_norm", slot: .norm, "the norm of each head's result")
    normScope = options.choice(
      "norm_scope", default: NormScope.head, "whether each head's result is normalized by itself, or all at once")
    gate = options.group(
      "output_gate", "a gate on the heads' output, computed from the sublayer's input", OutputGate.init)
    place = options.place
    self.heads = heads
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    if layer.position.scoreBias(heads: heads, scale: 1) != nil {
      plan.fail(
        "linear attention has no scores that a position encoding could add to", at: place, hint: "use rope, or none")
    }
    var q = projected(x, "q", .query, layer, into: &plan)
    q = plan.scale(q, by: scale * layer.position.scoreFactor)
    let k = projected(x, "k", .key, layer, into: &plan)
    var v = plan.linear(x, to: heads * valueDim, named: "v", bias: bias["v"] ?? false)
    v = valueFeature?.write(v, into: &plan) ?? v
    let state = plan.state("state", width: heads * headDim * valueDim, extent: .fixed)
    let attend = LinearAttend(heads: heads, keyHeads: heads, decay: logarithms(of: layer.index), chunk: chunk)
    var inputs = [q, k, v]
    if decay == .gated {
      let opened = plan.linear(x, to: heads, named: "decay", bias: true)
      inputs.append(plan.apply(LogSigmoid(temperature: Float(temperature)), to: opened))
    }
    var y = plan.apply(attend, to: inputs, states: [state])[0]
    let span: NormSpan = normScope == .full ? .row : .heads(heads, sharedWeight: true)
    y = norm?.write(y, named: "head_norm", over: span, into: &plan) ?? y
    if let gate { y = gate.write(y, from: x, heads: heads, into: &plan) }
    return plan.linear(y, to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false)
  }

  private func logarithms(of layer: Int) -> LinearAttend.Decay {
    switch decay {
    case .slopes:
      let factor = slopeLayers.map { 1 - Double(layer) / (Double($0) - 1 + 1e-5) + 1e-5 } ?? 1
      return .fixed((0..<heads).map { Float(-exp2(-8 * Double($0 + 1) / Double(heads)) * factor) })
    case .none: return .fixed(Array(repeating: 0, count: heads))
    case .fixed: return .fixed((0..<heads).map { Float(log1p(-exp2(-5 - Double($0)))) })
    case .gated: return .given
    }
  }

  /// Queries or keys: projected, put through φ and rotated.
  private func projected(
    _ x: Value, _ name: String, _ role: AttentionRole, _ layer: Layer, into plan: inout PlanBuilder
  ) -> Value {
    let y = plan.linear(x, to: heads * headDim, named: name, bias: bias[name] ?? false)
    return layer.position.rotate(feature?.write(y, into: &plan) ?? y, role, heads: heads, into: &plan)
  }
}
