import Components
import Kernels

/// Layer normalization: every vector is centred and scaled to unit variance, then scaled and shifted by learned weights.
///
///     y = (x − mean(x)) / √(var(x) + eps) ⊙ w + b        var with 1/n
///
/// Ba, Kiros and Hinton, 2016, https://arxiv.org/abs/1607.06450.
/// `eps` stands under the root; `unit_offset` multiplies by 1 + w, as Nemotron does.
public struct LayerNorm: RowNormalization {
  public static let name = "layernorm"
  public let settings: RowNormOptions

  public init(_ options: Options) {
    settings = RowNormOptions(options, eps: 1e-5, "added to the variance, under the root", bias: true)
  }

  public func kernel(_ norm: RowNorm) -> any RowNormKernel { Normalize(norm: norm) }

  struct Normalize: RowNormKernel {
    let name = "layernorm"
    let norm: RowNorm
    let flopsPerElement = 5

    /// The mean, and one over the standard deviation. Two passes: the variance of large numbers that differ little
    /// is lost in the difference of their squares.
    func statistics(_ x: UnsafePointer<Float>, count n: Int) -> (shift: Float, r: Float) {
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
      return (mean, 1 / (total / Float(n) + norm.eps).squareRoot())
    }

    /// `dx += r·(g − mean(g) − x̂·mean(g ⊙ x̂))`.
    func corrections(_ g: UnsafePointer<Float>, _ normal: UnsafePointer<Float>, count: Int) -> (a: Float, c: Float) {
      (sum(g, count: count) / Float(count), dot(g, normal, count: count) / Float(count))
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      NormWriter(module: "LayerNorm", function: "layer_norm", equation: "(x − mean(x)) / √(var(x) + eps)", norm: norm)
        .write(&call, plain: norm.weight && !norm.unitOffset)
    }

    func exactStatistics(_ x: ArraySlice<Double>) -> (shift: Double, r: Double) {
      let mean = x.reduce(0, +) / Double(x.count)
      let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
      return (mean, 1 / (variance + Double(norm.eps)).squareRoot())
    }
  }
}
