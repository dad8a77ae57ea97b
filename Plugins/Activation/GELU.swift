import Components
import Essentials
import Kernels

/// The Gaussian error linear unit, in its exact form.
///
///     y = x·Φ(x) = x/2·(1 + erf(x/√2))
///
/// Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415.
/// "gelu" in a configuration means this form in GPT-NeoX, Falcon and MPT, but the tanh form in GPT-1 and GPT-2.
public struct GELU: ElementwiseActivation {
  public static let name = "gelu"
  public let flopsPerNumber = 12

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    withScratch(count) { t in
      for i in 0..<count { t[i] = x[i] * 0.70710678 }  // 1/√2
      errorFunctions(of: t, into: t, count: count)
      for i in 0..<count { y[i] = 0.5 * x[i] * (1 + t[i]) }
    }
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    // f′(x) = Φ(x) + x·φ(x), with φ(x) = exp(−x²/2) / √(2π)
    withScratch(count) { t in
      for i in 0..<count { t[i] = x[i] * 0.70710678 }
      errorFunctions(of: t, into: t, count: count)
      for i in 0..<count { slope[i] = -0.5 * x[i] * x[i] }
      exponentials(of: slope, into: slope, count: count)
      for i in 0..<count { slope[i] = 0.5 * (1 + t[i]) + x[i] * slope[i] * 0.39894228 }  // 1/√(2π)
    }
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("F.gelu", [x])
  }

  public func exact(_ x: Double) -> Double? { 0.5 * x * erfc(-x / 2.0.squareRoot()) }
}
