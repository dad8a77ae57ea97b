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
  public var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, overwritableInput: 0, backwardReadsInputs: .none, assignsGradients: true, overwritableGradient: 0
    )
  }

  public func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      let start = rows.lowerBound * y.width
      let (x, y) = (x.base + start, y.base + start)
      for i in 0..<rows.count * context.output().width { y[i] = x[i] + offset }
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
