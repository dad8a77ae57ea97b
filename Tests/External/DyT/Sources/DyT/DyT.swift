import Components
import Kernels

/// Dynamic tanh: elements go through a tanh with a learned slope instead of being divided by a statistic.
///
///     y = γ ⊙ tanh(α·x) + β        α one number, γ and β one for each of a vector
///
/// Zhu, Chen, He, LeCun and Liu, 2025, https://arxiv.org/abs/2503.10622.
/// No element of a vector sees another, so nothing here normalizes: α alone keeps elements small.
///
/// Examples: `{}` `{alpha: 0.8}`
public struct DyT: Normalization {
  public static let name = "dyt"

  let alpha: Double

  public init(_ options: Options) {
    alpha = options.number("alpha", default: 0.5, in: 1e-3...100, "what α starts at")
  }

  public func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value {
    let parts = NormParts(width: x.width, span: span)
    let tensors = [
      plan.parameter("\(name).alpha", shape: [1], starts: .constant(alpha), use: .vector),
      plan.parameter("\(name).weight", shape: parts.weightShape, starts: .ones, use: .vector),
      plan.parameter("\(name).bias", shape: parts.weightShape, starts: .zeros, use: .vector),
    ]
    return plan.apply(Bend(parts: parts), to: x, parameters: tensors)
  }

  struct Bend: Kernel {
    let name = "dyt"
    let parts: NormParts

    private func bend(_ x: UnsafePointer<Float>, _ alpha: Float, into t: UnsafeMutablePointer<Float>, count: Int) {
      for i in 0..<count { t[i] = alpha * x[i] }
      hyperbolicTangents(of: t, into: t, count: count)
    }

    var attributes: [Attribute] { parts.attributes }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      let (alpha, weight, bias) = (
        context.parameter(0).vector[0], context.parameter(1).vector, context.parameter(2).vector
      )
      let n = parts.width
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
        for row in rows {
          bend(x[row], alpha, into: y[row], count: x.width)
          for part in 0..<parts.count {
            let (ys, offset) = (y[row] + part * n, parts.weightOffset(part))
            for i in 0..<n { ys[i] = ys[i] * weight[offset + i] + bias[offset + i] }
          }
        }
      }
    }

    /// With t = tanh(α·x) and g = dy ⊙ γ ⊙ (1 − t²): `dx += α·g`, `dα += Σ g ⊙ x`, `dγ += dy ⊙ t`, `dβ += dy`.
    /// t is computed again from x.
    func backward(_ context: BackwardContext) {
      let (x, dy, dx) = (context.input(), context.outputGradient(), context.inputGradient())
      let (alpha, weight) = (context.parameter(0).vector[0], context.parameter(1).vector)
      let (dalpha, dweight, dbias) = (
        context.parameterGradient(0), context.parameterGradient(1), context.parameterGradient(2)
      )
      let n = parts.width
      var sum = 0.0
      withScratch(x.width) { t in
        for row in 0..<dy.count {
          bend(x[row], alpha, into: t, count: x.width)
          for i in 0..<x.width {
            let index = parts.weightOffset(i / n) + i % n
            let g = dy[row][i] * weight[index] * (1 - t[i] * t[i])
            if let dx { dx[row][i] += alpha * g }
            sum += Double(g * x[row][i])
            dweight?[index] += dy[row][i] * t[i]
            dbias?[index] += dy[row][i]
          }
        }
      }
      dalpha?[0] += Float(sum)
    }

    func flops(step: Step, context: Int) -> Int { 12 * step.inputs[0].width }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      let x = parts.count == 1 ? call.input() : call.heads(parts.count)
      if parts.count > 1 { call.output(is: .heads(parts.count)) }
      return .call("torch.tanh", [call.parameter(0) * x]) * call.parameter(1) + call.parameter(2)
    }
  }
}
