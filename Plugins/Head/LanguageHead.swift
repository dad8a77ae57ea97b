import Components

/// The final norm and the logits of every token.
///
///     logits = softcap(scale·(norm(x)·Wᵀ + b))        W: [vocab_size, hidden_size], the embedding's own when tied
///
/// Press and Wolf, 2016 (tied weights), https://arxiv.org/abs/1608.05859.
/// The final norm is there unless the last block ends in one; `norm` overrules that.
///
/// Examples: `{tied: true, scale: 0.25}` `{bias: true, softcap: 3}` `{norm: false}`
public struct LanguageHead: Head {
  public static let name = "head"

  let tied: Bool
  let bias: Bool
  let scale: Double
  let softcap: Double?
  let norm: Bool?

  public init(_ options: Options) {
    tied = options.flag("tied", default: false, "whether the matrix is the token embedding's")
    bias = options.flag("bias", default: false, "whether a learned bias is added")
    scale = options.number("scale", default: 1, words: [:], "what logits are multiplied by")
    softcap = options.optionalNumber("softcap", in: 1e-6...1e6, "the smooth limit of the logits")
    norm = options.optionalFlag("norm", "whether a norm stands before the matrix; when left out, unless the last block ends in one")
  }

  public func write(_ x: Value, norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder) -> Value {
    let shape = plan.shape
    var y = plan.selectOutputs(x)
    if norm ?? normIsDue { y = component.write(y, named: "final_norm", over: .row, into: &plan) }
    let shared = tied ? plan.existingParameter("embed.tokens.weight") : nil
    let matrix =
      shared ?? plan.parameter("head.weight", shape: [shape.vocabSize, shape.hiddenSize], starts: .normal(0.02))
    var tensors = [matrix]
    if bias { tensors.append(plan.parameter("head.bias", shape: [shape.vocabSize], starts: .zeros)) }
    let logits = plan.within("head") { plan in
      plan.apply(Linear(bias: bias), to: y, width: shape.vocabSize, parameters: tensors)
    }
    let scaled = plan.scale(logits, by: scale)
    return softcap.map { plan.softcap(scaled, at: $0) } ?? scaled
  }
}
