import Kernels
import Plans

/// What a step sees of a backward pass: what forward saw, and the gradients.
public struct BackwardContext: StepContext {
  public let bound: BoundStep
  public let pass: Pass

  /// A context over what the executor has bound.
  public init(_ bound: BoundStep, in pass: Pass) {
    self.bound = bound
    self.pass = pass
  }

  /// The input `index`; only for operators whose backward reads inputs.
  public func input(_ index: Int = 0) -> Rows { bound.inputs[index].rows(in: pass).rows }
  /// The output `index`; only for operators whose backward reads outputs.
  public func output(_ index: Int = 0) -> Rows { bound.outputs[index].rows(in: pass).rows }
  /// What forward saved as its rows `index`.
  public func saved(_ index: Int = 0) -> Rows { bound.saved[index].rows(in: pass).rows }
  /// The gradient of the output `index`.
  public func outputGradient(_ index: Int = 0) -> Rows { bound.outputGradients[index].rows(in: pass).rows }
  /// The gradient of the input `index`, to add to.
  public func inputGradient(_ index: Int = 0) -> MutableRows? { bound.inputGradients[index]?.rows(in: pass) }
  /// Whether the gradient of the input `index` is to be added to; if not it holds nothing yet, and an operator that
  /// `assignsGradients` assigns it.
  public func addsToInputGradient(_ index: Int = 0) -> Bool { bound.inputGradientsAccumulate[index] }
  /// The gradient of the learned tensor `index`, to add to; nil when it is not wanted.
  public func parameterGradient(_ index: Int = 0) -> UnsafeMutablePointer<Float>? { bound.parameterGradients[index] }
  /// Whether the gradient of the learned tensor `index` is to be added to; see `addsToInputGradient`.
  public func addsToParameterGradient(_ index: Int = 0) -> Bool {
    bound.parameterGradientsAccumulate[index] || !pass.startsGradients
  }
}
