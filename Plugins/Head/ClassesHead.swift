import Components

/// Scores of a text as a whole, one for each class: of the state of its first token, or of the mean of all.
///
///     scores = norm(act(D·s + d))·Wᵀ + b        s: the first token's state, or the mean; W: [count, hidden_size]
///
/// Devlin et al., 2018, https://arxiv.org/abs/1810.04805. What the classes are called stands in a configuration, for it changes
/// no score. The final norm of states is there unless the last block ends in one.
///
/// Examples: `{count: 3, dense: {activation: tanh, bias: true}}` `{count: 2, pool: mean, bias: false}`
/// `{count: 2, pool: mean, dense: {activation: gelu, norm: true}}`
public struct ClassesHead: Head {
  public static let name = "classes"

  enum Pool: String, CaseIterable { case first, mean }

  /// A layer before the scores.
  struct Dense {
    let bias: Bool
    let norm: Bool
    let activation: (any Activation)?
  }

  let count: Int
  let pool: Pool
  let bias: Bool
  let dense: Dense?

  public init(_ options: Options) {
    count = options.requiredInteger("count", in: 1...1_000_000, "how many classes there are")
    pool = options.choice(
      "pool", default: Pool.first, "what stands for a text: its first token's state, or the mean of all")
    bias = options.flag("bias", default: true, "whether a learned bias is added to the scores")
    dense = options.group("dense", "a layer before the scores") { group in
      Dense(
        bias: group.flag("bias", default: false, "whether its matrix has a bias"),
        norm: group.flag("norm", default: false, "whether the model's norm follows it"),
        activation: group.component("activation", default: "tanh", slot: .activation, "its nonlinearity"))
    }
  }

  public func write(_ x: Value, norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder)
    -> Value
  {
    var y = x
    // A norm acts on each token by itself, and on the mean it would be another.
    if pool == .first { y = plan.selectRows(y) }
    if normIsDue { y = component.write(y, named: "final_norm", over: .row, into: &plan) }
    plan.ends(in: y)
    if pool == .mean { y = plan.apply(MeanOfTexts(), to: y) }
    plan.predicts(.classes)
    if let dense {
      y = plan.within("head") { plan in
        let inner = plan.linear(y, to: plan.shape.hiddenSize, named: "pool", bias: dense.bias)
        return dense.activation?.write(inner, into: &plan) ?? inner
      }
      if dense.norm { y = component.write(y, named: "head.norm", over: .row, into: &plan) }
    }
    return plan.linear(y, to: count, named: "head", bias: bias)
  }
}
