/// One differentiable step: a forward and, beside it, its hand-written backward.
///
/// An operator is dispatched once a step. It sees views of its inputs, outputs and tensors, and divides its own work
/// over the workers with `parallel`. Its result for a row must not depend on the number of workers.
public protocol Operator: Sendable {
  /// The word that stands for it in listings and profiles.
  var name: String { get }
  /// What it is set to, for listings: `theta 10000`; empty when there is nothing to say.
  var detail: String { get }
  /// Computes the outputs from the inputs.
  func forward(_ context: ForwardContext)
  /// Adds to the gradients of the inputs and tensors, given those of the outputs. Gradients are added, never assigned.
  func backward(_ context: BackwardContext)
  /// Floating-point operations for one token at the end of a sequence of `context` tokens.
  func flops(step: Step, context: Int) -> Int
  /// Numbers of scratch memory that each worker needs in a pass over `rows` rows of sequences up to `context` tokens.
  func scratch(step: Step, rows: Int, context: Int) -> Int
  /// Whether its output may overwrite its first input: row by row, each number only from those of its own row.
  var mayOverwriteInput: Bool { get }
  /// Whether its backward reads the values of its inputs, so that they must be kept.
  var backwardReadsInputs: Bool { get }
  /// Whether its backward reads the values of its outputs, so that they must be kept.
  var backwardReadsOutputs: Bool { get }
}

extension Operator {
  public var detail: String { "" }
  public func scratch(step: Step, rows: Int, context: Int) -> Int { 0 }
  public var mayOverwriteInput: Bool { false }
  public var backwardReadsInputs: Bool { true }
  public var backwardReadsOutputs: Bool { false }
}

/// Consecutive rows of a pass that belong to one sequence.
public struct SequenceSpan: Sendable, Hashable {
  /// The rows.
  public let rows: Range<Int>
  /// The position in the sequence of the first row.
  public let start: Int
  /// How many tokens the sequence is opened for: what a scaling that depends on length goes by, so that a prompt
  /// computed at once and token by token agree.
  public let length: Int

  /// The `rows` that continue a sequence opened for `length` tokens at position `start`.
  public init(rows: Range<Int>, start: Int, length: Int) {
    self.rows = rows
    self.start = start
    self.length = length
  }
}
