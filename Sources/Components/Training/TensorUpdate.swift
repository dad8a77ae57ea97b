import Kernels

/// What an optimizer sees of one tensor in one step.
public struct TensorUpdate {
  /// The tensor.
  public let tensor: PlannedTensor
  /// Its numbers, to change.
  public let parameters: UnsafeMutablePointer<Float>
  /// Their gradients, before `gradientScale`.
  public let gradients: UnsafePointer<Float>
  /// What the optimizer keeps of it, in the order of its names.
  public let moments: [UnsafeMutablePointer<Float>]
  /// The number of the step, from 1.
  public let step: Int
  /// The learning rate.
  public let rate: Double
  /// What gradients are to be multiplied with, so that together they are no longer than wanted.
  public let gradientScale: Double
  /// The workers.
  public let pool: ThreadPool

  /// An update of these parts.
  public init(
    tensor: PlannedTensor, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    moments: [UnsafeMutablePointer<Float>], step: Int, rate: Double, gradientScale: Double, pool: ThreadPool
  ) {
    (self.tensor, self.parameters, self.gradients, self.moments) = (tensor, parameters, gradients, moments)
    (self.step, self.rate, self.gradientScale, self.pool) = (step, rate, gradientScale, pool)
  }

  /// How many numbers there are.
  public var count: Int { tensor.count }

  /// The same at another learning rate.
  public func withRate(_ rate: Double) -> TensorUpdate {
    TensorUpdate(
      tensor: tensor, parameters: parameters, gradients: gradients, moments: moments, step: step, rate: rate,
      gradientScale: gradientScale, pool: pool)
  }

  /// Calls `body` with the start and the length of pieces that together are the tensor, on the workers.
  public func forEachPiece(_ body: (Int, Int) -> Void) {
    pool.run(count, grain: 1 << 14) { range in body(range.lowerBound, range.count) }
  }
  /// Does `step` with the tensor's only moment, on the workers.
  public func apply(_ step: some OneMomentStep) {
    forEachPiece { start, count in
      step.apply(to: parameters + start, gradient: gradients + start, m: moments[0] + start, count: count)
    }
  }
}
