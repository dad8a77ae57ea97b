/// An operator that can say its result a second time, plainly and in `Double`: what its own result is held against.
///
/// Only for operators each row of whose outputs follows from the same row of its inputs.
public protocol ExactOperator: Operator {
  /// One row of each output, given that row of each input and the learned tensors; nil where there is no exact form.
  func exact(_ inputs: [[Double]], parameters: [[Double]]) -> [[Double]]?
}
