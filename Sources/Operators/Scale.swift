import Kernels
import Plans

/// A value times a constant.
///
///     y = factor·x
public struct Scale: Kernel {
  public let name = "scale"
  /// The constant.
  public let factor: Float

  /// The product with `factor`.
  public init(by factor: Float) {
    self.factor = factor
  }

  public var attributes: [Attribute] { [Attribute("factor", factor)] }
  public var traits: OperatorTraits { .linearInPlace }

  public func forward(_ context: ForwardContext) {
    let factor = factor
    context.forEachRun { x, y, count in
      for i in 0..<count { y[i] = factor * x[i] }
    }
  }

  /// `dx += factor·dy`.
  public func backward(_ context: BackwardContext) { context.passGradient(to: 0, times: factor) }

  public func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}

extension PlanBuilder {
  /// Writes `factor·x`; nothing when the factor is 1.
  public mutating func scale(_ x: Value, by factor: Double) -> Value {
    factor == 1 ? x : apply(Scale(by: Float(factor)), to: x)
  }
}
