import Components

/// A learned vector for every token.
///
///     x[t] = scale·W[token[t]] + position;   then the norm, if there is one        W: [vocab_size, hidden_size]
///
/// Bengio et al., 2003, https://www.jmlr.org/papers/v3/bengio03a.html; scaled by √hidden_size in Vaswani et al., 2017,
/// https://arxiv.org/abs/1706.03762, and in Gemma. The scale acts before positions are added, and not on a tied head.
///
/// Examples: `{scale: sqrt_hidden, norm: layernorm}` `{scale: 0.5}`
public struct TokenEmbedding: Embedding {
  public static let name = "embedding"

  let scale: Double
  let norm: (any Normalization)?

  public init(_ options: Options) {
    let root = Double(options.shape.hiddenSize).squareRoot()
    scale = options.number("scale", default: 1, words: ["sqrt_hidden": root], "what vectors are multiplied by")
    norm = options.component("norm", default: "none", slot: .norm, "the norm of the sum")
  }

  public func write(position: any PositionEncoding, into plan: inout PlanBuilder) -> Value {
    let shape = plan.shape
    let table = plan.parameter(
      "embed.tokens.weight", shape: [shape.vocabSize, shape.hiddenSize], starts: .normal(0.02))
    var x = plan.within("embed") { plan in
      let looked = plan.apply(Lookup(), to: [], widths: [shape.hiddenSize], parameters: [table])[0]
      return plan.scale(looked, by: scale)
    }
    x = position.embed(x, into: &plan)
    return norm?.write(x, named: "embed.norm", over: .row, into: &plan) ?? x
  }
}
