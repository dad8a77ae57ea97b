import Kernels
import Plans

/// A hard limit: numbers beyond it become the limit.
///
///     y = min(max(x, low), high)
public struct Clamp: Kernel {
  public let name = "clamp"
  /// The least number that passes.
  public let low: Float
  /// The greatest number that passes.
  public let high: Float

  /// The limits to `range`; infinite where a side has none.
  public init(to range: ClosedRange<Float>) {
    low = range.lowerBound
    high = range.upperBound
  }

  public var attributes: [Attribute] {
    [
      Attribute("low", low, plain: -Float.infinity),
      Attribute("high", high, plain: Float.infinity),
    ]
  }
  public var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

  public func forward(_ context: ForwardContext) {
    let (low, high) = (low, high)
    context.forEachRun { x, y, count in
      for i in 0..<count { y[i] = min(max(x[i], low), high) }
    }
  }

  /// `dx += dy` where x lies within the limits, the limits included, as PyTorch has it.
  public func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let x = context.input()
    let dy = context.outputGradient()
    for i in 0..<dy.count * dy.width where x.base[i] >= low && x.base[i] <= high { dx.base[i] += dy.base[i] }
  }

  public func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
}

extension PlanBuilder {
  /// Writes the limit of `x` to `range`.
  public mutating func clamp(_ x: Value, to range: ClosedRange<Float>) -> Value {
    apply(Clamp(to: range), to: x)
  }
}
