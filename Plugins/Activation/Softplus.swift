import Components
import Essentials
import Kernels

/// The smooth rectifier.
///
///     y = log(1 + exp(x))
///
/// Dugas et al., 2000, https://proceedings.neurips.cc/paper/2000/hash/44968aece94f667e4095002d140b5896-Abstract.html.
/// Computed as max(x, 0) + log(1 + exp(−|x|)), for exp(x) of a large x is infinite.
public struct Softplus: ElementwiseActivation {
  public static let name = "softplus"
  public let flopsPerNumber = 10

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { y[i] = Self.value(x[i]) }
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    sigmoids(of: x, into: slope, count: count)
  }

  /// log(1 + exp(x))
  static func value(_ x: Float) -> Float { max(x, 0) + log1p(exp(-abs(x))) }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("F.softplus", [x])
  }

  public func exact(_ x: Double) -> Double? { max(x, 0) + log1p(exp(-abs(x))) }
}
