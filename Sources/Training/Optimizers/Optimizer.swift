import Components
import Kernels

/// A rule that moves parameters against their gradients.
///
/// A conforming type is one file: its doc comment gives the equation and the source, its options are read once, and
/// `update` is one pass over a tensor. Its result must not depend on the number of threads.
public protocol Optimizer: Sendable {
  /// The word that names it.
  static var name: String { get }
  /// The learning rate that suits it when nobody says otherwise.
  static var usualRate: Double { get }
  /// Reads the options.
  init(_ options: Options)
  /// The names of what it keeps for `tensor` between steps, each as large as the tensor and zero at first.
  func moments(of tensor: PlannedTensor) -> [String]
  /// Moves one tensor by one step.
  func update(_ tensor: TensorUpdate)
}

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
  package init(
    tensor: PlannedTensor, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    moments: [UnsafeMutablePointer<Float>], step: Int, rate: Double, gradientScale: Double, pool: ThreadPool
  ) {
    (self.tensor, self.parameters, self.gradients, self.moments) = (tensor, parameters, gradients, moments)
    (self.step, self.rate, self.gradientScale, self.pool) = (step, rate, gradientScale, pool)
  }

  /// How many numbers there are.
  public var count: Int { tensor.count }

  /// The same at another learning rate.
  func withRate(_ rate: Double) -> TensorUpdate {
    TensorUpdate(
      tensor: tensor, parameters: parameters, gradients: gradients, moments: moments, step: step, rate: rate,
      gradientScale: gradientScale, pool: pool)
  }

  /// Calls `body` with the start and the length of pieces that together are the tensor, on the workers.
  public func forEachPiece(_ body: (Int, Int) -> Void) {
    pool.run(count, grain: 1 << 14) { range in body(range.lowerBound, range.count) }
  }
}

/// Which tensors lose a part of themselves in each step.
public enum DecayedTensors: String, CaseIterable, Sendable {
  /// Those of two or more axes: not norms and biases.
  case matrices
  /// All.
  case all

  /// What `decay` is for `tensor`.
  func decay(_ decay: Double, of tensor: PlannedTensor) -> Double {
    self == .all || tensor.shape.count >= 2 ? decay : 0
  }
}
