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
  public var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, overwritableInput: 0, backwardReadsInputs: .none, assignsGradients: true, overwritableGradient: 0
    )
  }

  public func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    let factor = factor
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      let start = rows.lowerBound * y.width
      let count = rows.count * y.width
      let (x, y) = (x.base + start, y.base + start)
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
