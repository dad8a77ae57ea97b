import Components

/// A straight line down to `final`.
///
///     factor = 1 − (1 − final)·t
///
/// Source: as in BERT (Devlin et al., 2018, https://arxiv.org/abs/1810.04805).
public struct LinearDecay: Schedule {
  public static let name = "linear"

  public let final: Double
  public let neverRises = true

  public init(_ options: Options) {
    final = options.number("final", default: 0, in: 0...1, "the final learning rate, as a fraction of the peak")
  }

  public func factor(at progress: Double) -> Double { 1 - (1 - final) * progress }

  public func pytorch(_ t: PyTorchExpression) -> PyTorchExpression? { "1" - PyTorchExpression(1 - final) * t }
}
