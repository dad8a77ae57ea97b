import Components

/// Multi-head latent attention: keys and values of all heads follow from one narrow vector a token, which alone is cached.
///
///     c = norm(x·Waᵀ), r = rope(x·Wrᵀ);   k_h = (Wk_h·c, r), v_h = Wv_h·c;   q_h = (n_h, rope(p_h))
///     y = softmax(scale·q·kᵀ)·v·Woᵀ, over the tokens before;   scale = 1/√(nope_head_dim + rope_head_dim)
///
/// DeepSeek-AI, 2024, https://arxiv.org/abs/2405.04434; also DeepSeek-V3, Kimi K2, MiniCPM3.
/// It is computed with the matrices of keys and values moved to the queries and the result, which changes no number but
/// its rounding: n_h·(Wk_h·c) = (Wk_hᵀ·n_h)·c. So it is attention of all heads over one key (c, r), whose values are its
/// own c, in a prompt and token by token alike, and no key or value of a head is ever made. With x as wide as c and r
/// together, a prompt's scores cost (2·kv_lora_rank + rope_head_dim) / (nope_head_dim + rope_head_dim + v_head_dim) times
/// as much as those of separate heads, and its matrices the same.
/// The careful reader's mistake: only the elements after the first nope_head_dim of a query head are rotated.
///
/// Examples: `{num_heads: 4, q_lora_rank: 10, kv_lora_rank: 8, nope_head_dim: 6, rope_head_dim: 4, v_head_dim: 5}`
/// `{num_heads: 2, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 8, bias: true, scale: 0.3}`
/// `{num_heads: 2, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 4, latent_norm: {type: rmsnorm, eps: 0.001}}`
/// `{num_heads: 2, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 4, output_gate: {per: head}}`
///
/// Sizes, those of DeepSeek-V2-Lite: `{num_heads: 16, kv_lora_rank: 512, nope_head_dim: 128, rope_head_dim: 64, v_head_dim: 128}`;
/// those of DeepSeek-V3: `{num_heads: 128, q_lora_rank: 1536, kv_lora_rank: 512, nope_head_dim: 128, rope_head_dim: 64, v_head_dim: 128}`
///
/// Known as: latent_attention, multi_head_latent_attention `attention: {type: mla, num_heads: 16, kv_lora_rank: 512, nope_head_dim: 128, rope_head_dim: 64, v_head_dim: 128}`
public struct MLA: Mixer {
  public static let name = "mla"

  let heads: Int
  let queryRank: Int?
  let rank: Int
  let nope: Int
  let rope: Int
  let valueWidth: Int
  let bias: [String: Bool]
  let scale: Double
  let norm: (any Normalization)?
  let gate: OutputGate?

  public init(_ options: Options) {
    heads = options.requiredInteger("num_heads", in: 1...65536, "the number of heads")
    queryRank = options.optionalInteger(
      "q_lora_rank", "the rank of the query compression; none by default")
    rank = options.requiredInteger("kv_lora_rank", in: 1...65536, "the rank of the key/value compression")
    nope = options.requiredInteger(
      "nope_head_dim", in: 1...65536, "the width of the part of queries and keys without rotation")
    rope = options.requiredInteger(
      "rope_head_dim", in: 1...65536, "the width of the rotated part of queries and keys, shared by all heads' keys")
    valueWidth = options.requiredInteger("v_head_dim", in: 1...65536, "the width of a value")
    bias = options.flags("bias", ["q_a", "kv_a", "o"], default: false, "which projections have a bias")
    let auto = 1 / Double(nope + rope).squareRoot()
    scale = options.number(
      "scale", default: auto, words: ["auto": auto], "the factor of the scores; auto is 1/√(both parts)")
    norm = options.inheritedComponent(
      "latent_norm", slot: .norm, "the norm of the compressed queries, keys and values")
    gate = options.group(
      "output_gate", "a gate on the heads' output, computed from the sublayer's input", OutputGate.init)
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let query = plan.part("queries") { plan in self.query(x, layer.position, into: &plan) }
    let key = plan.part("latent") { plan in self.key(x, layer.position, into: &plan) }
    let values = plan.part("heads") { plan in
      let scale = Float(scale * layer.position.scoreFactor)
      let attend = Attend(
        heads: heads, keyHeads: 1, scale: scale, window: nil, softcap: nil,
        bias: layer.position.scoreBias(heads: heads, scale: scale), valuesInKeys: rank)
      let state = plan.state("latent", width: rank + rope, extent: .perToken, precision: .any)
      let mixed = plan.apply(attend, to: query, key, states: [state])
      let fromLatent = HeadLinear(heads: heads, columns: rank, rows: nope..<group, of: group, transposed: false)
      return plan.apply(fromLatent, to: mixed, parameters: [matrix(in: &plan)])
    }
    let gated = gate?.write(values, from: x, heads: heads, into: &plan) ?? values
    return plan.linear(gated, to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false)
  }

  /// Rows of the matrix of keys and values that belong to a head.
  private var group: Int { nope + valueWidth }

  /// The matrix that makes keys and values of all heads.
  private func matrix(in plan: inout PlanBuilder) -> ParameterReference {
    plan.parameter("kv_b.weight", shape: [heads * group, rank], starts: .normal(0.02))
  }

  /// The one key of all heads, whose first elements are their values: all that is cached of a token.
  private func key(_ x: Value, _ position: any PositionEncoding, into plan: inout PlanBuilder) -> Value {
    let made = plan.linear(x, to: rank + rope, named: "kv_a", bias: bias["kv_a"] ?? false)
    let parts = plan.split(made, into: [rank, rope])
    let latent = norm?.write(parts[0], named: "kv_a_norm", over: .row, into: &plan) ?? parts[0]
    let shared = position.rotate(parts[1], .key, heads: 1, into: &plan)
    return plan.apply(ConcatenateHeads(heads: 1, first: rank, second: rope), to: latent, shared)
  }

  /// The queries of all heads, as they meet that key.
  private func query(_ x: Value, _ position: any PositionEncoding, into plan: inout PlanBuilder) -> Value {
    let parts = queries(x, into: &plan)
    let rotated = position.rotate(parts[1], .query, heads: heads, into: &plan)
    let toLatent = HeadLinear(heads: heads, columns: rank, rows: 0..<nope, of: group, transposed: true)
    let met = plan.apply(toLatent, to: parts[0], parameters: [matrix(in: &plan)])
    return plan.apply(ConcatenateHeads(heads: heads, first: rank, second: rope), to: met, rotated)
  }

  /// The two parts of the queries of all heads.
  private func queries(_ x: Value, into plan: inout PlanBuilder) -> [Value] {
    let width = heads * (nope + rope)
    let q: Value
    if let queryRank {
      let latent = plan.linear(x, to: queryRank, named: "q_a", bias: bias["q_a"] ?? false)
      let normed = norm?.write(latent, named: "q_a_norm", over: .row, into: &plan) ?? latent
      q = plan.linear(normed, to: width, named: "q_b")
    } else {
      q = plan.linear(x, to: width, named: "q")
    }
    return plan.split(q, into: [nope, rope], heads: heads)
  }
}
