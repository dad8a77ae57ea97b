import Formats
import Kernels
import Plans

/// A learned tensor as a step sees it.
public struct Parameter: @unchecked Sendable {
  // Sendable although it holds a pointer: tensors are not written while a pass runs.

  /// The tensor as a matrix in its stored format: `[out, in]`; a vector has one row. The first of several.
  public let matrix: WeightMatrix
  private let members: UnsafeBufferPointer<WeightMatrix>?

  /// The tensor over `matrix`.
  public init(_ matrix: WeightMatrix) {
    self.matrix = matrix
    members = nil
  }

  /// Several tensors, at least one, over a table that outlives them.
  public init(members: UnsafeBufferPointer<WeightMatrix>) {
    matrix = members[0]
    self.members = members
  }

  /// Tensor `index` of several, each in its own storage format and memory.
  public func member(_ index: Int) -> WeightMatrix { members?[index] ?? matrix }
  /// How many tensors there are.
  public var memberCount: Int { members?.count ?? 1 }

  /// The numbers of a vector, which is always held as `Float`; several lie one after the other.
  @inlinable
  public var vector: UnsafePointer<Float> {
    assert(matrix.format == .f32, "a vector is held as Float")
    return matrix.base.assumingMemoryBound(to: Float.self)
  }
}

/// What a step sees of a forward pass: views of its inputs, outputs, tensors and states.
public struct ForwardContext: StepContext {
  public let bound: BoundStep
  public let pass: Pass

  /// A context over what the executor has bound.
  public init(_ bound: BoundStep, in pass: Pass) {
    self.bound = bound
    self.pass = pass
  }

  /// The input `index`.
  public func input(_ index: Int = 0) -> Rows { bound.inputs[index].rows(in: pass).rows }
  /// The output `index`.
  public func output(_ index: Int = 0) -> MutableRows { bound.outputs[index].rows(in: pass) }
  /// Where forward saves its rows `index` for backward; nil when no backward follows.
  public func saved(_ index: Int = 0) -> MutableRows? { bound.saved.isEmpty ? nil : bound.saved[index].rows(in: pass) }
  /// The step's cached state `index` of sequence `sequence`, which is of full precision; nil when a pass caches
  /// nothing, as in training.
  public func state(_ index: Int, of sequence: Int) -> UnsafeMutablePointer<Float>? {
    guard !pass.states.isEmpty else { return nil }
    let state = pass.states[sequence][bound.states[index]]
    assert(state.format == .f32, "a state of full precision is held as Float")
    return state.base.assumingMemoryBound(to: Float.self)
  }
  /// The position of the first row that the step's state `index` still holds: 0 unless a window has moved on.
  public func firstPosition(_ index: Int, of sequence: Int) -> Int {
    pass.states[sequence][bound.states[index]].firstPosition
  }

  /// Adds the rows of sequence `sequence` of the input `input` to the step's state `index`, in the format that is cached,
  /// and says where all of them lie. Where the step has no such state, or a pass caches nothing, those are the input's own
  /// rows.
  public func append(input: Int, to index: Int, of sequence: Int) -> CachedRows {
    let rows = self.input(input)
    let span = batch(ofInput: input).sequences[sequence]
    let new = rows[span.rows.lowerBound]
    guard !pass.states.isEmpty, bound.states.indices.contains(index) else {
      return CachedRows(
        rows: StoredRows(new, stride: rows.width), firstPosition: span.start, count: span.rows.count)
    }
    let state = pass.states[sequence][bound.states[index]]
    let at = state.base + (span.start - state.firstPosition) * state.rowBytes
    parallel(span.rows.count, grain: max(1, Self.numbersTogether / rows.width)) { own, _ in
      narrow(
        new + own.lowerBound * rows.width, count: own.count * rows.width, to: state.format,
        into: at + own.lowerBound * state.rowBytes)
    }
    return CachedRows(
      rows: StoredRows(base: state.base, format: state.format, rowBytes: state.rowBytes),
      firstPosition: state.firstPosition, count: span.start + span.rows.count - state.firstPosition)
  }

  /// Numbers that one worker stores in some microseconds; fewer are not worth a second.
  private static let numbersTogether = 16_384
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
