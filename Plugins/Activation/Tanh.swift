import Components
import Essentials
import Kernels

/// The hyperbolic tangent.
///
///     y = (exp(x) − exp(−x)) / (exp(x) + exp(−x))
///
/// Of the layer between BERT's first state and its classes (Devlin et al., 2018, https://arxiv.org/abs/1810.04805). It ends at
/// −1 and 1, not at 0 and 1 as the logistic function does.
public struct Tanh: ElementwiseActivation {
  public static let name = "tanh"
  public let flopsPerNumber = 5

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    hyperbolicTangents(of: x, into: y, count: count)
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    // f′(x) = 1 − tanh²(x)
    hyperbolicTangents(of: x, into: slope, count: count)
    for i in 0..<count { slope[i] = 1 - slope[i] * slope[i] }
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("torch.tanh", [x])
  }

  public func exact(_ x: Double) -> Double? { tanh(x) }
}
