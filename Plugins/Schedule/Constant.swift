import Components

/// One rate to the end.
///
///     factor = 1
///
/// Source: none needed.
public struct Constant: Schedule {
  public static let name = "constant"

  public let final = 1.0
  public let neverRises = true

  public init(_ options: Options) {}

  public func factor(at progress: Double) -> Double { 1 }

  public func pytorch(_ t: PyTorchExpression) -> PyTorchExpression? { "1.0" }
}
