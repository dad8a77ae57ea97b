import Kernels

/// What a step sees of a backward pass: what forward saw, and the gradients.
public struct BackwardContext {
  private let bound: BoundStep
  private let pass: Pass

  /// A context over what the executor has bound.
  public init(_ bound: BoundStep, in pass: Pass) {
    self.bound = bound
    self.pass = pass
  }

  /// The input `index`; only for operators whose backward reads inputs.
  public func input(_ index: Int = 0) -> Rows { bound.inputs[index].rows(in: pass).rows }
  /// The output `index`; only for operators whose backward reads outputs.
  public func output(_ index: Int = 0) -> Rows { bound.outputs[index].rows(in: pass).rows }
  /// The learned tensor `index`.
  public func parameter(_ index: Int = 0) -> Parameter { bound.parameters[index] }
  /// How many tensors the step reads.
  public var parameterCount: Int { bound.parameters.count }
  /// What forward kept as its rows `index`.
  public func kept(_ index: Int = 0) -> Rows { bound.kept[index].rows(in: pass).rows }
  /// The gradient of the output `index`.
  public func outputGradient(_ index: Int = 0) -> Rows { bound.outputGradients[index].rows(in: pass).rows }
  /// The gradient of the input `index`, to add to.
  public func inputGradient(_ index: Int = 0) -> MutableRows? { bound.inputGradients[index]?.rows(in: pass) }
  /// The gradient of the learned tensor `index`, to add to; nil when it is not wanted.
  public func parameterGradient(_ index: Int = 0) -> UnsafeMutablePointer<Float>? { bound.parameterGradients[index] }

  /// The token ids of the pass, a row each.
  public var tokens: UnsafeBufferPointer<Int32> { pass.tokens }
  /// The position of each row in its sequence.
  public var positions: UnsafeBufferPointer<Int32> { pass.positions }
  /// The sequences of the pass and their rows.
  public var sequences: UnsafeBufferPointer<SequenceSpan> { pass.sequences }
  /// The rows whose logits are asked for.
  public var outputRows: UnsafeBufferPointer<Int32> { pass.outputRows }
  /// The workers, for kernels that divide their own work.
  public var pool: ThreadPool { pass.pool }

  /// Divides `count` independent pieces of work over the workers: `body` gets a range of them and its worker.
  public func parallel(_ count: Int, grain: Int = 1, _ body: (Range<Int>, Worker) -> Void) {
    pass.parallel(count, grain: grain, body)
  }
}
