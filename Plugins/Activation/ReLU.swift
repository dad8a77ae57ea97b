import Components

/// The rectifier: negative numbers become zero.
///
///     y = max(x, 0)
///
/// Nair and Hinton, 2010, https://www.cs.toronto.edu/~fritz/absps/reluICML.pdf.
/// The derivative at zero is taken as zero, as PyTorch takes it.
public struct ReLU: ElementwiseActivation {
  public static let name = "relu"
  public let flopsPerNumber = 1

  public init(_ options: Options) {}

  public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { y[i] = max(x[i], 0) }
  }

  public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { slope[i] = x[i] > 0 ? 1 : 0 }
  }

  public func pytorch(_ x: PyTorchExpression, _ call: inout PyTorchCall) -> PyTorchExpression? {
    .call("F.relu", [x])
  }

  public func exact(_ x: Double) -> Double? { max(x, 0) }
}
