import Components

/// A block of attention and a feed-forward that layers share, before a mixer of the layer's own.
///
///     h = norm(x, x₀);   a = attention(h)·Woᵀ;   m = mlp(norm(a));   y = inner(norm(x + m·Wtᵀ))        x₀ the embedding
///
/// Glorioso et al., 2024 (Zamba), https://arxiv.org/abs/2405.16712; with several blocks that take turns, adapters and positions:
/// Zamba 2, https://arxiv.org/abs/2411.15242. A block belongs to the first layer that uses it, N, and its tensors are named
/// `shared.N`; the n-th layer that has one takes block n mod `blocks`. Each use has keys and values of its own, its last matrix Wt, and, with
/// an `adapter_rank`, low-rank additions to the block's matrices: `shared.N.adapters.n`. The careful reader's mistake: what the block
/// gives is added for the inner mixer alone, and the residual stream goes by; so the layer's block has `skip_norm: {attn: true}`.
///
/// Examples: `{num_heads: 4, inner: {type: short_conv}}` `{num_heads: 4, num_kv_heads: 2, inner: {type: short_conv}}` `{num_heads: 2, head_dim: 8, blocks: 2, adapter_rank: 3, intermediate_size: 10, inner: {type: short_conv}}`
/// `{num_heads: 2, adapter_rank: 3, attention_adapters: true, gated: true, scale: 0.4, bias: true, inner: {type: attention, num_heads: 2}}`
public struct SharedBlock: Mixer {
  public static let name = "shared_block"

  /// The layers that have used blocks so far.
  private struct Uses: Sendable {
    var layers: [Int] = []
  }

  let heads: Int
  let keyHeads: Int
  let headDim: Int
  let scale: Double
  let blocks: Int
  let rank: Int?
  let adaptsAttention: Bool
  let width: Int
  let gated: Bool
  let bias: Bool
  let activation: (any Activation)?
  let norm: (any Normalization)?
  let inner: (any Mixer)?

  public init(_ options: Options) {
    let hidden = options.shape.hiddenSize
    let heads = options.requiredInteger("num_heads", in: 1...65536, "the number of heads")
    let keyHeads = options.integer(
      "num_kv_heads", default: heads, in: 1...65536, "the number of key/value heads; num_heads by default")
    if heads % keyHeads != 0 {
      options.fail("num_kv_heads", "\(heads) query heads cannot share \(keyHeads) key heads evenly")
    }
    let headDim = options.integer(
      "head_dim", default: max(1, 2 * hidden / heads), in: 1...65536,
      "the width of a head; 2 × hidden_size / num_heads by default")
    (self.heads, self.keyHeads, self.headDim) = (heads, keyHeads, headDim)
    let auto = 1 / (Double(headDim) / 2).squareRoot()
    scale = options.number(
      "scale", default: auto, words: ["auto": auto], "the factor of the scores; auto is 1/√(head_dim / 2)")
    blocks = options.integer("blocks", default: 1, in: 1...65536, "how many blocks take turns")
    rank = options.optionalInteger("adapter_rank", "the rank of what each use adds to the block's matrices")
    adaptsAttention =
      rank == nil
      ? false
      : options.flag(
        "attention_adapters", default: false,
        "whether queries, keys and values have such additions, beside the feed-forward")
    width = options.integer(
      "intermediate_size", default: 4 * hidden, "the inner width of the feed-forward; 4 × hidden_size by default")
    gated = options.flag("gated", default: true, "whether a gate multiplies the inner activations")
    bias = options.flag("bias", default: false, "whether the feed-forward's matrices have a bias")
    activation = options.component("activation", default: "gelu", slot: .activation, "the nonlinearity")
    norm = options.inheritedComponent("norm", slot: .norm, "the norms of the block, and that before the inner mixer")
    inner = options.component("inner", default: "none", slot: .attention, "the mixer after it")
  }

  public var differsByLayer: Bool { true }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    var uses = plan.left(Uses.self) ?? Uses()
    let use = uses.layers.count
    uses.layers.append(layer.index)
    plan.leave(uses)
    let owner = uses.layers[use < blocks ? use : use % blocks]
    let embedded = plan.left(EmbeddedRows.self)?.stream ?? x
    let block = plan.part("shared block") { plan in
      plan.withTensors(of: "shared.\(owner)") { plan in
        let both = MLA.ConcatenateHeads(heads: 1, first: x.width, second: embedded.width)
        let joined = plan.apply(both, to: x, embedded)
        let read = norm?.write(joined, named: "attn_norm", over: .row, into: &plan) ?? joined
        let mixed = attention(read, layer, use, into: &plan)
        let normed = norm?.write(mixed, named: "mlp_norm", over: .row, into: &plan) ?? mixed
        return feedForward(normed, use, into: &plan)
      }
    }
    let taken = plan.linear(block, to: x.width, named: "shared_out")
    let sum = plan.add(x, taken)
    let read = norm?.write(sum, named: "norm", over: .row, into: &plan) ?? sum
    return plan.within("inner") { plan in inner?.write(read, layer: layer, into: &plan) ?? read }
  }

  private func attention(_ x: Value, _ layer: Layer, _ use: Int, into plan: inout PlanBuilder) -> Value {
    plan.within("attn") { plan in
      func projected(_ name: String, _ count: Int, _ plan: inout PlanBuilder) -> Value {
        let y = plan.linear(x, to: count * headDim, named: name)
        return adaptsAttention ? adapted(y, from: x, use, name, into: &plan) : y
      }
      let q = projected("q", heads, &plan)
      let (k, v) = (projected("k", keyHeads, &plan), projected("v", keyHeads, &plan))
      let query = layer.position.rotate(q, .query, heads: heads, into: &plan)
      let key = layer.position.rotate(k, .key, heads: keyHeads, into: &plan)
      let factor = Float(scale * layer.position.scoreFactor)
      let attend = Attend(
        heads: heads, keyHeads: keyHeads, scale: factor, window: nil, softcap: nil,
        bias: layer.position.scoreBias(heads: heads, scale: factor))
      let states = ["k", "v"].map { plan.state($0, width: k.width, extent: .perToken, precision: .any) }
      let mixed = plan.apply(attend, to: query, key, v, states: states)
      return plan.linear(mixed, to: plan.shape.hiddenSize, named: "o")
    }
  }

  private func feedForward(_ x: Value, _ use: Int, into plan: inout PlanBuilder) -> Value {
    plan.within("mlp") { plan in
      let up = plan.linear(x, to: width, named: "up", bias: bias)
      let gate = gated ? plan.linear(x, to: width, named: "gate", bias: bias) : nil
      // One narrow matrix for both.
      let narrow = rank.map { plan.linear(x, to: $0, named: "adapters.\(use).down") }
      func raised(_ y: Value, _ name: String, _ plan: inout PlanBuilder) -> Value {
        guard let narrow else { return y }
        return plan.add(y, plan.linear(narrow, to: width, named: "adapters.\(use).\(name)"))
      }
      var inner = raised(up, "up", &plan)
      if let gate {
        let added = raised(gate, "gate", &plan)
        inner = plan.multiply(activation?.write(added, into: &plan) ?? added, inner)
      } else {
        inner = activation?.write(inner, into: &plan) ?? inner
      }
      return plan.linear(inner, to: plan.shape.hiddenSize, named: "down", bias: bias)
    }
  }

  /// What a use adds to the block's matrix `name`.
  private func adapted(
    _ y: Value, from x: Value, _ use: Int, _ name: String, into plan: inout PlanBuilder
  ) -> Value {
    guard let rank else { return y }
    let narrow = plan.linear(x, to: rank, named: "adapters.\(use).\(name)_down")
    return plan.add(y, plan.linear(narrow, to: y.width, named: "adapters.\(use).\(name)_up"))
  }
}
