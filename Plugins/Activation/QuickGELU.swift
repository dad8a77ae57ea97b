import Components
import Essentials
import Kernels

/// The sigmoid approximation of GELU, as CLIP and GPT-oss use it.
///
///     y = x·σ(1.702·x)
///
/// Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415.
/// The factor stands inside the sigmoid alone.
public struct QuickGELU: ElementwiseActivation {
  public static let name = "quick_gelu"
  public let flopsPerNumber = 7

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    withScratch(count) { t in
      for i in 0..<count { t[i] = 1.702 * x[i] }
      sigmoids(of: t, into: t, count: count)
      for i in 0..<count { y[i] = x[i] * t[i] }
    }
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    // f′(x) = σ + 1.702·x·σ·(1 − σ)
    for i in 0..<count { slope[i] = 1.702 * x[i] }
    sigmoids(of: slope, into: slope, count: count)
    for i in 0..<count { slope[i] = slope[i] * (1 + 1.702 * x[i] * (1 - slope[i])) }
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    call.define(
      "quick_gelu",
      """
      def quick_gelu(x):
          \"""y = x·σ(1.702·x)\"""
          return x * torch.sigmoid(1.702 * x)
      """)
    return .call("quick_gelu", [x])
  }

  public func exact(_ x: Double) -> Double? { x / (1 + exp(-1.702 * x)) }
}
