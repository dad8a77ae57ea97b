import Components
import Essentials

/// Differential attention: the difference of two attentions over the same values, so that what both see by chance cancels.
///
///     q, k = rope(x·Wqᵀ), rope(x·Wkᵀ);   v_j = values j and j + kv/2 side by side;   a_h = softmax(scale·q_h·kᵀ)·v
///     y = (1 − λ₀)·norm(a_h − λ·a_{h+n/2})·Woᵀ, for the first half of the n heads
///     λ = exp(λq1·λk1) − exp(λq2·λk2) + λ₀;   λ₀ = 0.8 − 0.6·exp(−0.3·layer)
///
/// Ye et al., 2024, https://arxiv.org/abs/2410.05258, as DiffLlama has it: the heads of the first half are taken from those of the second, and key
/// heads are paired across halves likewise. The norm is that of a pair's result, without weights; λ₀ follows from the layer's number.
/// Values are cached twice as wide as heads.
///
/// Examples: `{num_heads: 4}` `{num_heads: 4, num_kv_heads: 2, head_dim: 6, bias: true, window: 3}`
///
/// Known as: diff_attention, diff_transformer, diffattn `attention: {type: differential, num_heads: 12}`
public struct DifferentialAttention: Mixer {
  public static let name = "differential"

  let heads: Int
  let keyHeads: Int
  let headDim: Int
  let bias: [String: Bool]
  let scale: Double
  let window: Int?
  let norm: (any Normalization)?

  public init(_ options: Options) {
    let width = options.shape.hiddenSize
    let heads = options.requiredInteger(
      "num_heads", in: 2...65536, "the number of query heads, two for each difference")
    keyHeads = options.integer(
      "num_kv_heads", default: heads, in: 2...65536, "the number of key/value heads, in pairs too")
    headDim = options.integer(
      "head_dim", default: max(1, width / heads), in: 1...65536,
      "the width of a head; hidden_size / num_heads by default")
    if !options.isSet("head_dim"), width % heads != 0 {
      options.fail("num_heads", "hidden_size \(width) does not divide into \(heads) heads", hint: "or say 'head_dim'")
    }
    if heads % 2 != 0 { options.fail("num_heads", "\(heads) heads are no pairs") }
    if keyHeads % 2 != 0 || heads % keyHeads != 0 {
      options.fail("num_kv_heads", "\(heads) query heads cannot share \(keyHeads) key heads evenly, in pairs")
    }
    bias = options.flags("bias", ["q", "k", "v", "o"], default: false, "which projections have a bias")
    let auto = 1 / Double(headDim).squareRoot()
    scale = options.number(
      "scale", default: auto, words: ["auto": auto], "the factor of the scores; auto is 1/√head_dim")
    window = options.optionalInteger("window", "sliding window: how many keys a token attends to, its own included")
    norm = options.inheritedComponent("pair_norm", slot: .norm, "the norm of each difference")
    self.heads = heads
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let query = plan.linear(x, to: heads * headDim, named: "q", bias: bias["q"] ?? false)
    let q = layer.position.rotate(query, .query, heads: heads, into: &plan)
    let key = plan.linear(x, to: keyHeads * headDim, named: "k", bias: bias["k"] ?? false)
    let k = layer.position.rotate(key, .key, heads: keyHeads, into: &plan)
    let values = plan.linear(x, to: keyHeads * headDim, named: "v", bias: bias["v"] ?? false)
    let v = plan.apply(PairHeads(heads: keyHeads), to: values)
    let extent: PlannedState.Extent = window.map { .window($0) } ?? .perToken
    let states = [
      plan.state("k", width: k.width, extent: extent, precision: .any),
      plan.state("v", width: v.width, extent: extent, precision: .any),
    ]
    let scale = Float(scale * layer.position.scoreFactor)
    let attend = Attend(
      heads: heads, keyHeads: keyHeads, scale: scale, window: window, softcap: nil,
      bias: layer.position.scoreBias(heads: heads, scale: scale))
    let mixed = plan.apply(attend, to: q, k, v, parameters: [], states: states)
    let start = 0.8 - 0.6 * exp(-0.3 * Double(layer.index))
    let tensors = ["lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"].map {
      plan.parameter($0, shape: [headDim], starts: .normal(0.1), use: .vector)
    }
    var y = plan.apply(SubtractHeads(heads: heads, start: Float(start)), to: mixed, parameters: tensors)
    y = norm?.write(y, named: "pair_norm", over: .heads(heads / 2, sharedWeight: true), into: &plan) ?? y
    y = plan.scale(y, by: 1 - start)
    return plan.linear(y, to: plan.shape.hiddenSize, named: "o", bias: bias["o"] ?? false)
  }
}
