import Components

/// No nonlinearity: for linear feed-forwards and bilinear gates.
///
///     y = x
///
/// Dauphin et al., 2016 (the bilinear gate), https://arxiv.org/abs/1612.08083.
/// With a gate the feed-forward is still not linear: it is the product of two linear maps.
///
/// Known as: linear_activation, no_activation `mlp: {activation: identity}`
public struct Identity: ElementwiseActivation {
  public static let name = "identity"
  public let flopsPerNumber = 0

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    if y != x { y.update(from: x, count: count) }
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    slope.update(repeating: 1, count: count)
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    x
  }

  public func exact(_ x: Double) -> Double? { x }
}
