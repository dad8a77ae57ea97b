import Components

/// The final norm alone: a model that gives vectors and predicts nothing from them.
///
///     states = norm(x)
///
/// What encoders are published as that give texts vectors (Reimers and Gurevych, 2019, https://arxiv.org/abs/1908.10084).
/// The norm is there unless the last block ends in one; `norm` overrules that.
///
/// Examples: `{norm: false}`
public struct FinalStatesHead: Head {
  public static let name = "final_states"

  let norm: Bool?

  public init(_ options: Options) {
    norm = options.optionalFlag(
      "norm", "whether a norm stands at the end; when left out, unless the last block ends in one")
  }

  public func write(_ x: Value, norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder)
    -> Value
  {
    var y = plan.selectRows(x)
    if norm ?? normIsDue { y = component.write(y, named: "final_norm", over: .row, into: &plan) }
    plan.ends(in: y)
    plan.predicts(.states)
    return y
  }
}
