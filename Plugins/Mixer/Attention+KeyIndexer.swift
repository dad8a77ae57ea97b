import Components

/// A small attention beside the large one that says which keys alone a token may see: an indexer, or "lightning indexer".
///
///     k = norm(x·Wkᵀ), q = z·Wqᵀ, both rotated;   per token: I(t, s) = Σ_h w_h·max(0, q_h(t)·k(s)),  w = x·Wwᵀ;
///     per head: I_h(t, s) = q_h(t)·k(s);   the `top_k` keys up to t with the largest I, of equal ones the first
///
/// DeepSeek-AI, 2025 (DeepSeek-V3.2), https://arxiv.org/abs/2512.02556. z is what queries are made of: in latent attention their
/// latent. With a `block` whole blocks are chosen, each by its best key up to t, and the last `local_blocks` up to the token's own are
/// always among them (MiniMax-M3); with `per: head` each head of the indexer chooses for as many heads of attention. `reuse` takes
/// what the last layer before chose, and has no tensors (GLM-5). What is chosen has no gradient, so that an indexer learns nothing
/// from a loss of tokens: DeepSeek trains it to imitate attention. The careful reader's mistake: it turns by pairs of its own,
/// the first `rope_head_dim` elements of a head, and the layer's pairing is none of its business unless `position` says so.
struct KeyIndexer {
  enum Per: String, CaseIterable { case token, head }

  /// An indexer with tensors of its own.
  struct Own {
    let heads: Int
    let headDim: Int
    let ropeDim: Int
    let topK: Int
    let per: Per
    let block: Int
    let localBlocks: Int
    let queryNorm: (any Normalization)?
    let keyNorm: (any Normalization)?
    let position: (any PositionEncoding)?
  }

  /// What it chose, as layers after it find it.
  struct Chosen: Sendable {
    let keys: Value
    let choice: KeyChoice
  }

  /// Nil where the layer takes what another chose.
  let own: Own?
  let place: Place?

  init(_ options: Options, heads: Int) {
    place = options.place
    let reuse = options.flag(
      "reuse", default: false, "whether the keys are those that the last layer before with an indexer chose")
    if reuse, !options.isDescribing {
      own = nil
      return
    }
    let count = options.requiredInteger("num_heads", in: 1...4096, "the number of the indexer's heads")
    let headDim = options.requiredInteger("head_dim", in: 1...65536, "the width of one of its heads")
    let per = options.choice(
      "per", default: Per.token, "whether all its heads choose together, or each for its share of attention's heads")
    let block = options.integer("block", default: 1, in: 1...65536, "how many neighbouring keys are chosen as one")
    own = Own(
      heads: count, headDim: headDim,
      ropeDim: options.integer(
        "rope_head_dim", default: headDim, in: 1...65536, "how many first elements of its heads are rotated"),
      topK: options.requiredInteger("top_k", in: 1...1_000_000, "how many keys, or blocks of them, a token sees"),
      per: per, block: block,
      localBlocks: options.integer(
        "local_blocks", default: 0, in: 0...65536, "how many last blocks are always chosen"),
      queryNorm: options.group("q_norm", "the norm of its queries") {
        $0.inheritedComponent(as: (any Normalization).self, slot: .norm, ignoring: [])
      } ?? nil,
      keyNorm: options.group("k_norm", "the norm of its keys") {
        $0.inheritedComponent(as: (any Normalization).self, slot: .norm, ignoring: [])
      } ?? nil,
      position: options.inheritedComponent("position", slot: .position, "how its queries and keys are rotated"))
    if let own, own.ropeDim > headDim {
      options.fail("rope_head_dim", "\(own.ropeDim) elements of heads of \(headDim) cannot be rotated")
    }
    if let own, own.localBlocks > own.topK {
      options.fail("local_blocks", "\(own.localBlocks) blocks cannot always be among \(own.topK)")
    }
    if per == .head, heads % count != 0 {
      options.fail("num_heads", "\(heads) heads of attention cannot share \(count) choices evenly")
    }
  }

  /// Writes the choice for the tokens of `x`, whose queries are made of `source`; nil where there is none to take.
  func write(_ x: Value, queries source: Value, into plan: inout PlanBuilder) -> Chosen? {
    guard let own else {
      if let before = plan.left(Chosen.self) { return before }
      plan.fail("no layer before has an indexer whose keys could be taken", at: place)
      return nil
    }
    let chosen = plan.within("index") { plan in
      plan.part("indexer") { plan in own.write(x, source, into: &plan) }
    }
    plan.leave(chosen)
    return chosen
  }
}

extension KeyIndexer.Own {
  fileprivate func write(_ x: Value, _ source: Value, into plan: inout PlanBuilder) -> KeyIndexer.Chosen {
    var q = plan.linear(source, to: heads * headDim, named: "q")
    q = queryNorm?.write(q, named: "q_norm", over: .heads(heads, sharedWeight: true), into: &plan) ?? q
    q = rotated(q, .query, heads: heads, into: &plan)
    var k = plan.linear(x, to: headDim, named: "k")
    k = keyNorm?.write(k, named: "k_norm", over: .row, into: &plan) ?? k
    k = rotated(k, .key, heads: 1, into: &plan)
    var inputs = [q, k]
    if per == .token { inputs.append(plan.linear(x, to: heads, named: "weights")) }
    let state = plan.state("keys", width: headDim, extent: .perToken, precision: .any)
    let choose = KeyIndexer.Choose(
      heads: heads, topK: topK, isWeighted: per == .token, block: block, localBlocks: localBlocks)
    let keys = plan.apply(choose, to: inputs, states: [state])[0]
    return KeyIndexer.Chosen(keys: keys, choice: KeyChoice(groups: per == .token ? 1 : heads, block: block))
  }

  private func rotated(
    _ x: Value, _ role: AttentionRole, heads: Int, into plan: inout PlanBuilder
  ) -> Value {
    guard let position else { return x }
    if ropeDim == headDim { return position.rotate(x, role, heads: heads, into: &plan) }
    let parts = plan.split(x, into: [ropeDim, headDim - ropeDim], heads: heads)
    let turned = position.rotate(parts[0], role, heads: heads, into: &plan)
    return plan.apply(
      MLA.ConcatenateHeads(heads: heads, first: ropeDim, second: headDim - ropeDim), to: turned, parts[1])
  }
}
