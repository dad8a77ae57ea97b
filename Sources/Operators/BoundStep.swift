import Kernels
import Plans

/// Where a value lies: the number of its rows is the pass's.
public struct BoundValue {
  /// The first number of the first row.
  public let base: UnsafeMutablePointer<Float>
  /// Numbers in a row.
  public let width: Int
  /// What its rows stand for.
  public let axis: RowAxis

  /// A value at `base`.
  public init(_ base: UnsafeMutablePointer<Float>, width: Int, axis: RowAxis) {
    self.base = base
    self.width = width
    self.axis = axis
  }

  func rows(in pass: Pass) -> MutableRows {
    MutableRows(base, count: pass.batches[axis.index].count, width: width)
  }
}

/// A step's memory, bound before the first pass: an executor fills it in, and a step sees it through its context.
public struct BoundStep {
  /// What the rows of its outputs stand for.
  public let axis: RowAxis
  /// The inputs.
  public var inputs: UnsafeBufferPointer<BoundValue>
  /// The outputs.
  public var outputs: UnsafeBufferPointer<BoundValue>
  /// What forward saves for backward; empty when no backward follows.
  public var saved = UnsafeBufferPointer<BoundValue>(start: nil, count: 0)
  /// The learned tensors.
  public var parameters: UnsafeBufferPointer<Parameter>
  /// The states, as indices of the plan's states.
  public var states: UnsafeBufferPointer<Int>
  /// What it multiplies matrices in.
  public let computeType: ComputeType
  /// The gradients of the inputs, nil where none is wanted; empty when no backward follows.
  public var inputGradients = UnsafeBufferPointer<BoundValue?>(start: nil, count: 0)
  /// Whether the gradient of each input holds the part of a step that went before.
  public var inputGradientsAccumulate = UnsafeBufferPointer<Bool>(start: nil, count: 0)
  /// Whether the gradient of each learned tensor holds the part of a step of the same pass that went before.
  public var parameterGradientsAccumulate = UnsafeBufferPointer<Bool>(start: nil, count: 0)
  /// The gradients of the outputs; empty when no backward follows.
  public var outputGradients = UnsafeBufferPointer<BoundValue>(start: nil, count: 0)
  /// The gradients of the learned tensors, nil where none is wanted; empty when no backward follows.
  public var parameterGradients = UnsafeBufferPointer<UnsafeMutablePointer<Float>?>(start: nil, count: 0)

  /// A step over this memory, of which nothing is saved and no gradient is computed unless that is filled in.
  public init(
    axis: RowAxis, inputs: UnsafeBufferPointer<BoundValue>, outputs: UnsafeBufferPointer<BoundValue>,
    parameters: UnsafeBufferPointer<Parameter>, states: UnsafeBufferPointer<Int>,
    computeType: ComputeType
  ) {
    self.axis = axis
    self.inputs = inputs
    self.outputs = outputs
    self.parameters = parameters
    self.states = states
    self.computeType = computeType
  }
}
