import Components

/// A matrix in attention's place: tokens are not mixed.
///
///     y = x·Wᵀ        W: [hidden_size, hidden_size]
///
/// Bercovich et al., 2024 (Puzzle), https://arxiv.org/abs/2411.19146.
/// It keeps nothing of earlier tokens, so such a layer takes no part of the cache.
///
/// Examples: `{bias: true}`
public struct ProjectedTokens: Mixer {
  public static let name = "projection"

  let bias: Bool

  public init(_ options: Options) {
    bias = options.flag("bias", default: false, "whether the matrix has a bias")
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    plan.linear(x, to: plan.shape.hiddenSize, named: "projection", bias: bias)
  }
}
