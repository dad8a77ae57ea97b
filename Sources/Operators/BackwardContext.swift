import Kernels
import Plans

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

  /// The rows of the step's outputs.
  public var batch: AxisBatch { pass.batches[bound.axis.index] }
  /// The rows of the input `index`, which may stand for something else than the outputs'.
  public func batch(ofInput index: Int) -> AxisBatch { pass.batches[bound.inputs[index].axis.index] }
  /// The token ids of the step's rows.
  public var tokens: UnsafeBufferPointer<Int32> { batch.tokens }
  /// The position of each of the step's rows in its sequence.
  public var positions: UnsafeBufferPointer<Int32> { batch.positions }
  /// The sequences of the step's rows.
  public var sequences: UnsafeBufferPointer<SequenceSpan> { batch.sequences }
  /// The workers, for kernels that divide their own work.
  public var pool: ThreadPool { pass.pool }

  /// Memory for the time of the step, as many numbers as the operator asked to share, beside the workers' own.
  public var sharedScratch: UnsafeMutablePointer<Float> { pass.sharedScratch }

  /// Divides `count` independent pieces of work over the workers: `body` gets a range of them and its worker.
  public func parallel(_ count: Int, grain: Int = 1, _ body: (Range<Int>, Worker) -> Void) {
    pass.parallel(count, grain: grain, body)
  }
}
