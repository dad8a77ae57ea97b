import Components

/// A sum in which learned numbers multiply the residual stream, one for each of its elements.
///
///     x ← α·w ⊙ x + β·y        w: [hidden_size], ones at first
///
/// Shi et al., 2025 (Doge), https://arxiv.org/abs/2412.11834. What a layer adds is not multiplied: for that there is the block's `layer_scale`.
///
/// Examples: `{}`
///
/// Known as: learned_residual, residual_weights `block: {residual: learned_stream}`
public struct LearnedStream: Residual {
  public static let name = "learned_stream"

  public init(_ options: Options) {}

  public func join(
    _ stream: Value, _ result: Value, alpha: Double, beta: Double, named name: String, into plan: inout PlanBuilder
  ) -> Value {
    let weight = plan.parameter("\(name).weight", shape: [stream.width], starts: .ones, use: .vector)
    let kept = plan.apply(LearnedScale(), to: stream, parameters: [weight])
    return plan.add(kept, result, alpha: alpha, beta: beta)
  }
}
