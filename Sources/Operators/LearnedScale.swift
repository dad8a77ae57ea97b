import Kernels
import Plans

/// A value times learned numbers, the same for every row.
///
///     y = x ⊙ w        w: [width]
public struct LearnedScale: Kernel {
  public let name = "learned scale"

  /// The operator.
  public init() {}

  public var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

  public func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    let w = context.parameter().vector
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        let (xs, ys) = (x[row], y[row])
        for i in 0..<x.width { ys[i] = xs[i] * w[i] }
      }
    }
  }

  /// `dx += dy ⊙ w`, `dw += Σ dy ⊙ x`.
  public func backward(_ context: BackwardContext) {
    let x = context.input()
    let dy = context.outputGradient()
    let w = context.parameter().vector
    let (dx, dw) = (context.inputGradient(), context.parameterGradient())
    for row in 0..<dy.count {
      let (xs, dys) = (x[row], dy[row])
      for i in 0..<dy.width {
        if let dx { dx[row][i] += dys[i] * w[i] }
        dw?[i] += dys[i] * xs[i]
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}
