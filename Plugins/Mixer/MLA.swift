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
/// `indexer` chooses the keys that a token sees (DeepSeek-V3.2, https://arxiv.org/abs/2512.02556): its queries are made of the
/// compressed ones. `raw_latent` lets the last matrix of the queries, and a gate `from: latent`, read the compressed queries before
/// their norm too (A.X K2); compressed queries and keys are multiplied by `q_latent_scale` and `kv_latent_scale` (LongCat).
/// The careful reader's mistake: only the elements after the first nope_head_dim of a query head are rotated.
///
/// Examples: `{num_heads: 4, q_lora_rank: 10, kv_lora_rank: 8, nope_head_dim: 6, rope_head_dim: 4, v_head_dim: 5}`
/// `{num_heads: 2, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 8, bias: true, scale: 0.3}`
/// `{num_heads: 2, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 4, latent_norm: {type: rmsnorm, eps: 0.001}}`
/// `{num_heads: 2, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 4, output_gate: {per: head}}`
/// `{num_heads: 2, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 4, window: 3, rope_key_norm: {}}`
/// `{num_heads: 2, q_lora_rank: 6, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 4, raw_latent: true, q_latent_scale: 1.3, kv_latent_scale: sqrt_ratio, output_gate: {from: latent}}`
/// `{num_heads: 2, q_lora_rank: 6, kv_lora_rank: 6, nope_head_dim: 4, rope_head_dim: 2, v_head_dim: 4, indexer: {num_heads: 3, head_dim: 4, rope_head_dim: 2, top_k: 3, k_norm: {eps: 0.001}}}`
///
/// Sizes, those of DeepSeek-V2-Lite: `{num_heads: 16, kv_lora_rank: 512, nope_head_dim: 128, rope_head_dim: 64, v_head_dim: 128}`;
/// those of DeepSeek-V3: `{num_heads: 128, q_lora_rank: 1536, kv_lora_rank: 512, nope_head_dim: 128, rope_head_dim: 64, v_head_dim: 128}`
///
/// Known as: sparse_attention, dsa, deepseek_sparse_attention, lightning_indexer `attention: {type: mla, num_heads: 128, q_lora_rank: 1536, kv_lora_rank: 512, nope_head_dim: 128, rope_head_dim: 64, v_head_dim: 128, indexer: {num_heads: 64, head_dim: 128, rope_head_dim: 64, top_k: 2048}}`,
/// latent_attention, multi_head_latent_attention `attention: {type: mla, num_heads: 16, kv_lora_rank: 512, nope_head_dim: 128, rope_head_dim: 64, v_head_dim: 128}`
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
  let gate: (gate: OutputGate, source: GateSource)?
  let window: Int?
  let ropeKeyNorm: (any Normalization)?
  let rawLatent: Bool
  let queryScale: Double
  let latentScale: Double
  let indexer: KeyIndexer?

  /// What a gate is computed from.
  enum GateSource: String, CaseIterable { case input, latent }

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
    let hasLatent = queryRank != nil
    gate = options.group("output_gate", "a gate on the heads' output, computed from the sublayer's input") { group in
      let source =
        hasLatent
        ? group.choice(
          "from", default: GateSource.input, "whether it reads the sublayer's input or the compressed queries")
        : .input
      return (OutputGate(group), source)
    }
    window = options.optionalInteger("window", "how many keys a token attends to, its own included")
    ropeKeyNorm =
      options.group("rope_key_norm", "a norm of the rotated part of keys, before the rotation") { group in
        group.inheritedComponent(as: (any Normalization).self, slot: .norm, ignoring: [])
      } ?? nil
    rawLatent =
      hasLatent
      && options.flag("raw_latent", default: false, "whether queries read the compressed ones before the norm too")
    let hidden = Double(options.shape.hiddenSize)
    queryScale =
      hasLatent
      ? options.number(
        "q_latent_scale", default: 1, words: ["sqrt_ratio": (hidden / Double(queryRank ?? 1)).squareRoot()],
        "what compressed queries are multiplied by; sqrt_ratio is √(hidden_size / q_lora_rank)") : 1
    latentScale = options.number(
      "kv_latent_scale", default: 1, words: ["sqrt_ratio": (hidden / Double(rank)).squareRoot()],
      "what compressed keys and values are multiplied by; sqrt_ratio is √(hidden_size / kv_lora_rank)")
    let count = heads
    indexer = options.group("indexer", "an indexer that chooses the keys a token sees") {
      KeyIndexer($0, heads: count)
    }
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let latent = plan.part("queries") { plan in self.latent(x, into: &plan) }
    let query = plan.part("queries") { plan in self.query(latent?.read ?? x, layer.position, into: &plan) }
    let key = plan.part("latent") { plan in self.key(x, layer.position, into: &plan) }
    let chosen = indexer?.write(x, queries: latent?.normed ?? x, into: &plan)
    let values = plan.part("heads") { plan in
      let scale = Float(scale * layer.position.scoreFactor)
      let attend = Attend(
        heads: heads, keyHeads: 1, scale: scale, window: window, softcap: nil,
        bias: layer.position.scoreBias(heads: heads, scale: scale), valuesInKeys: rank, choice: chosen?.choice)
      let extent: PlannedState.Extent = window.map { .window($0) } ?? .perToken
      let state = plan.state("latent", width: rank + rope, extent: extent, precision: .any)
      let mixed = plan.apply(attend, to: [query, key] + (chosen.map { [$0.keys] } ?? []), states: [state])[0]
      let fromLatent = HeadLinear(heads: heads, columns: rank, rows: nope..<group, of: group, transposed: false)
      return plan.apply(fromLatent, to: mixed, parameters: [matrix(in: &plan)])
    }
    var gated = values
    if let gate {
      let source = gate.source == .latent ? latent?.read ?? x : x
      gated = gate.gate.write(values, from: source, heads: heads, into: &plan)
    }
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
    let normed = norm?.write(parts[0], named: "kv_a_norm", over: .row, into: &plan) ?? parts[0]
    let latent = plan.scale(normed, by: latentScale)
    let turning = ropeKeyNorm?.write(parts[1], named: "k_rope_norm", over: .row, into: &plan) ?? parts[1]
    let shared = position.rotate(turning, .key, heads: 1, into: &plan)
    return plan.apply(ConcatenateHeads(heads: 1, first: rank, second: rope), to: latent, shared)
  }

  /// The queries of all heads, as they meet that key.
  private func query(_ source: Value, _ position: any PositionEncoding, into plan: inout PlanBuilder) -> Value {
    let q = plan.linear(source, to: heads * (nope + rope), named: queryRank == nil ? "q" : "q_b")
    let parts = plan.split(q, into: [nope, rope], heads: heads)
    let rotated = position.rotate(parts[1], .query, heads: heads, into: &plan)
    let toLatent = HeadLinear(heads: heads, columns: rank, rows: 0..<nope, of: group, transposed: true)
    let met = plan.apply(toLatent, to: parts[0], parameters: [matrix(in: &plan)])
    return plan.apply(ConcatenateHeads(heads: heads, first: rank, second: rope), to: met, rotated)
  }

  /// The compressed queries, and what the matrix after them reads; nil where queries are not compressed.
  private func latent(_ x: Value, into plan: inout PlanBuilder) -> (normed: Value, read: Value)? {
    guard let queryRank else { return nil }
    let raw = plan.linear(x, to: queryRank, named: "q_a", bias: bias["q_a"] ?? false)
    let normed = plan.scale(norm?.write(raw, named: "q_a_norm", over: .row, into: &plan) ?? raw, by: queryScale)
    guard rawLatent else { return (normed, normed) }
    let both = ConcatenateHeads(heads: 1, first: queryRank, second: queryRank)
    return (normed, plan.apply(both, to: normed, raw))
  }
}
