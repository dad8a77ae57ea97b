import Components
import Essentials
import Kernels

/// The logistic function, for gates between 0 and 1.
///
///     y = 1 / (1 + exp(−x))
///
/// As the gate of attention's output: Qiu et al., 2025, https://arxiv.org/abs/2505.06708.
/// It is no identity for large x, as SiLU is: everything ends below 1.
public struct Sigmoid: ElementwiseActivation {
  public static let name = "sigmoid"
  public let flopsPerNumber = 5

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    sigmoids(of: x, into: y, count: count)
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    // f′(x) = σ·(1 − σ)
    sigmoids(of: x, into: slope, count: count)
    for i in 0..<count { slope[i] *= 1 - slope[i] }
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("torch.sigmoid", [x])
  }

  public func exact(_ x: Double) -> Double? { 1 / (1 + exp(-x)) }
}
