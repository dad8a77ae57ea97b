import Components

/// A learned vector for every token.
///
///     x[t] = scale·W[token[t]] (·Pᵀ) + position;   then the norm, if there is one        W: [vocab_size, dim]
///
/// Bengio et al., 2003, https://www.jmlr.org/papers/v3/bengio03a.html; scaled by √hidden_size in Vaswani et al., 2017,
/// https://arxiv.org/abs/1706.03762, and in Gemma; RecurrentGemma rounds the root to bf16. The scale acts before positions are added, and not on a tied head.
/// A `dim` other than hidden_size needs a projection P: [hidden_size, dim], as in OPT-350m and ALBERT; a tied head then
/// needs the same `dim`.
///
/// Examples: `{scale: sqrt_hidden, norm: layernorm}` `{scale: 0.5}` `{dim: 6}`
public struct TokenEmbedding: Embedding {
  public static let name = "embedding"

  let scale: Double
  let dim: Int?
  let norm: (any Normalization)?

  public init(_ options: Options) {
    let root = Double(options.shape.hiddenSize).squareRoot()
    // As it is rounded where it is kept in bf16: to 8 bits of fraction, its own first included.
    let bits = (Float(root).bitPattern + 0x7FFF + (Float(root).bitPattern >> 16 & 1)) & 0xFFFF_0000
    scale = options.number(
      "scale", default: 1, words: ["sqrt_hidden": root, "sqrt_hidden_bf16": Double(Float(bitPattern: bits))],
      "a factor of the embeddings")
    dim = options.optionalInteger("dim", "the width of the vectors, before a projection, when it is not hidden_size")
    norm = options.component("norm", default: "none", slot: .norm, "the norm of the sum")
  }

  public func write(position: any PositionEncoding, into plan: inout PlanBuilder) -> Value {
    let shape = plan.shape
    let width = dim ?? shape.hiddenSize
    let table = plan.parameter(
      "embed.tokens.weight", shape: [shape.vocabSize, width], starts: .normal(0.02))
    var x = plan.within("embed") { plan in
      let looked = plan.apply(EmbeddingLookup(), to: [], parameters: [table])[0]
      let scaled = plan.scale(looked, by: scale)
      return width == shape.hiddenSize ? scaled : plan.linear(scaled, to: shape.hiddenSize, named: "proj_in")
    }
    x = position.embed(x, into: &plan)
    return norm?.write(x, named: "embed.norm", over: .row, into: &plan) ?? x
  }
}
