import Components

/// A mixture of attention heads: a router sends every token to `top_k` experts, each with queries and a last matrix of its own, over keys
/// and values that all experts share.
///
///     q_j = x·Wq[e_j]ᵀ, k = x·Wkᵀ, v = x·Wvᵀ;   y = Σ_j w_j·softmax(scale·q_j·kᵀ)·v·Wo[e_j]ᵀ (+ b),  (w, e) = router(x·Wrᵀ)
///
/// Zhang et al., 2022, https://arxiv.org/abs/2210.05144; as here JetMoE, Shen et al., 2024, https://arxiv.org/abs/2404.07413.
/// Every expert has as many heads as there are key heads, and head i reads key head i. The careful reader's mistake: weights multiply
/// what experts give, after their last matrix, and `bias` is added once, to the sum.
///
/// Examples: `{num_experts: 2, top_k: 2, num_kv_heads: 2, head_dim: 4}`
/// `{num_experts: 3, top_k: 3, num_kv_heads: 1, head_dim: 4, bias: true, scale: 0.3, router: {order: select_first}}`
///
/// Sizes, those of JetMoE-8B: `{num_experts: 8, top_k: 2, num_kv_heads: 16, head_dim: 128, bias: true, router: {order: select_first}}`
///
/// Known as: mixture_of_attention_heads `attention: {type: moa, num_experts: 8, top_k: 2, num_kv_heads: 16, head_dim: 128}`
public struct MixtureOfAttention: Mixer {
  public static let name = "moa"

  let experts: Int
  let chosen: Int
  let keyHeads: Int
  let headDim: Int
  let scale: Double
  let bias: Bool
  let router: MoE.Router

  public init(_ options: Options) {
    let experts = options.requiredInteger("num_experts", in: 1...65536, "the number of experts")
    let chosen = options.requiredInteger("top_k", in: 1...1024, "the number of experts per token")
    if chosen > experts { options.fail("top_k", "a token cannot be sent to \(chosen) of \(experts) experts") }
    let counts = (experts: experts, chosen: min(chosen, experts))
    (self.experts, self.chosen) = counts
    keyHeads = options.requiredInteger(
      "num_kv_heads", in: 1...65536, "the number of key/value heads, which every expert has as many queries for")
    let headDim = options.requiredInteger("head_dim", in: 1...65536, "the width of a head")
    self.headDim = headDim
    let auto = 1 / Double(headDim).squareRoot()
    scale = options.number(
      "scale", default: auto, words: ["auto": auto], "the factor of the scores; auto is 1/√head_dim")
    bias = options.flag("bias", default: false, "whether a learned vector is added to the sum of the experts")
    router =
      options.group("router", "how experts are chosen and weighted") {
        MoE.Router($0, experts: counts.experts, chosen: counts.chosen)
      } ?? MoE.Router(experts: counts.experts, chosen: counts.chosen)
    if router.weighsInput { options.fail("router", "weights multiply what experts give, and nothing else here") }
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let (heads, width) = (chosen * keyHeads, keyHeads * headDim)
    let route = plan.part("router") { plan in router.write(x, into: &plan) }
    let experts = MoE.Experts(count: experts, chosen: chosen)
    var q = experts.linear(x, route.choice, to: width, named: "q", each: false, into: &plan)
    q = layer.position.rotate(q, .query, heads: heads, into: &plan)
    let made = plan.linear(x, to: width, named: "k")
    let k = layer.position.rotate(made, .key, heads: keyHeads, into: &plan)
    let v = plan.linear(x, to: width, named: "v")
    let states = [
      plan.state("k", width: width, extent: .perToken, precision: .any),
      plan.state("v", width: width, extent: .perToken, precision: .any),
    ]
    let factor = Float(scale * layer.position.scoreFactor)
    // Heads of one key head come together for attention and back after it.
    let order = chosen > 1 && keyHeads > 1 ? PermuteHeads(heads: heads, groups: keyHeads) : nil
    let window = AttentionWindow.all
    let attend = Attend(
      heads: heads, keyHeads: keyHeads, scale: factor, window: nil, softcap: nil,
      bias: window.bias(with: layer.position.scoreBias(heads: heads, scale: factor), order: order))
    if let order { q = plan.apply(order, to: q) }
    var mixed = plan.apply(attend, to: q, k, v, states: states)
    if let order { mixed = plan.apply(order.inverse, to: mixed) }
    let results = experts.linear(mixed, route.choice, to: plan.shape.hiddenSize, named: "o", each: true, into: &plan)
    let y = plan.apply(MoE.WeightedSum(count: chosen, weighted: true), to: results, route.weights)
    return bias ? plan.shift(y, byLearned: "bias") : y
  }
}
