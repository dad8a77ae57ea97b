import Kernels
import Plans

/// What a normalization by rows is set to, whatever its statistics are.
public struct RowNorm: Sendable, Hashable {
  /// What is normalized together.
  public let parts: NormParts
  /// What is added under the root.
  public let eps: Float
  /// Whether the step's first tensor is a learned weight.
  public let weight: Bool
  /// Whether its next tensor is a learned bias.
  public let bias: Bool
  /// Whether the weight is stored as its difference from 1.
  public let unitOffset: Bool

  /// A normalization of `parts` with these settings.
  public init(parts: NormParts, eps: Float, weight: Bool, bias: Bool, unitOffset: Bool) {
    (self.parts, self.eps, self.weight, self.bias, self.unitOffset) = (parts, eps, weight, bias, unitOffset)
  }
}

/// A normalization by rows: what all of the same form share, so that one of them says its statistics alone.
///
///     y = x̂ ⊙ w + b,   x̂ = (x − shift)·r        w: 1 + w with `unitOffset`
///     g = dy ⊙ w;   dx += r·(g − a − c·x̂),   dw += dy ⊙ x̂,   db += dy
///
/// Backward computes x̂ and r again from x: it saves nothing. a and c follow from how shift and r depend on x.
public protocol RowNormKernel: ExactKernel {
  /// What it is set to.
  var norm: RowNorm { get }
  /// shift and r of the `count` elements at `x`, in `Float` or wider.
  func statistics(_ x: UnsafePointer<Float>, count: Int) -> (shift: Float, r: Float)
  /// a and c, given g and x̂ of `count` elements.
  func corrections(_ g: UnsafePointer<Float>, _ normal: UnsafePointer<Float>, count: Int) -> (a: Float, c: Float)
  /// The statistics again, plainly and in `Double`.
  func exactStatistics(_ x: ArraySlice<Double>) -> (shift: Double, r: Double)
  /// Operations for each element beside those of weight and bias.
  var flopsPerElement: Int { get }
}

extension RowNormKernel {
  public var attributes: [Attribute] {
    norm.parts.attributes + [
      Attribute("eps", norm.eps), Attribute("weight", norm.weight, plain: norm.weight),
      Attribute("bias", norm.bias, plain: norm.bias), Attribute("unit_offset", norm.unitOffset, plain: false),
    ]
  }

  public var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, isCheap: true, overwritableInput: 0, assignsGradients: true, overwritableGradient: 0)
  }

  public func forward(_ context: ForwardContext) {
    let (x, y, norm) = (context.input(), context.output(), norm)
    let w = norm.weight ? context.parameter().vector : nil
    let b = norm.bias ? context.parameter(norm.weight ? 1 : 0).vector : nil
    let (n, one): (Int, Float) = (norm.parts.width, norm.unitOffset ? 1 : 0)
    context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
      for row in rows {
        for part in 0..<norm.parts.count {
          let (xs, ys) = (x[row] + part * n, y[row] + part * n)
          let (shift, r) = statistics(xs, count: n)
          let offset = norm.parts.weightOffset(part)
          if let w = w.map({ $0 + offset }) {
            for i in 0..<n { ys[i] = (xs[i] - shift) * r * (one + w[i]) }
          } else {
            for i in 0..<n { ys[i] = (xs[i] - shift) * r }
          }
          if let b = b.map({ $0 + offset }) {
            for i in 0..<n { ys[i] += b[i] }
          }
        }
      }
    }
  }

  public func exact(_ inputs: [[Double]], parameters: [[Double]]) -> [[Double]]? {
    let n = norm.parts.width
    return [
      inputs[0].indices.map { i in
        let part = i / n
        let (shift, r) = exactStatistics(inputs[0][part * n..<(part + 1) * n])
        let index = norm.parts.weightOffset(part) + i % n
        let w = norm.weight ? parameters[0][index] + (norm.unitOffset ? 1 : 0) : 1
        return (inputs[0][i] - shift) * r * w + (norm.bias ? parameters[norm.weight ? 1 : 0][index] : 0)
      }
    ]
  }

  /// x̂ and g of a part of a row.
  public func scratch(step: Step, rows: Int, context: Int) -> Int { 2 * norm.parts.width }

  public func flops(step: Step, context: Int) -> Int {
    step.inputs[0].width * (flopsPerElement + (norm.weight ? 1 : 0) + (norm.bias ? 1 : 0))
  }
}
