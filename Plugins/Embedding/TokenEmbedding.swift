import Components

/// A learned vector for every token.
///
///     x[t] = scale·W[token[t]] (·Pᵀ) (+ T[text[t]]) + position;   then the norm, if there is one        W: [vocab_size, dim]
///
/// Bengio et al., 2003, https://www.jmlr.org/papers/v3/bengio03a.html; scaled by √hidden_size in Vaswani et al., 2017,
/// https://arxiv.org/abs/1706.03762, and in Gemma; RecurrentGemma rounds the root to bf16. The scale acts before positions are added, and not on a tied head.
/// A `dim` other than hidden_size needs a projection P: [hidden_size, dim], as in OPT-350m and ALBERT; a tied head then
/// needs the same `dim`. `projection: {after: norm}` projects the normalized sum of it all instead, as in ELECTRA.
/// `token_types` are vectors T: [token_types, dim] by which the texts of a pair are told apart, as in BERT (Devlin et al.,
/// 2018, https://arxiv.org/abs/1810.04805); a text by itself is the first. With `replace: {layers: n}` a stack's rows are longer by n·hidden_size
/// numbers, which are added in the same places to what the first n layers give (DeepStack: Meng et al., 2024, https://arxiv.org/abs/2406.04334).
/// `replace: {after: norm}` puts rows in place of the sum and its norm, without a position, as GIT does (Wang et al., 2022, https://arxiv.org/abs/2205.14100). Of a stack beside the text's, `tied` vectors are
/// the text's own, as encoder and decoder share them in the original transformer.
///
/// Examples: `{scale: sqrt_hidden, norm: layernorm}` `{scale: 0.5}` `{dim: 6}` `{token_types: 2, norm: layernorm}`
/// `{dim: 6, token_types: 1, norm: layernorm, projection: {after: norm, bias: true}}`
public struct TokenEmbedding: Embedding {
  public static let name = "embedding"

  let tied: Bool
  let scale: Double
  let dim: Int?
  let types: Int?
  let replace: Replacement?
  let projection: Projection?
  let norm: (any Normalization)?

  enum ProjectionPlace: String, CaseIterable { case lookup, norm }

  /// Rows of another stack in place of those of a token.
  struct Replacement {
    let token: Int
    let from: String?
    let lines: PictureLines?
    let layers: Int
    let after: ProjectionPlace
    let scaled: Bool
    let place: Place?
  }

  /// The matrix between vectors of another width and the residual stream.
  struct Projection {
    let after: ProjectionPlace
    let bias: Bool
  }

  public init(_ options: Options) {
    let root = Double(options.shape.hiddenSize).squareRoot()
    // As it is rounded where it is kept in bf16: to 8 bits of fraction, its own first included.
    let bits = (Float(root).bitPattern + 0x7FFF + (Float(root).bitPattern >> 16 & 1)) & 0xFFFF_0000
    tied =
      options.isOfOtherStack
      ? options.flag("tied", default: false, "of a stack beside the text's: whether its vectors are the text's own")
      : false
    scale = options.number(
      "scale", default: 1, words: ["sqrt_hidden": root, "sqrt_hidden_bf16": Double(Float(bitPattern: bits))],
      "a factor of the embeddings")
    dim = options.optionalInteger("dim", "the width of the vectors, before a projection, when it is not hidden_size")
    types = options.optionalInteger(
      "token_types", in: 1...65536, "the number of vectors that tell the texts of a pair apart")
    replace =
      options.isDescribing || !options.isOfOtherStack
      ? options.group("replace", "the token in whose places the rows of another stack stand, one after the other") {
        group in
        Replacement(
          token: group.requiredInteger("token", in: 0...(1 << 31), "the id of the token"),
          from: group.optionalText("from", "the stack; the only one when left out"),
          lines: group.group("lines", "tiles of a picture laid together as it lies, each line ended by a learned row") {
            PictureLines(
              limit: $0.optionalInteger(
                "limit", in: 1...1024, "the tiles whose number of rows is kept; more are resampled to fewer"))
          },
          layers: group.integer(
            "layers", default: 0, in: 0...1024,
            "how many layers have more numbers of those rows, the stack's 'taps', added to what they give there"),
          after: group.choice(
            "after", default: ProjectionPlace.lookup,
            "what they stand in place of: what is looked up, or all that is made of it, the positions and the norm included"
          ),
          scaled: group.flag("scaled", default: false, "whether the factor of the embeddings is theirs too"),
          place: group.place)
      } : nil
    if let replace, replace.token >= options.shape.vocabSize {
      options.fail(
        "replace", "token \(replace.token) is outside the vocabulary of \(options.shape.vocabSize)")
    }
    projection = options.group("projection", "the matrix from vectors of `dim` numbers to hidden_size") { group in
      Projection(
        after: group.choice(
          "after", default: ProjectionPlace.lookup, "what it follows: the lookup, or the norm of the sum"),
        bias: group.flag("bias", default: false, "whether it has a bias"))
    }
    if projection != nil, dim == nil || dim == options.shape.hiddenSize {
      options.fail("projection", "vectors of hidden_size numbers need no projection", hint: "give another 'dim'")
    }
    norm = options.component("norm", default: "none", slot: .norm, "the norm of the sum")
  }

  public func write(position: any PositionEncoding, reading stacks: [StackStates], into plan: inout PlanBuilder)
    -> Value
  {
    let shape = plan.shape
    let width = dim ?? shape.hiddenSize
    let rows = plan.rows
    let (name, sizes) = ("embed.tokens.weight", [shape.vocabSize, width])
    let table =
      tied
      ? plan.textParameter(name, shape: sizes, starts: .normal(0.02))
      : plan.parameter(name, shape: sizes, starts: .normal(0.02))
    let isProjected = width != shape.hiddenSize
    let comesLast = projection?.after == .norm
    var x = plan.within("embed") { plan in
      let looked = plan.apply(EmbeddingLookup(axis: rows), to: [], parameters: [table])[0]
      let scaled = plan.scale(looked, by: scale)
      return isProjected && !comesLast ? projected(scaled, into: &plan) : scaled
    }
    if let replace, replace.after == .lookup { x = replace.write(x, reading: stacks, scale: scale, into: &plan) }
    if let types {
      let vectors = plan.parameter("embed.types.weight", shape: [types, x.width], starts: .normal(0.02))
      x = plan.apply(AddTokenTypes(types: types), to: x, parameters: [vectors])
    }
    x = position.embed(x, into: &plan)
    x = norm?.write(x, named: "embed.norm", over: .row, into: &plan) ?? x
    if isProjected && comesLast { x = plan.within("embed") { plan in projected(x, into: &plan) } }
    if let replace, replace.after == .norm { x = replace.write(x, reading: stacks, scale: scale, into: &plan) }
    return x
  }

  private func projected(_ x: Value, into plan: inout PlanBuilder) -> Value {
    plan.linear(x, to: plan.shape.hiddenSize, named: "proj_in", bias: projection?.bias ?? false)
  }
}
