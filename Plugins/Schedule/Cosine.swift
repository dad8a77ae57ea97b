import Components
import Essentials

/// Half a cosine down to `final`.
///
///     factor = final + (1 − final)·(1 + cos πt) / 2
///
/// Loshchilov and Hutter, 2016, https://arxiv.org/abs/1608.03983, without restarts.
/// `final` is a part of the peak: a peak of 1e-3 and a last rate of 1e-4 are 0.1.
public struct Cosine: Schedule {
  public static let name = "cosine"
  public static let isDefault = true

  public let final: Double
  public let neverRises = true

  public init(_ options: Options) {
    final = options.number("final", default: 0.1, in: 0...1, "the final learning rate, as a fraction of the peak")
  }

  public func factor(at progress: Double) -> Double { final + (1 - final) * 0.5 * (1 + cos(Double.pi * progress)) }

  public func pytorch(_ t: PyTorchExpression) -> PyTorchExpression? {
    PyTorchExpression(final) + PyTorchExpression(1 - final) * "0.5" * ("1" + .call("math.cos", ["math.pi" * t]))
  }
}
