import Kernels

/// A matrix applied to every row, and a bias when the step has a second tensor.
///
///     y = x·Wᵀ + b        x: [rows, in], W: [out, in], b: [out]
///
/// Weights keep their stored format; sums are in `Float`.
public struct Linear: Operator {
  public let name = "linear"

  /// The operator.
  public init() {}

  public func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    let bias = context.parameterCount > 1 ? context.parameter(1).vector : nil
    multiply(
      x.base, stride: x.width, rows: x.count, by: context.parameter().matrix, bias: bias,
      into: y.base, stride: y.width, accumulate: false, pool: context.pool)
  }

  /// `dx += dy·W`, `dW += dyᵀ·x`, `db += Σ dy`.
  public func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    if let dx = context.inputGradient() {
      multiplyTransposed(dy.base, rows: dy.count, by: context.parameter().matrix, addingInto: dx.base, pool: context.pool)
    }
    if let dw = context.parameterGradient() {
      let x = context.input()
      accumulateOuterProducts(
        dy.base, outputs: dy.width, x.base, inputs: x.width, rows: dy.count, into: dw, pool: context.pool)
    }
    if context.parameterCount > 1, let db = context.parameterGradient(1) {
      for row in 0..<dy.count { add(dy[row], scaledBy: 1, to: db, count: dy.width) }
    }
  }

  public func flops(step: Step, context: Int) -> Int {
    2 * step.inputs[0].width * step.outputs[0].width + (step.parameters.count > 1 ? step.outputs[0].width : 0)
  }
}

extension PlanBuilder {
  /// Writes a matrix to `width` numbers a row, named `name`, with a bias when `bias` says so.
  public mutating func linear(_ x: Value, to width: Int, named name: String, bias: Bool = false) -> Value {
    var tensors = [
      parameter("\(name).weight", shape: [width, x.width], starts: .normal(0.02))
    ]
    if bias { tensors.append(parameter("\(name).bias", shape: [width], starts: .zeros)) }
    return apply(Linear(), to: x, width: width, parameters: tensors)
  }
}
