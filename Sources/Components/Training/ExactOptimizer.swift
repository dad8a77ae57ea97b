/// An optimizer that moves every number by itself, and says in `Double` how: its own steps are compared with that.
public protocol ExactOptimizer: Optimizer {
  /// Where one number `p` of `tensor` goes in step `step`, from 1; `moments` is what is kept of it, in the order of its names.
  func exact(
    _ p: Double, gradient g: Double, moments: inout [Double], of tensor: PlannedTensor, step: Int, rate: Double
  ) -> Double
}
