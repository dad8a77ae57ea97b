import Components
import Essentials
import Kernels

/// The Gaussian error linear unit, in the tanh form of GPT-2.
///
///     y = x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
///
/// Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415.
/// Called `gelu_new` or `gelu_pytorch_tanh` in Hugging Face configurations; it differs from `gelu` in the third digit.
///
/// Known as: gelu_new, gelu_fast, gelu_pytorch_tanh, gelu_approximate, approximate_gelu `mlp: {activation: gelu_tanh}`
public struct TanhGELU: ElementwiseActivation {
  public static let name = "gelu_tanh"
  public let flopsPerNumber = 14

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    withScratch(count) { t in
      inner(x, into: t, count: count)
      for i in 0..<count { y[i] = 0.5 * x[i] * (1 + t[i]) }
    }
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    // With t = tanh(u): f′(x) = (1 + t)/2 + x/2·(1 − t²)·u′, u′ = √(2/π)·(1 + 3·0.044715·x²)
    withScratch(count) { t in
      inner(x, into: t, count: count)
      for i in 0..<count {
        let inner = 0.7978845608 * (1 + 3 * 0.044715 * x[i] * x[i])
        slope[i] = 0.5 * (1 + t[i]) + 0.5 * x[i] * (1 - t[i] * t[i]) * inner
      }
    }
  }

  /// tanh(√(2/π)·(x + 0.044715·x³))
  private func inner(_ x: UnsafePointer<Float>, into t: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { t[i] = 0.7978845608 * (x[i] + 0.044715 * x[i] * x[i] * x[i]) }
    hyperbolicTangents(of: t, into: t, count: count)
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("F.gelu", [x], named: [("approximate", "\"tanh\"")])
  }

  public func exact(_ x: Double) -> Double? {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }
}
