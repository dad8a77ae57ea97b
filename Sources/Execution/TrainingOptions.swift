import Kernels

/// How a training pass trades time, memory and exactness.
public struct TrainingOptions: Sendable, Hashable {
  /// What is done with values that cost little to compute and that only backward needs again.
  public enum Recomputation: String, Sendable, CaseIterable {
    /// They are saved.
    case none
    /// They are computed a second time: norms, activations, rotations. About a third less memory for a few percent of
    /// time.
    case cheap
  }

  /// The compute type of matrix multiplications; learned tensors, activations and gradients are f32 in either.
  public enum Precision: String, Sendable, CaseIterable {
    /// Single precision.
    case f32
    /// Both sides are rounded to bf16 as they are read, and sums are f32.
    case bf16

    /// The same as a compute type of the kernels.
    public var computeType: ComputeType { self == .bf16 ? .bf16 : .f32 }
  }

  /// The compute type of matrix multiplications.
  public var precision: Precision
  /// What becomes of values that cost little.
  public var recomputation: Recomputation
  /// The most bytes that a block of logits and its gradient take; fewer rows at a time where they would take more. Small
  /// blocks read the head's matrix and its gradient more often.
  public var logitsBytes: Int

  /// Training with these choices.
  public init(
    precision: Precision, recomputation: Recomputation = .none, logitsBytes: Int = 64 << 20
  ) {
    self.precision = precision
    self.recomputation = recomputation
    self.logitsBytes = logitsBytes
  }
}
