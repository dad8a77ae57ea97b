/// A normalization by rows with a learned weight and bias, each of which may be left out: what its options and its tensors
/// are. The component says its options' defaults and its kernel.
public protocol RowNormalization: Normalization {
  /// What it is set to.
  var settings: RowNormOptions { get }
  /// The operator that normalizes as `norm` says.
  func kernel(_ norm: RowNorm) -> any RowNormKernel
}

/// The options of a normalization by rows.
public struct RowNormOptions: Sendable {
  let eps: Float
  let weight: Bool
  let bias: Bool
  let unitOffset: Bool

  /// The options `eps`, which is `eps` by default and means `meaning`, `weight`, `bias` and `unit_offset`.
  public init(_ options: Options, eps: Double, _ meaning: String, bias: Bool) {
    self.eps = Float(options.number("eps", default: eps, in: 0...1, meaning))
    weight = options.flag("weight", default: true, "whether a learned weight multiplies the result")
    self.bias = options.flag("bias", default: bias, "whether a learned bias is added")
    unitOffset = options.flag("unit_offset", default: false, "whether the weight is stored as its difference from 1")
  }
}

extension RowNormalization {
  public func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value {
    let parts = NormParts(width: x.width, span: span)
    var tensors: [ParameterReference] = []
    if settings.weight {
      let start: PlannedTensor.Initialization = settings.unitOffset ? .zeros : .ones
      tensors.append(plan.parameter("\(name).weight", shape: parts.weightShape, starts: start, use: .vector))
    }
    if settings.bias {
      tensors.append(plan.parameter("\(name).bias", shape: parts.weightShape, starts: .zeros, use: .vector))
    }
    let norm = RowNorm(
      parts: parts, eps: settings.eps, weight: settings.weight, bias: settings.bias, unitOffset: settings.unitOffset)
    return plan.apply(kernel(norm), to: x, parameters: tensors)
  }
}
