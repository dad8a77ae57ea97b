import Plans

/// What computes an operator on the processor: a forward and, beside it, its hand-written backward.
///
/// A kernel is dispatched once a step. It sees views of its inputs, outputs and tensors, and divides its own work over the
/// workers with `parallel`. Its result for a row must not depend on the number of workers, nor on what else is in the batch.
public protocol Kernel: Operator {
  /// Computes the outputs from the inputs.
  func forward(_ context: ForwardContext)
  /// Adds to the gradients of the inputs and tensors, given those of the outputs. Gradients are added, never assigned,
  /// except by an operator that `assignsGradients`.
  func backward(_ context: BackwardContext)
  /// Elements of scratch memory that each worker needs in a pass over `rows` rows of sequences up to `context` tokens.
  func scratch(step: Step, rows: Int, context: Int) -> Int
  /// Elements of scratch memory that all workers share in such a pass, beside the workers' own.
  func sharedScratch(step: Step, rows: Int) -> Int
  /// The largest number that its softmax was taken of, after `forward` in a pass that caches nothing; nil where it has none.
  /// Nobody asks in a pass that is to be fast.
  func largestScore(_ context: ForwardContext) -> Float?
}

extension Kernel {
  public func largestScore(_ context: ForwardContext) -> Float? { nil }
  public func scratch(step: Step, rows: Int, context: Int) -> Int { 0 }
  public func sharedScratch(step: Step, rows: Int) -> Int { 0 }
}

/// A kernel that can compute its result a second time, plainly and in `Double`: what its own result is compared with.
///
/// Only for operators each row of whose outputs follows from the same row of its inputs.
public protocol ExactKernel: Kernel {
  /// One row of each output, given that row of each input and the learned tensors; nil where there is no exact form.
  func exact(_ inputs: [[Double]], parameters: [[Double]]) -> [[Double]]?
}
