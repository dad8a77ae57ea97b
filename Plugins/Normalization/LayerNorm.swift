import Components
import Kernels

/// Layer normalization: every vector is centred and scaled to unit variance, then scaled and shifted by learned weights.
///
///     y = (x − mean(x)) / √(var(x) + eps) ⊙ w + b        var with 1/n
///
/// Ba, Kiros and Hinton, 2016, https://arxiv.org/abs/1607.06450.
/// `eps` stands under the root; `unit_offset` multiplies by 1 + w, as Nemotron does.
public struct LayerNorm: Normalization {
  public static let name = "layernorm"

  let eps: Float
  let weight: Bool
  let bias: Bool
  let unitOffset: Bool

  public init(_ options: Options) {
    eps = Float(options.number("eps", default: 1e-5, in: 0...1, "added to the variance, under the root"))
    weight = options.flag("weight", default: true, "whether a learned weight multiplies the result")
    bias = options.flag("bias", default: true, "whether a learned bias is added")
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
    let name = "layernorm"
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
      context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
        for row in rows {
          for part in 0..<parts.count {
            let n = parts.width
            let (xs, ys) = (x[row] + part * n, y[row] + part * n)
            let (mean, scale) = statistics(xs)
            let offset = parts.weightOffset(part)
            for i in 0..<n { ys[i] = (xs[i] - mean) * scale }
            if let w = w.map({ $0 + offset }) {
              let one: Float = unitOffset ? 1 : 0
              for i in 0..<n { ys[i] *= one + w[i] }
            }
            if let b = b.map({ $0 + offset }) {
              for i in 0..<n { ys[i] += b[i] }
            }
          }
        }
      }
    }

    /// The mean, and one over the standard deviation. Two passes: the variance of large numbers that differ little
    /// is lost in the difference of their squares.
    private func statistics(_ x: UnsafePointer<Float>) -> (mean: Float, scale: Float) {
      let n = parts.width
      let mean = sum(x, count: n) / Float(n)
      var variance: SIMD8<Float> = .zero
      var i = 0
      while i + 8 <= n {
        let d = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Float>.self) - mean
        variance += d * d
        i += 8
      }
      var total = variance.sum()
      while i < n {
        total += (x[i] - mean) * (x[i] - mean)
        i += 1
      }
      return (mean, 1 / (total / Float(n) + eps).squareRoot())
    }

    /// With x̂ = (x − mean)·r and g = dy ⊙ w: `dx += r·(g − mean(g) − x̂·mean(g ⊙ x̂))`, `dw += dy ⊙ x̂`, `db += dy`.
    /// Mean and r are computed again from x.
    func backward(_ context: BackwardContext) {
      let x = context.input()
      let n = parts.width
      NormGradient(parts: parts, weight: weight, bias: bias, unitOffset: unitOffset).run(context) { row, part, normal in
        let (mean, scale) = statistics(x[row] + part * n)
        let xs = x[row] + part * n
        for i in 0..<n { normal[i] = (xs[i] - mean) * scale }
        return scale
      } correct: { g, normal in
        (sum(g, count: n) / Float(n), dot(g, normal, count: n) / Float(n))
      }
    }

    func exact(_ inputs: [[Double]], parameters: [[Double]]) -> [[Double]]? {
      let n = parts.width
      return [
        inputs[0].indices.map { i in
          let part = i / n
          let xs = inputs[0][part * n..<(part + 1) * n]
          let mean = xs.reduce(0, +) / Double(n)
          let variance = xs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
          let index = parts.weightOffset(part) + i % n
          let w = weight ? parameters[0][index] + (unitOffset ? 1 : 0) : 1
          return (inputs[0][i] - mean) / (variance + Double(eps)).squareRoot() * w
            + (bias ? parameters[weight ? 1 : 0][index] : 0)
        }
      ]
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      let writer = NormWriter(
        module: "LayerNorm", function: "layer_norm", equation: "(x − mean(x)) / √(var(x) + eps)", parts: parts,
        eps: eps, weight: weight,
        bias: bias, unitOffset: unitOffset)
      return writer.write(&call, plain: weight && !unitOffset)
    }

    func scratch(step: Step, rows: Int, context: Int) -> Int { NormGradient.scratch(parts) }

    func flops(step: Step, context: Int) -> Int {
      step.inputs[0].width * (5 + (weight ? 1 : 0) + (bias ? 1 : 0))
    }
  }
}
