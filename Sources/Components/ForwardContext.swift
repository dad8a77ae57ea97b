import Kernels

/// A learned tensor as a step sees it.
public struct Parameter: @unchecked Sendable {
  // Sendable although it holds a pointer: tensors are not written while a pass runs.

  /// The tensor as a matrix in its stored format: `[out, in]`; a vector has one row.
  public let matrix: WeightMatrix

  /// The tensor over `matrix`.
  public init(_ matrix: WeightMatrix) {
    self.matrix = matrix
  }

  /// The numbers of a vector, which is always held as `Float`.
  @inlinable
  public var vector: UnsafePointer<Float> {
    assert(matrix.format == .f32, "a vector is held as Float")
    return matrix.base.assumingMemoryBound(to: Float.self)
  }
}

/// What a step sees of a forward pass: views of its inputs, outputs, tensors and states.
public struct ForwardContext {
  private let bound: BoundStep
  private let pass: Pass

  /// A context over what the executor has bound.
  public init(_ bound: BoundStep, in pass: Pass) {
    self.bound = bound
    self.pass = pass
  }

  /// The input `index`.
  public func input(_ index: Int = 0) -> Rows { bound.inputs[index].rows }
  /// The output `index`.
  public func output(_ index: Int = 0) -> MutableRows { bound.outputs[index] }
  /// The learned tensor `index`.
  public func parameter(_ index: Int = 0) -> Parameter { bound.parameters[index] }
  /// Where forward keeps its rows `index` for backward; nil when no backward follows.
  public func kept(_ index: Int = 0) -> MutableRows? { bound.kept.isEmpty ? nil : bound.kept[index] }
  /// What is kept of sequence `sequence` as the step's state `index`; nil when a pass keeps nothing, as in training.
  public func state(_ index: Int, of sequence: Int) -> UnsafeMutablePointer<Float>? {
    pass.states.isEmpty ? nil : pass.states[sequence][bound.states[index]]
  }
  /// The position of the first row that the step's state `index` still holds: 0 unless a window has moved on.
  public func firstPosition(_ index: Int, of sequence: Int) -> Int { pass.firstPositions[sequence][bound.states[index]] }
  /// How many tensors the step reads.
  public var parameterCount: Int { bound.parameters.count }

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
  ///
  /// Pieces go to workers in order and whole, at least `grain` to each, so that small work stays on one worker.
  public func parallel(_ count: Int, grain: Int = 1, _ body: (Range<Int>, Worker) -> Void) {
    pass.parallel(count, grain: grain, body)
  }
}

/// One of the threads that share a step's work.
public struct Worker {
  /// Its index, from 0.
  public let index: Int
  /// Memory of its own for the time of a step, as many numbers as the operator asked for.
  public let scratch: UnsafeMutablePointer<Float>

  /// The worker `index`.
  public init(index: Int, scratch: UnsafeMutablePointer<Float>) {
    self.index = index
    self.scratch = scratch
  }
}

/// A step's memory, bound before the pass: an executor fills it in, and a step sees it through its context.
public struct BoundStep {
  /// Views of the inputs.
  public var inputs: UnsafeBufferPointer<MutableRows>
  /// Views of the outputs.
  public var outputs: UnsafeBufferPointer<MutableRows>
  /// What forward keeps for backward; empty when no backward follows.
  public var kept: UnsafeBufferPointer<MutableRows>
  /// The learned tensors.
  public var parameters: UnsafeBufferPointer<Parameter>
  /// The states, as indices of the plan's states.
  public var states: UnsafeBufferPointer<Int>
  /// The gradients of the inputs, in a backward pass; a null base where none is wanted.
  public var inputGradients: UnsafeBufferPointer<MutableRows?>
  /// The gradients of the outputs, in a backward pass.
  public var outputGradients: UnsafeBufferPointer<MutableRows>
  /// The gradients of the learned tensors, in a backward pass; nil where none is wanted.
  public var parameterGradients: UnsafeBufferPointer<UnsafeMutablePointer<Float>?>

  /// A step over this memory.
  public init(
    inputs: UnsafeBufferPointer<MutableRows>, outputs: UnsafeBufferPointer<MutableRows>,
    kept: UnsafeBufferPointer<MutableRows>, parameters: UnsafeBufferPointer<Parameter>,
    states: UnsafeBufferPointer<Int>, inputGradients: UnsafeBufferPointer<MutableRows?>,
    outputGradients: UnsafeBufferPointer<MutableRows>,
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

/// What all steps of a pass share.
public struct Pass {
  /// The token ids, a row each.
  public var tokens: UnsafeBufferPointer<Int32>
  /// The position of each row in its sequence.
  public var positions: UnsafeBufferPointer<Int32>
  /// The sequences and their rows.
  public var sequences: UnsafeBufferPointer<SequenceSpan>
  /// The rows whose logits are asked for.
  public var outputRows: UnsafeBufferPointer<Int32>
  /// For each sequence, its states by index of the plan's states; empty when nothing is kept.
  public var states: UnsafeBufferPointer<UnsafePointer<UnsafeMutablePointer<Float>>>
  /// For each sequence, the position of the first row that each state holds.
  public var firstPositions: UnsafeBufferPointer<UnsafePointer<Int>>
  /// The workers.
  public var pool: ThreadPool
  /// The workers' scratch memory, `scratchWidth` numbers for each.
  public var scratch: UnsafeMutablePointer<Float>
  /// Numbers of scratch memory for each worker.
  public var scratchWidth: Int

  /// A pass over this memory.
  public init(
    tokens: UnsafeBufferPointer<Int32>, positions: UnsafeBufferPointer<Int32>,
    sequences: UnsafeBufferPointer<SequenceSpan>, outputRows: UnsafeBufferPointer<Int32>,
    states: UnsafeBufferPointer<UnsafePointer<UnsafeMutablePointer<Float>>>,
    firstPositions: UnsafeBufferPointer<UnsafePointer<Int>>, pool: ThreadPool,
    scratch: UnsafeMutablePointer<Float>, scratchWidth: Int
  ) {
    self.tokens = tokens
    self.positions = positions
    self.sequences = sequences
    self.outputRows = outputRows
    self.states = states
    self.firstPositions = firstPositions
    self.pool = pool
    self.scratch = scratch
    self.scratchWidth = scratchWidth
  }

  func parallel(_ count: Int, grain: Int, _ body: (Range<Int>, Worker) -> Void) {
    let workers = max(1, min(pool.threads, count / max(1, grain)))
    if workers == 1 {
      if count > 0 { body(0..<count, Worker(index: 0, scratch: scratch)) }
      return
    }
    pool.run(workers) { indices in
      for index in indices {
        let range = count * index / workers..<count * (index + 1) / workers
        body(range, Worker(index: index, scratch: scratch + index * scratchWidth))
      }
    }
  }
}
