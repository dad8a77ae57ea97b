import Components
import Execution
import Foundation

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
    parameters = plan.parameterCount * MemoryLayout<Float>.stride
    moments = plan.parameters.reduce(0) { $0 + optimizer.moments(of: $1).count * $1.count } * MemoryLayout<Float>.stride
    working = try GradientExecutor.plannedMemory(
      plan, rows: settings.batch * settings.context, threads: settings.threads, options: settings.options
    ).total
  }

  /// Throws when the run needs more than the machine, or the container, has to give.
  public func check() throws {
    guard let available = Self.available(), total > available else { return }
    throw TrainingProblem.memory(needed: total, available: available)
  }

  /// Bytes that can be had without taking them from others: what the system calls available, or what is left of the
  /// container's share when that is less; nil where the system does not say.
  public static func available() -> Int? {
    var free: [Int] = []
    let lines = read("/proc/meminfo").split(separator: "\n")
    if let line = lines.first(where: { $0.hasPrefix("MemAvailable:") }) {
      if let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) {
        free.append(kibibytes << 10)
      }
    }
    // Version 2 of control groups first; each level above may be narrower.
    let groups = read("/proc/self/cgroup").split(separator: "\n")
    if let own = groups.first(where: { $0.hasPrefix("0::") })?.dropFirst(3) {
      var path = String(own)
      while true {
        if let left = left(of: "/sys/fs/cgroup\(path == "/" ? "" : path)", "memory.max", "memory.current") {
          free.append(left)
        }
        guard path.count > 1, let slash = path.lastIndex(of: "/") else { break }
        path = slash == path.startIndex ? "/" : String(path[..<slash])
      }
    }
    if let left = left(of: "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes") {
      free.append(left)
    }
    return free.min()
  }

  private static func left(of folder: String, _ limit: String, _ used: String) -> Int? {
    func number(_ name: String) -> Int? {
      Int(read(folder + "/" + name).trimmingCharacters(in: .whitespacesAndNewlines))
    }
    guard let limit = number(limit), let used = number(used) else { return nil }
    return max(0, limit - used)
  }

  private static func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
