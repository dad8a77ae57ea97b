import Components

/// The final norm and the logits of every token.
///
///     logits = softcap(scale·(dense(norm(x)) (·Pᵀ)·Wᵀ + b))        W: [vocab_size, dim], the embedding's own when tied
///
/// Press and Wolf, 2016 (tied weights), https://arxiv.org/abs/1608.05859.
/// The final norm is there unless the last block ends in one; `norm` overrules that. A `dim` other than hidden_size needs
/// a projection P: [dim, hidden_size], as in OPT-350m. `dense` is a layer of its own after the norm, norm(act(x·Dᵀ)), as
/// in BERT; its own `dim` makes P needless, as in ELECTRA. `tokens` predicts the first tokens of the vocabulary alone (Llama 3.2 Vision). `normalize_rows` divides each row of W by its length, as Baichuan 2 does.
///
/// Examples: `{tied: true, scale: 0.25}` `{bias: true, softcap: 3}` `{norm: false}` `{dim: 6}` `{tokens: 11}`
/// `{dense: {activation: gelu, bias: true}}` `{dim: 6, dense: {dim: 6, bias: true}}`
///
/// Known as: weight_tying, tie_word_embeddings, tied_embeddings, tie_embeddings `head: {tied: true}`,
/// logit_softcap, final_logit_softcapping, softcap `head: {softcap: 30}`, lm_head `head: {tied: false}`
public struct LanguageHead: Head {
  public static let name = "head"

  let tied: Bool
  let bias: Bool
  let scale: Double
  let softcap: Double?
  let norm: Bool?
  let dim: Int?
  let tokens: Int?
  let normalizesRows: Bool
  let dense: Dense?
  let place: Place?

  struct Dense {
    let dim: Int?
    let bias: Bool
    let activation: (any Activation)?
  }

  public init(_ options: Options) {
    tied = options.flag("tied", default: false, "whether the matrix is the token embedding's")
    normalizesRows = options.flag(
      "normalize_rows", default: false, "whether rows of the matrix are divided by their norm")
    bias = options.flag("bias", default: false, "whether a learned bias is added")
    if bias, normalizesRows {
      options.fail(
        "bias", "a bias would be divided by the norms of rows that 'normalize_rows' divides by", hint: "leave one out"
      )
    }
    let root = Double(options.shape.hiddenSize).squareRoot()
    scale = options.number(
      "scale", default: 1, words: ["inverse_sqrt_hidden": 1 / root], "a factor of the logits")
    softcap = options.optionalNumber("softcap", in: 1e-6...1e6, "soft cap of the logits: cap·tanh(x/cap)")
    norm = options.optionalFlag(
      "norm", "whether a norm stands before the matrix; when left out, unless the last block ends in one")
    dim = options.optionalInteger("dim", "the width of the matrix, after a projection, when it is not hidden_size")
    tokens = options.optionalInteger("tokens", "how many tokens it predicts, the first ones, when not all")
    if let tokens, tokens > options.shape.vocabSize || tied {
      options.fail("tokens", tied ? "a tied head predicts all tokens" : "there are \(options.shape.vocabSize) tokens")
    }
    place = options.place(of: "dim")
    dense = options.group("dense", "a layer between the final norm and the matrix") { group in
      Dense(
        dim: group.optionalInteger("dim", "the width of what it gives, when it is not hidden_size"),
        bias: group.flag("bias", default: false, "whether its matrix has a bias"),
        activation: group.component("activation", default: "gelu", slot: .activation, "its nonlinearity"))
    }
  }

  public func write(_ x: Value, norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder)
    -> Value
  {
    let shape = plan.shape
    let width = dim ?? shape.hiddenSize
    var y = plan.selectRows(x)
    if norm ?? normIsDue { y = component.write(y, named: "final_norm", over: .row, into: &plan) }
    plan.ends(in: y)
    if let dense {
      let inner = plan.within("head") { plan in
        let inner = plan.linear(y, to: dense.dim ?? shape.hiddenSize, named: "dense", bias: dense.bias)
        return dense.activation?.write(inner, into: &plan) ?? inner
      }
      y = component.write(inner, named: "head.norm", over: .row, into: &plan)
    }
    if width != y.width { y = plan.within("head") { plan in plan.linear(y, to: width, named: "proj_out") } }
    let shared = tied ? plan.existingParameter("embed.tokens.weight") : nil
    if let shared, shared.shape != [shape.vocabSize, width] {
      plan.fail(
        "the head's dim is \(width), and the embedding to which it is tied is \(shared.shape[1]) wide", at: place,
        hint: "give both the same 'dim'")
      return x
    }
    let count = tokens ?? shape.vocabSize
    let matrix = shared ?? plan.parameter("head.weight", shape: [count, width], starts: .normal(0.02))
    var tensors = [matrix]
    if bias { tensors.append(plan.parameter("head.bias", shape: [count], starts: .zeros)) }
    let logits = plan.within("head") { plan in
      let logits = plan.apply(Linear(bias: bias), to: y, parameters: tensors)
      return normalizesRows
        ? plan.apply(DivideByRowNorms(columns: width), to: logits, parameters: [matrix]) : logits
    }
    let factor = scale * plan.takeLogitFactor()
    let scaled = plan.scale(logits, by: factor)
    return softcap.map { plan.softcap(scaled, at: $0) } ?? scaled
  }
}
