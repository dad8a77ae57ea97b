import Components

/// The sum of the residual stream and a sublayer's result.
///
///     x ← α·x + β·y
///
/// He et al., 2015, https://arxiv.org/abs/1512.03385. α and β are the block's `line_scale` and `residual_scale`.
public struct PlainResidual: Residual {
  public static let name = "plain"

  public init(_ options: Options) {}

  public func join(
    _ stream: Value, _ result: Value, alpha: Double, beta: Double, named name: String, into plan: inout PlanBuilder
  ) -> Value {
    plan.add(stream, result, alpha: alpha, beta: beta)
  }
}
