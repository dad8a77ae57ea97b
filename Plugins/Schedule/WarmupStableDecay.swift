import Components

/// The peak for most of the run, then down to `final` over its last part.
///
///     factor = 1 while t < 1 − decay;   then final + (1 − final)·(1 − s), or ·(1 − √s) with shape `root`,  s = (t − 1 + decay) / decay
///
/// Hu et al., 2024 (MiniCPM), https://arxiv.org/abs/2404.06395; the root: Hägele et al., 2024, https://arxiv.org/abs/2405.18392.
/// A checkpoint from before the decay can be trained on, to any length.
public struct WarmupStableDecay: Schedule {
  public static let name = "wsd"

  enum Shape: String, CaseIterable { case linear, root }

  let decay: Double
  public let final: Double
  public let neverRises = true
  let shape: Shape

  public init(_ options: Options) {
    decay = options.number(
      "decay", default: 0.2, in: 0...1, "the fraction of the run after warmup in which the rate falls")
    let last = options.number("final", default: 0, in: 0...1, "the final learning rate, as a fraction of the peak")
    final = decay == 0 ? 1 : last
    shape = options.choice("shape", default: Shape.linear, "how it falls")
  }

  public func factor(at progress: Double) -> Double {
    let start = 1 - decay
    if progress < start || decay == 0 { return 1 }
    let s = min(1, (progress - start) / decay)
    return final + (1 - final) * (1 - (shape == .root ? s.squareRoot() : s))
  }

  public func pytorch(_ t: PyTorchExpression) -> PyTorchExpression? {
    if decay == 0 { return "1.0" }
    let s = PyTorchExpression.call("max", ["0.0", (t - PyTorchExpression(1 - decay)) / PyTorchExpression(decay)])
    let fallen = PyTorchExpression.call("min", ["1.0", s])
    return PyTorchExpression(final) + PyTorchExpression(1 - final)
      * ("1" - (shape == .root ? fallen.power("0.5") : fallen))
  }
}
