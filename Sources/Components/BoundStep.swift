/// Where a value lies: the number of its rows is the pass's.
public struct BoundValue {
  /// The first number of the first row.
  public let base: UnsafeMutablePointer<Float>
  /// Numbers in a row.
  public let width: Int
  /// What its rows stand for.
  public let extent: Value.Extent

  /// A value at `base`.
  public init(_ base: UnsafeMutablePointer<Float>, width: Int, extent: Value.Extent) {
    self.base = base
    self.width = width
    self.extent = extent
  }

  func rows(in pass: Pass) -> MutableRows {
    MutableRows(base, count: extent == .tokens ? pass.tokens.count : pass.outputRows.count, width: width)
  }
}

/// A step's memory, bound before the first pass: an executor fills it in, and a step sees it through its context.
public struct BoundStep {
  /// The inputs.
  public var inputs: UnsafeBufferPointer<BoundValue>
  /// The outputs.
  public var outputs: UnsafeBufferPointer<BoundValue>
  /// What forward keeps for backward; empty when no backward follows.
  public var kept: UnsafeBufferPointer<BoundValue>
  /// The learned tensors.
  public var parameters: UnsafeBufferPointer<Parameter>
  /// The states, as indices of the plan's states.
  public var states: UnsafeBufferPointer<Int>
  /// The gradients of the inputs, nil where none is wanted; empty when no backward follows.
  public var inputGradients: UnsafeBufferPointer<BoundValue?>
  /// The gradients of the outputs; empty when no backward follows.
  public var outputGradients: UnsafeBufferPointer<BoundValue>
  /// The gradients of the learned tensors, nil where none is wanted; empty when no backward follows.
  public var parameterGradients: UnsafeBufferPointer<UnsafeMutablePointer<Float>?>

  /// A step over this memory.
  public init(
    inputs: UnsafeBufferPointer<BoundValue>, outputs: UnsafeBufferPointer<BoundValue>,
    kept: UnsafeBufferPointer<BoundValue>, parameters: UnsafeBufferPointer<Parameter>,
    states: UnsafeBufferPointer<Int>, inputGradients: UnsafeBufferPointer<BoundValue?>,
    outputGradients: UnsafeBufferPointer<BoundValue>,
    parameterGradients: UnsafeBufferPointer<UnsafeMutablePointer<Float>?>
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.kept = kept
    self.parameters = parameters
    self.states = states
    self.inputGradients = inputGradients
    self.outputGradients = outputGradients
    self.parameterGradients = parameterGradients
  }
}
