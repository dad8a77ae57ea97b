import Kernels
import Plans

/// A value plus a constant.
///
///     y = x + offset
public struct Shift: Kernel {
  public let name = "shift"
  /// The constant.
  public let offset: Float

  /// The sum with `offset`.
  public init(by offset: Float) {
    self.offset = offset
  }

  public var attributes: [Attribute] { [Attribute("offset", offset)] }
  public var traits: OperatorTraits { .linearInPlace }

  public func forward(_ context: ForwardContext) {
    let offset = offset
    context.forEachRun { x, y, count in
      for i in 0..<count { y[i] = x[i] + offset }
    }
  }

  /// `dx += dy`.
  public func backward(_ context: BackwardContext) { context.passGradient(to: 0, times: 1) }

  public func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}

extension PlanBuilder {
  /// Writes `x + offset`; nothing when the offset is 0.
  public mutating func shift(_ x: Value, by offset: Double) -> Value {
    offset == 0 ? x : apply(Shift(by: Float(offset)), to: x)
  }
}
