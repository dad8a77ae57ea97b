import Components

/// The last layer's states, normalized: what an encoder gives to those that read it.
///
///     states = norm(x)
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, whose norms stand after the sublayers, so that none follows the last.
/// The norm is there unless the last block ends in one; `norm` overrules that.
///
/// Examples: `{norm: false}`
public struct StackOutput: Output {
  public static let name = "output"

  let norm: Bool?

  public init(_ options: Options) {
    norm = options.optionalFlag(
      "norm", "whether a norm stands at the end; when left out, unless the last block ends in one")
  }

  public func write(
    _ hidden: [Value], norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder
  ) -> Value {
    let x = hidden[hidden.count - 1]
    return norm ?? normIsDue ? component.write(x, named: "final_norm", over: .row, into: &plan) : x
  }
}
