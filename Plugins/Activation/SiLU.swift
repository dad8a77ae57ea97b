import Components
import Essentials
import Kernels

/// The sigmoid-weighted linear unit, also called swish.
///
///     y = x·σ(x)
///
/// Elfwing, Uchibe and Doya, 2017, https://arxiv.org/abs/1702.03118.
/// A gated feed-forward with this is SwiGLU.
///
/// Known as: swish `mlp: {activation: silu}`
public struct SiLU: ElementwiseActivation {
  public static let name = "silu"
  public let flopsPerNumber = 6

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    withScratch(count) { t in
      sigmoids(of: x, into: t, count: count)
      for i in 0..<count { y[i] = x[i] * t[i] }
    }
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    // f′(x) = σ + x·σ·(1 − σ)
    sigmoids(of: x, into: slope, count: count)
    for i in 0..<count { slope[i] = slope[i] * (1 + x[i] * (1 - slope[i])) }
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("F.silu", [x])
  }

  public func exact(_ x: Double) -> Double? { x / (1 + exp(-x)) }
}
