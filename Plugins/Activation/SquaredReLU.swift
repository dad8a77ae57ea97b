import Components

/// The squared rectifier.
///
///     y = max(x, 0)²
///
/// So et al., 2021 (Primer), https://arxiv.org/abs/2109.08668.
/// The square is of the rectified number: negative numbers give zero, not their square.
///
/// Known as: squared_relu, relu_squared, sqrelu `mlp: {activation: relu2}`
public struct SquaredReLU: ElementwiseActivation {
  public static let name = "relu2"
  public let flopsPerNumber = 2

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count {
      let r = max(x[i], 0)
      y[i] = r * r
    }
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { slope[i] = 2 * max(x[i], 0) }
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    PyTorchExpression.call("F.relu", [x]).method("square")
  }

  public func exact(_ x: Double) -> Double? { max(x, 0) * max(x, 0) }
}
