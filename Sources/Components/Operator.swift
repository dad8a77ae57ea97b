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
  /// Adds to the gradients of the inputs and tensors, given those of the outputs. Gradients are added, never assigned,
  /// except by an operator that `assignsGradients`.
  func backward(_ context: BackwardContext)
  /// Floating-point operations for one token at the end of a sequence of `context` tokens.
  func flops(step: Step, context: Int) -> Int
  /// Numbers of scratch memory that each worker needs in a pass over `rows` rows of sequences up to `context` tokens.
  func scratch(step: Step, rows: Int, context: Int) -> Int
  /// Numbers of scratch memory that all workers share in such a pass, beside the workers' own.
  func sharedScratch(step: Step, rows: Int) -> Int
  /// The input that its first output may overwrite, when no step reads that input later: each row of the output is
  /// computed from that row of the input alone, or added to it.
  var overwritableInput: Int? { get }
  /// Whether its backward reads the values of its inputs, so that they must be kept.
  var backwardReadsInputs: Bool { get }
  /// Whether its backward reads the values of its input `index`; by default what `backwardReadsInputs` says of all.
  func backwardReadsInput(_ index: Int) -> Bool
  /// Whether its backward reads the values of its outputs, so that they must be kept.
  var backwardReadsOutputs: Bool { get }

  // What the memory of a backward pass goes by.

  /// Whether its backward asks `addsToInputGradient` and `addsToParameterGradient`, and assigns every number of a gradient
  /// that holds nothing yet. For other operators such a gradient is filled with zeros first.
  var assignsGradients: Bool { get }
  /// The input whose gradient may take the memory of the first output's gradient: each number of it follows from the
  /// number in its place, which backward reads no more after writing it. Only with `assignsGradients`.
  var overwritableGradient: Int? { get }
  /// The input whose gradient may take the memory of its values: as above. Only with `assignsGradients`.
  var gradientReplacesInput: Int? { get }
  /// The widths of what its forward keeps for its backward, a row for each row of its outputs.
  var keptWidths: [Int] { get }
  /// Whether its outputs may be computed a second time for backward rather than kept: it costs little beside a matrix.
  var isCheap: Bool { get }

  // What passes over a plan may do with it. They change no result beyond rounding.

  /// Whether each row of its outputs follows from the same row of its inputs alone, wherever the row stands.
  var isRowwise: Bool { get }
  /// An operator that does this one and `other`, which reads the same inputs, in one step: its tensors and outputs are
  /// this one's and then the other's. Nil when there is none.
  func joined(with other: any Operator) -> (any Operator)?
  /// An operator that does this one and then `next`, which alone reads this one's only output, as its input `place`. Its
  /// inputs are this one's and then `next`'s others, its tensors this one's and then `next`'s. Nil when there is none.
  func followed(by next: any Operator, readingAt place: Int) -> (any Operator)?
}

extension Operator {
  public var detail: String { "" }
  public func scratch(step: Step, rows: Int, context: Int) -> Int { 0 }
  public func sharedScratch(step: Step, rows: Int) -> Int { 0 }
  public var overwritableInput: Int? { nil }
  public var backwardReadsInputs: Bool { true }
  public func backwardReadsInput(_ index: Int) -> Bool { backwardReadsInputs }
  public var backwardReadsOutputs: Bool { false }
  public var assignsGradients: Bool { false }
  public var overwritableGradient: Int? { nil }
  public var gradientReplacesInput: Int? { nil }
  public var keptWidths: [Int] { [] }
  public var isCheap: Bool { false }
  public var isRowwise: Bool { false }
  public func joined(with other: any Operator) -> (any Operator)? { nil }
  public func followed(by next: any Operator, readingAt place: Int) -> (any Operator)? { nil }
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
