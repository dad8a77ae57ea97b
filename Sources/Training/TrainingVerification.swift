import Components
import Execution
import Kernels

/// A model's loss, gradients and first optimizer steps compared with a reference implementation's.
public struct TrainingVerification: Sendable {
  /// What the reference computed on one batch.
  public struct Expected {
    /// The batch, whose tokens predict one another.
    public let batch: Batch
    /// The mean loss.
    public let loss: Double
    /// The gradients by canonical name.
    public let gradients: [String: [Float]]
    /// The losses before each step of the optimizer on that batch, and after the last.
    public let losses: [Double]

    /// These expectations.
    public init(batch: Batch, loss: Double, gradients: [String: [Float]], losses: [Double]) {
      (self.batch, self.loss, self.gradients, self.losses) = (batch, loss, gradients, losses)
    }
  }

  /// The relative difference of the loss.
  public let lossDifference: Double
  /// The largest difference of a gradient, as a part of the largest gradient of all, and the tensor it is in.
  public let gradientDifference: (value: Double, name: String)
  /// How many gradients were compared.
  public let gradients: Int
  /// The largest relative difference of one of the optimizer's losses.
  public let stepDifference: Double

  /// Whether the loss is within 1e-5, gradients within 1e-4 of the largest, and the optimizer's losses within 1e-4: a few
  /// hundred roundings of f32, in another order than the reference's.
  public var holds: Bool { lossDifference <= 1e-5 && gradientDifference.value <= 1e-4 && stepDifference <= 1e-4 }

  /// Trains `parameters`, which must lie in memory of their own, with the reference's `optimizer` at a rate of 1e-3.
  public init(
    _ plan: Plan, _ parameters: Parameters, _ expected: Expected, optimizer: any Optimizer, pool: ThreadPool
  ) throws {
    let batch = expected.batch
    let executor = try GradientExecutor(
      plan, parameters, pool: pool, rows: batch.count, options: TrainingOptions(precision: .f32))
    let moments = try plan.parameters.map { tensor in
      try optimizer.moments(of: tensor).map { _ in try Floats(count: tensor.count) }
    }
    var losses: [Double] = []
    var worst = (value: 0.0, name: "")
    let largest = expected.gradients.values.reduce(Float(0)) { $1.reduce($0) { max($0, abs($1)) } }
    for step in 1..<max(2, expected.losses.count) {
      executor.clearGradients()
      losses.append(try executor.trainingLoss(batch.inputs, targets: batch.targets))
      for (index, tensor) in plan.parameters.enumerated() {
        let gradient = executor.gradient(index)
        if step == 1, let wanted = expected.gradients[tensor.name.text] {
          for (found, wanted) in zip(gradient, wanted) {
            let difference = Double(abs(found - wanted)) / Double(max(largest, .leastNormalMagnitude))
            // A NaN differs from everything.
            if !(difference <= worst.value) { worst = (difference.isNaN ? .infinity : difference, tensor.name.text) }
          }
        }
        guard let numbers = parameters.mutable(index)?.baseAddress, let base = gradient.baseAddress else { continue }
        optimizer.update(
          TensorUpdate(
            tensor: tensor, parameters: numbers, gradients: base, moments: moments[index].map(\.base), step: step,
            rate: 1e-3,
            gradientScale: 1, pool: pool))
      }
    }
    losses.append(try executor.loss(batch.inputs, targets: batch.targets))
    func relative(_ found: Double, _ wanted: Double) -> Double {
      let difference = abs(found - wanted) / abs(wanted)
      return difference.isNaN ? .infinity : difference
    }
    lossDifference = relative(losses[0], expected.loss)
    gradientDifference = worst
    gradients = expected.gradients.count
    stepDifference = zip(losses, expected.losses).reduce(0) { max($0, relative($1.0, $1.1)) }
  }
}

extension Parameters {
  /// A copy of `other`, the parameters of `plan`, in f32 and in memory of its own, to train.
  public convenience init(_ plan: Plan, copying other: Parameters) throws(ExecutionProblem) {
    try self.init(plan, seed: 0)
    for index in plan.parameters.indices {
      guard let numbers = mutable(index) else { continue }
      for (i, value) in other.values(index).enumerated() { numbers[i] = value }
    }
  }
}
