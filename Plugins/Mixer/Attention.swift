import Components

/// Softmax attention: multi-head, grouped-query and multi-query are one component, told apart by `num_kv_heads`.
///
///     q = x·Wqᵀ, k = x·Wkᵀ, v = x·Wvᵀ;   y = softmax(scale·q·kᵀ + bias)·v·Woᵀ, over the tokens before
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762; grouped queries: Ainslie et al., 2023,
/// https://arxiv.org/abs/2305.13245.
/// A `window` of w sees w keys, the token's own included. `qk_norm` is the layer's norm with the options given there.
///
/// Examples: `{num_heads: 4}` `{num_heads: 4, num_kv_heads: 2, window: 3}` `{num_heads: 2, num_kv_heads: 1, softcap: 5}`
/// `{num_heads: 4, head_dim: 6, scale: inverse_head_dim, bias: {q: true, k: true, v: true}}`
/// `{num_heads: 4, bias: true, qk_norm: {scope: head}}` `{num_heads: 4, num_kv_heads: 2, qk_norm: {scope: full}}`
/// `{num_heads: 4, qk_norm: {scope: per_head, when: after_rope, type: rmsnorm, eps: 0.001}}`
public struct Attention: Mixer {
  public static let name = "attention"

  enum NormScope: String, CaseIterable {
    case head, full
    case perHead = "per_head"
  }
  enum NormTime: String, CaseIterable {
    case beforeRope = "before_rope"
    case afterRope = "after_rope"
  }
  struct QueryKeyNorm {
    let scope: NormScope
    let when: NormTime
    let norm: (any Normalization)?
  }

  let heads: Int
  let keyHeads: Int
  let headDim: Int
  let bias: [String: Bool]
  let scale: Double
  let scaleByLayer: Bool
  let window: Int?
  let softcap: Double?
  let norm: QueryKeyNorm?

  public init(_ options: Options) {
    let width = options.shape.hiddenSize
    let heads = options.requiredInteger("num_heads", in: 1...65536, "how many query heads")
    let keyHeads = options.integer("num_kv_heads", default: heads, in: 1...65536, "how many key and value heads")
    let headDim = options.integer(
      "head_dim", default: max(1, width / heads), in: 1...65536, "numbers in a head; hidden_size / num_heads when left out")
    if !options.isSet("head_dim"), width % heads != 0 {
      options.fail("num_heads", "hidden_size \(width) does not divide into \(heads) heads", hint: "or say 'head_dim'")
    }
    if heads % keyHeads != 0 {
      options.fail("num_kv_heads", "\(heads) query heads cannot share \(keyHeads) key heads evenly")
    }
    let auto = 1 / Double(headDim).squareRoot()
    self.heads = heads
    self.keyHeads = keyHeads
    self.headDim = headDim
    bias = options.flags("bias", ["q", "k", "v", "o"], default: false, "which projections have a bias")
    scale = options.number(
      "scale", default: auto, words: ["auto": auto, "inverse_head_dim": 1 / Double(headDim)],
      "the factor of the scores; auto is 1/√head_dim")
    scaleByLayer = options.flag("scale_by_layer", default: false, "whether layer i divides its scores by i + 1")
    window = options.optionalInteger("window", "how many keys a token sees, its own included")
    softcap = options.optionalNumber("softcap", in: 1e-6...1e6, "the smooth limit of the scores")
    norm = options.group("qk_norm", "the norm of queries and keys") { group in
      QueryKeyNorm(
        scope: group.choice("scope", default: NormScope.head, "each head with shared weights, all heads at once, or each with its own"),
        when: group.choice("when", default: NormTime.beforeRope, "before or after the rotation"),
        norm: group.inheritedComponent(slot: .norm, ignoring: ["scope", "when"]))
    }
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let q = projected(x, "q", heads, layer, into: &plan)
    let k = projected(x, "k", keyHeads, layer, into: &plan)
    let v = plan.linear(x, to: keyHeads * headDim, named: "v", bias: bias["v"] ?? false)
    let extent = window.map { PlannedState.Extent.window($0) } ?? .perToken
    let keys = plan.state("k", width: k.width, extent: extent, precision: .any)
    let values = plan.state("v", width: v.width, extent: extent, precision: .any)
    let scale = Float(scaleByLayer ? scale / Double(layer.index + 1) : scale)
    let attend = Attend(
      heads: heads, keyHeads: keyHeads, scale: scale, window: window, softcap: softcap.map { Float($0) },
      bias: layer.position.scoreBias(heads: heads, scale: scale))
    let mixed = plan.apply(attend, to: q, k, v, width: heads * headDim, states: [keys, values])
    return plan.linear(mixed, to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false)
  }

  /// Queries or keys: projected, normalized and turned.
  private func projected(_ x: Value, _ name: String, _ heads: Int, _ layer: Layer, into plan: inout PlanBuilder) -> Value {
    var y = plan.linear(x, to: heads * headDim, named: name, bias: bias[name] ?? false)
    if norm?.when == .beforeRope { y = normalized(y, name, heads, into: &plan) }
    y = layer.position.rotate(y, heads: heads, into: &plan)
    if norm?.when == .afterRope { y = normalized(y, name, heads, into: &plan) }
    return y
  }

  private func normalized(_ x: Value, _ name: String, _ heads: Int, into plan: inout PlanBuilder) -> Value {
    guard let norm, let component = norm.norm else { return x }
    let span: NormSpan =
      switch norm.scope {
      case .full: .row
      case .head: .heads(heads, sharedWeight: true)
      case .perHead: .heads(heads, sharedWeight: false)
      }
    return component.write(x, named: "\(name)_norm", over: span, into: &plan)
  }
}
