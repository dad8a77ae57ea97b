import Components

/// As many rows as there are learned queries, each a mixture of what a stack gives: how all patches of a picture become one vector.
///
///     h = softmax(scale·(L·Wqᵀ)·(s·Wkᵀ)ᵀ)·(s·Wvᵀ)·Woᵀ;   y = h + W₂·act(W₁·norm(h))        L: [count, hidden_size]; y = h without a width
///
/// Lee et al., 2018 (Set Transformer), https://arxiv.org/abs/1810.00825; one query: Zhai et al., 2021, https://arxiv.org/abs/2106.04560, as
/// SigLIP's pictures have it. s is behind the stack's own norm, unless the last block ends in one; `norm` overrules that. All matrices have the
/// stack's width and biases, and the norm before the MLP is of the stack's kind. The careful reader's mistake: the queries are no part of the result, so
/// nothing is added to h but what the MLP makes of it. There are at most as many queries as the stack has rows.
///
/// Examples: `{count: 16, num_heads: 2}` `{count: 13, num_heads: 2, norm: false, intermediate_size: 6, activation: gelu_tanh}`
///
/// Known as: map_head, multihead_attention_pooling, attention_pool, attentional_pooler, probe
/// `output: {type: attention_pooling, num_heads: 12, intermediate_size: 3072}`
public struct AttentionPooling: Output {
  public static let name = "attention_pooling"

  let count: Int
  let heads: Int
  let norm: Bool?
  let inner: Int?
  let activation: (any Activation)?
  let place: Place?

  public init(_ options: Options) {
    count = options.integer("count", default: 1, in: 1...65536, "the learned queries, each of which becomes a row")
    heads = options.requiredInteger("num_heads", in: 1...65536, "the heads, which divide the width of the stack")
    norm = options.optionalFlag(
      "norm", "whether a norm stands before it; when left out, unless the last block ends in one")
    inner = options.optionalInteger(
      "intermediate_size", in: 1...(1 << 24), "the inner width of the MLP behind it; none when left out")
    activation = options.component(
      "activation", default: "gelu", slot: .activation, "the nonlinearity of that MLP")
    place = options.place
  }

  public func write(
    _ hidden: [Value], norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder
  ) -> Value {
    var x = hidden[hidden.count - 1]
    if norm ?? normIsDue { x = component.write(x, named: "final_norm", over: .row, into: &plan) }
    let (width, rows) = (plan.shape.hiddenSize, plan.shape.contextLength)
    if width % heads != 0 {
      plan.fail("the stack's width \(width) does not divide into \(heads) heads", at: place)
      return x
    }
    if rows < count {
      plan.fail(
        "the stack has \(rows) rows, and \(count) queries are more", at: place,
        hint: "'context_length' of the stack is the number of its rows")
      return x
    }
    let axis = plan.axis(from: x.axis, dropping: rows - count, joining: 1)
    return plan.within("pool") { plan in
      let table = plan.parameter("queries.weight", shape: [count, width], starts: .normal(1))
      let queries = plan.apply(LearnedRows(axis: axis), to: [], parameters: [table])[0]
      let q = plan.linear(queries, to: width, named: "q", bias: true)
      let k = plan.linear(x, to: width, named: "k", bias: true)
      let v = plan.linear(x, to: width, named: "v", bias: true)
      let attend = Attend(
        mask: .full, heads: heads, keyHeads: heads, scale: 1 / Float(width / heads).squareRoot(), window: nil,
        softcap: nil, bias: nil)
      let mixed = plan.apply(attend, to: q, k, v)
      let h = plan.linear(mixed, to: width, named: "o", bias: true)
      guard let inner else { return h }
      let normed = component.write(h, named: "norm", over: .row, into: &plan)
      let up = plan.linear(normed, to: inner, named: "up", bias: true)
      let active = activation?.write(up, into: &plan) ?? up
      let down = plan.linear(active, to: width, named: "down", bias: true)
      return plan.add(h, down)
    }
  }
}
