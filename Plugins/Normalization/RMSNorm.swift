import Components
import Kernels

/// Root-mean-square normalization: every vector is scaled to a mean square of one, then by learned weights.
///
///     y = x / √(mean(x²) + eps) ⊙ w  (+ b)
///
/// Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467.
/// `eps` stands under the root, as in LLaMA; `unit_offset` multiplies by 1 + w, as Gemma does.
///
/// Known as: rms, t5_norm `norm: rmsnorm`
public struct RMSNorm: Normalization {
  public static let name = "rmsnorm"

  let eps: Float
  let weight: Bool
  let bias: Bool
  let unitOffset: Bool

  public init(_ options: Options) {
    eps = Float(options.number("eps", default: 1e-6, in: 0...1, "added to the mean square, under the root"))
    weight = options.flag("weight", default: true, "whether a learned weight multiplies the result")
    bias = options.flag("bias", default: false, "whether a learned bias is added")
    unitOffset = options.flag("unit_offset", default: false, "whether the weight is stored as its difference from 1")
  }

  public func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value {
    let parts = NormParts(width: x.width, span: span)
    var tensors: [ParameterReference] = []
    if weight {
      tensors.append(
        plan.parameter("\(name).weight", shape: parts.weightShape, starts: unitOffset ? .zeros : .ones, use: .vector))
    }
    if bias { tensors.append(plan.parameter("\(name).bias", shape: parts.weightShape, starts: .zeros, use: .vector)) }
    let operation = Normalize(parts: parts, eps: eps, weight: weight, bias: bias, unitOffset: unitOffset)
    return plan.apply(operation, to: x, parameters: tensors)
  }

  struct Normalize: ExactKernel {
    let name = "rmsnorm"
    let parts: NormParts
    let eps: Float
    let weight: Bool
    let bias: Bool
    let unitOffset: Bool

    var attributes: [Attribute] {
      parts.attributes + [
        Attribute("eps", eps), Attribute("weight", weight, plain: weight), Attribute("bias", bias, plain: bias),
        Attribute("unit_offset", unitOffset, plain: false),
      ]
    }
    var traits: OperatorTraits {
      OperatorTraits(
        isRowwise: true, isCheap: true, overwritableInput: 0, assignsGradients: true, overwritableGradient: 0)
    }

    func forward(_ context: ForwardContext) {
      let x = context.input()
      let y = context.output()
      let w = weight ? context.parameter().vector : nil
      let b = bias ? context.parameter(weight ? 1 : 0).vector : nil
      let n = parts.width
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
        for row in rows {
          for part in 0..<parts.count {
            let (xs, ys) = (x[row] + part * n, y[row] + part * n)
            let r = scale(xs)
            let offset = parts.weightOffset(part)
            if let w = w.map({ $0 + offset }) {
              let one: Float = unitOffset ? 1 : 0
              for i in 0..<n { ys[i] = xs[i] * r * (one + w[i]) }
            } else {
              for i in 0..<n { ys[i] = xs[i] * r }
            }
            if let b = b.map({ $0 + offset }) {
              for i in 0..<n { ys[i] += b[i] }
            }
          }
        }
      }
    }

    /// One over the root of the mean square.
    private func scale(_ x: UnsafePointer<Float>) -> Float {
      1 / (sumOfSquares(x, count: parts.width) / Float(parts.width) + eps).squareRoot()
    }

    /// With x̂ = x·r and g = dy ⊙ w: `dx += r·(g − x̂·mean(g ⊙ x̂))`, `dw += dy ⊙ x̂`, `db += dy`.
    /// r is computed again from x.
    func backward(_ context: BackwardContext) {
      let x = context.input()
      let n = parts.width
      NormGradient(parts: parts, weight: weight, bias: bias, unitOffset: unitOffset).run(context) { row, part, normal in
        let xs = x[row] + part * n
        let r = scale(xs)
        for i in 0..<n { normal[i] = xs[i] * r }
        return r
      } correct: { g, normal in
        (0, dot(g, normal, count: n) / Float(n))
      }
    }

    func exact(_ inputs: [[Double]], parameters: [[Double]]) -> [[Double]]? {
      let n = parts.width
      return [
        inputs[0].indices.map { i in
          let part = i / n
          let xs = inputs[0][part * n..<(part + 1) * n]
          let r = 1 / (xs.reduce(0) { $0 + $1 * $1 } / Double(n) + Double(eps)).squareRoot()
          let index = parts.weightOffset(part) + i % n
          let w = weight ? parameters[0][index] + (unitOffset ? 1 : 0) : 1
          return inputs[0][i] * r * w + (bias ? parameters[weight ? 1 : 0][index] : 0)
        }
      ]
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      let writer = NormWriter(
        module: "RMSNorm", function: "rms_norm", equation: "x / √(mean(x²) + eps)", parts: parts, eps: eps,
        weight: weight,
        bias: bias, unitOffset: unitOffset)
      return writer.write(&call, plain: weight && !bias && !unitOffset)
    }

    func scratch(step: Step, rows: Int, context: Int) -> Int { NormGradient.scratch(parts) }

    func flops(step: Step, context: Int) -> Int {
      step.inputs[0].width * (3 + (weight ? 1 : 0) + (bias ? 1 : 0))
    }
  }
}
