import Kernels
import Plans

/// The product of two values, element by element: a gate.
///
///     y = a ⊙ b
public struct Multiply: Kernel {
  public let name = "multiply"

  /// The operator.
  public init() {}

  public var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0, assignsGradients: true) }

  public func forward(_ context: ForwardContext) {
    let a = context.input(0)
    let b = context.input(1)
    let y = context.output()
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      let start = rows.lowerBound * y.width
      let count = rows.count * y.width
      let (a, b, y) = (a.base + start, b.base + start, y.base + start)
      for i in 0..<count { y[i] = a[i] * b[i] }
    }
  }

  /// `da += dy ⊙ b`, `db += dy ⊙ a`.
  public func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    for (own, other) in [(0, 1), (1, 0)] {
      guard let gradient = context.inputGradient(own) else { continue }
      let factor = context.input(other)
      let adding = context.addsToInputGradient(own)
      context.parallel(dy.count, grain: elementwiseGrain(dy.width)) { rows, _ in
        let start = rows.lowerBound * dy.width
        multiply(
          dy.base + start, with: factor.base + start, into: gradient.base + start, count: rows.count * dy.width,
          accumulate: adding)
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}

extension PlanBuilder {
  /// Writes the product of `a` and `b`, element by element.
  public mutating func multiply(_ a: Value, _ b: Value) -> Value {
    apply(Multiply(), to: a, b)
  }
}
