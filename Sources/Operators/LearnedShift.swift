import Kernels
import Plans

/// A value plus learned numbers, the same for every row.
///
///     y = x + b        b: [width]
public struct LearnedShift: Kernel {
  public let name = "learned shift"

  /// The operator.
  public init() {}

  public var traits: OperatorTraits {
    OperatorTraits(isRowwise: true, overwritableInput: 0, backwardReadsInputs: .none)
  }

  public func forward(_ context: ForwardContext) {
    let (x, y, b) = (context.input(), context.output(), context.parameter().vector)
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        for i in 0..<y.width { y[row][i] = x[row][i] + b[i] }
      }
    }
  }

  /// `dx += dy`, `db += Σ dy`.
  public func backward(_ context: BackwardContext) {
    let (dy, dx, db) = (context.outputGradient(), context.inputGradient(), context.parameterGradient())
    for row in 0..<dy.count {
      if let dx { add(dy[row], scaledBy: 1, to: dx[row], count: dy.width) }
      if let db { add(dy[row], scaledBy: 1, to: db, count: dy.width) }
    }
  }

  public func flops(step: Step, context: Int) -> Int { step.outputs[0].width }

  /// `x + bias`
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { call.input() + call.parameter() }
}

extension PlanBuilder {
  /// Writes `x` plus a learned vector, named `name`, that starts at zero.
  public mutating func shift(_ x: Value, byLearned name: String) -> Value {
    let tensor = parameter(name, shape: [x.width], starts: .zeros, use: .vector)
    return apply(LearnedShift(), to: x, parameters: [tensor])
  }
}
