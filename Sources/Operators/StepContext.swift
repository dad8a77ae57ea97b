import Kernels
import Plans

/// What a step sees of a pass in either direction: its tensors, its rows and the workers.
public protocol StepContext {
  /// The step's memory, as the executor has bound it.
  var bound: BoundStep { get }
  /// What all steps of the pass share.
  var pass: Pass { get }
}

extension StepContext {
  /// The learned tensor `index`.
  public func parameter(_ index: Int = 0) -> Parameter { bound.parameters[index] }
  /// How many tensors the step reads.
  public var parameterCount: Int { bound.parameters.count }
  /// The compute type of the step's matrix multiplications, bound when the plan was prepared.
  public var computeType: ComputeType { bound.computeType }

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

  /// Memory for the time of the step, as many elements as the operator asked to share, beside the workers' own.
  public var sharedScratch: UnsafeMutablePointer<Float> { pass.sharedScratch }

  /// Divides `count` independent pieces of work over the workers: `body` gets a range of them and its worker.
  ///
  /// Pieces go to workers in order and whole, at least `grain` to each, so that small work stays on one worker.
  public func parallel(_ count: Int, grain: Int = 1, _ body: (Range<Int>, Worker) -> Void) {
    pass.parallel(count, grain: grain, body)
  }
}
