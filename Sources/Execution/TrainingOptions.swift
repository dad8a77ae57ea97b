import Kernels

/// How a training pass trades time, memory and exactness.
public struct TrainingOptions: Sendable, Hashable {
  /// What is done with values that cost little to compute and that only backward needs again.
  public enum Recomputation: String, Sendable, CaseIterable {
    /// They are kept.
    case none
    /// They are computed a second time: norms, activations, rotations. About a third less memory for a few percent of
    /// time.
    case cheap
  }

  /// How products are computed. With `.bf16`, both sides are rounded to bf16 as they are read and summed in f32; learned
  /// tensors, activations and gradients stay f32.
  public var arithmetic: Arithmetic
  /// What becomes of values that cost little.
  public var recomputation: Recomputation
  /// The most bytes that a block of logits and its gradient take; fewer rows at a time where they would take more. Small
  /// blocks read the head's matrix and its gradient more often.
  public var logitsBytes: Int

  /// Training with these choices.
  public init(
    arithmetic: Arithmetic = .exact, recomputation: Recomputation = .none, logitsBytes: Int = 64 << 20
  ) {
    self.arithmetic = arithmetic
    self.recomputation = recomputation
    self.logitsBytes = logitsBytes
  }
}
