import Components
import Execution

/// The memory that a run takes, by what takes it, in bytes.
public struct MemoryNeed: Sendable {
  /// Parameters in f32.
  public let parameters: Int
  /// What the optimizer keeps.
  public let moments: Int
  /// Values, their gradients, and the parameters' gradients.
  public let working: Int
  /// All of it.
  public var total: Int {
    [moments, working].reduce(parameters) { $0.addingReportingOverflow($1).overflow ? Int.max : $0 + $1 }
  }

  /// The need of a run of `plan` with `settings`; throws what is wrong with the optimizer.
  public init(_ plan: Plan, _ settings: TrainingSettings) throws {
    let optimizer = try settings.makeOptimizer()
    let plan = try plan.freezing(settings.frozen)
    parameters = plan.parameterCount * MemoryLayout<Float>.stride
    moments =
      plan.parameters.filter { !$0.isFrozen }.reduce(0) { $0 + optimizer.moments(of: $1).count * $1.count }
      * MemoryLayout<Float>.stride
    working = try GradientExecutor.plannedMemory(
      plan, rows: plan.trainingRows(settings), threads: settings.threads, loss: settings.makeObjective().loss,
      options: settings.options
    ).total
  }

  /// Throws when the run needs more than the machine has free, or than a limit of the process or of its container leaves.
  public func check() throws {
    guard let available = Self.available(), total > available else { return }
    throw TrainingProblem.memory(needed: total, available: available)
  }

  /// Bytes that can be had; nil where the system does not say.
  public static func available() -> Int? { AvailableMemory.bytes }
}
