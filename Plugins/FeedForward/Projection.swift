import Components

/// One matrix in the place of a feed-forward.
///
///     y = x·Wᵀ        W: [hidden_size, hidden_size]
///
/// Bercovich et al., 2024 (Puzzle), https://arxiv.org/abs/2411.19146.
/// There is no nonlinearity: without a norm before it, it could be multiplied into the matrices around it.
///
/// Examples: `{bias: true}`
public struct Projection: FeedForward {
  public static let name = "projection"

  let bias: Bool

  public init(_ options: Options) {
    bias = options.flag("bias", default: false, "whether the matrix has a bias")
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    plan.linear(x, to: plan.shape.hiddenSize, named: "projection", bias: bias)
  }
}
