import Kernels
import Plans

/// A smooth limit to ±cap, as Gemma 2 sets on its logits (Gemma Team, 2024, https://arxiv.org/abs/2408.00118).
///
///     y = cap·tanh(x / cap)
public struct Softcap: Kernel {
  public let name = "softcap"
  /// The limit.
  public let cap: Float

  /// The limit to ±`cap`.
  public init(_ cap: Float) {
    self.cap = cap
  }

  public var attributes: [Attribute] { [Attribute("cap", cap)] }
  public var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, overwritableInput: 0, backwardReadsInputs: .none, backwardReadsOutputs: true,
      assignsGradients: true, overwritableGradient: 0)
  }

  public func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    let cap = cap
    context.parallel(y.count, grain: elementwiseGrain(y.width * 8)) { rows, _ in
      for row in rows { softcap(x[row], cap: cap, into: y[row], count: y.width) }
    }
  }

  /// `dx += dy·(1 − (y / cap)²)`.
  public func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    let y = context.output()
    let inverse = 1 / cap
    let adding = context.addsToInputGradient()
    context.parallel(dy.count, grain: elementwiseGrain(dy.width)) { rows, _ in
      let start = rows.lowerBound * dy.width
      let (y, dy, dx) = (y.base + start, dy.base + start, dx.base + start)
      for i in 0..<rows.count * context.outputGradient().width {
        let t = y[i] * inverse
        dx[i] = (adding ? dx[i] : 0) + dy[i] * (1 - t * t)
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int { 3 * step.outputs[0].width }
}

/// `y = cap·tanh(x / cap)` for `count` elements; `x` and `y` may be the same.
func softcap(_ x: UnsafePointer<Float>, cap: Float, into y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] = x[i] / cap }
  hyperbolicTangents(of: y, into: y, count: count)
  for i in 0..<count { y[i] *= cap }
}

extension PlanBuilder {
  /// Writes the smooth limit of `x` to ±`cap`.
  public mutating func softcap(_ x: Value, at cap: Double) -> Value {
    apply(Softcap(Float(cap)), to: x)
  }
}
