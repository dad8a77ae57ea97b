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
public struct RMSNorm: RowNormalization {
  public static let name = "rmsnorm"
  public let settings: RowNormOptions

  public init(_ options: Options) {
    settings = RowNormOptions(options, eps: 1e-6, "added to the mean square, under the root", bias: false)
  }

  public func kernel(_ norm: RowNorm) -> any RowNormKernel { Normalize(norm: norm) }

  struct Normalize: RowNormKernel {
    let name = "rmsnorm"
    let norm: RowNorm
    let flopsPerElement = 3

    /// One over the root of the mean square; nothing is subtracted.
    func statistics(_ x: UnsafePointer<Float>, count: Int) -> (shift: Float, r: Float) {
      (0, 1 / (sumOfSquares(x, count: count) / Float(count) + norm.eps).squareRoot())
    }

    /// `dx += r·(g − x̂·mean(g ⊙ x̂))`.
    func corrections(_ g: UnsafePointer<Float>, _ normal: UnsafePointer<Float>, count: Int) -> (a: Float, c: Float) {
      (0, dot(g, normal, count: count) / Float(count))
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      NormWriter(module: "RMSNorm", function: "rms_norm", equation: "x / √(mean(x²) + eps)", norm: norm)
        .write(&call, plain: norm.weight && !norm.bias && !norm.unitOffset)
    }

    func exactStatistics(_ x: ArraySlice<Double>) -> (shift: Double, r: Double) {
      (0, 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(x.count) + Double(norm.eps)).squareRoot())
    }
  }
}
