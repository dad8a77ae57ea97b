import CKernels

/// One step of AdamW over the numbers of a tensor (Loshchilov and Hutter, 2017, https://arxiv.org/abs/1711.05101).
///
///     g = scale·gradient;  m ← m + (1 − β1)·(g − m);  v ← β2·v + (1 − β2)·g²
///     p ← (1 − rate·decay)·p − rate / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + eps)
///
/// `eps` is added outside the root and after the bias correction, as torch does.
public struct AdamWStep: Sendable {
  private var settings: ck_adamw

  /// Step `step`, from 1, at the learning rate `rate`.
  public init(
    step: Int, rate: Double, beta1: Double, beta2: Double, eps: Double, decay: Double, gradientScale scale: Double
  ) {
    settings = ck_adamw(
      scale: Float(scale), keep: Float(1 - rate * decay), beta1: Float(beta1), beta2: Float(beta2),
      step: Float(rate / (1 - power(beta1, step))), root: Float(1 / (1 - power(beta2, step)).squareRoot()),
      eps: Float(eps))
  }

  /// Changes `count` parameters and their moments.
  public func apply(
    to p: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, m: UnsafeMutablePointer<Float>,
    v: UnsafeMutablePointer<Float>, count: Int
  ) {
    withUnsafePointer(to: settings) { ck_update_adamw($0, p, gradient, m, v, count) }
  }
}

/// One step of an optimizer with a single moment.
public protocol OneMomentStep: Sendable {
  /// Changes `count` parameters and their moment.
  func apply(
    to p: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, m: UnsafeMutablePointer<Float>, count: Int)
}

/// One step of Lion (Chen et al., 2023, https://arxiv.org/abs/2302.06675).
///
///     p ← (1 − rate·decay)·p − rate·sign(β1·m + (1 − β1)·g);  m ← β2·m + (1 − β2)·g
public struct LionStep: OneMomentStep {
  private var settings: ck_lion

  /// A step at the learning rate `rate`.
  public init(rate: Double, beta1: Double, beta2: Double, decay: Double, gradientScale scale: Double) {
    settings = ck_lion(
      scale: Float(scale), keep: Float(1 - rate * decay), beta1: Float(beta1), beta2: Float(beta2), rate: Float(rate))
  }

  /// Changes `count` parameters and their moment.
  public func apply(
    to p: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, m: UnsafeMutablePointer<Float>, count: Int
  ) {
    withUnsafePointer(to: settings) { ck_update_lion($0, p, gradient, m, count) }
  }
}

/// One step of gradient descent with momentum (Polyak, 1964; Nesterov, 1983, as in Sutskever et al., 2013,
/// https://proceedings.mlr.press/v28/sutskever13.html).
///
///     g = scale·gradient + decay·p;  m ← μ·m + g;  p ← p − rate·m, or rate·(g + μ·m) when it looks ahead
///
/// The decay joins the gradient, and so the momentum, as torch has it.
public struct MomentumStep: OneMomentStep {
  private var settings: ck_momentum

  /// A step at the learning rate `rate`.
  public init(rate: Double, momentum: Double, nesterov: Bool, decay: Double, gradientScale scale: Double) {
    settings = ck_momentum(
      scale: Float(scale), decay: Float(decay), momentum: Float(momentum), nesterov: nesterov ? 1 : 0, rate: Float(rate)
    )
  }

  /// Changes `count` parameters and their moment.
  public func apply(
    to p: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, m: UnsafeMutablePointer<Float>, count: Int
  ) {
    withUnsafePointer(to: settings) { ck_update_momentum($0, p, gradient, m, count) }
  }
}

/// base^exponent by squaring: the same bits on every machine, unlike the system's `pow`.
private func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
