import Components

/// Where the time of training passes goes, step by step, both ways.
public struct TrainingProfile: Sendable {
  /// Steps that are summed together.
  public struct Line: Sendable {
    /// What they are, such as `linear backward`.
    public let name: String
    /// How often they ran.
    public internal(set) var calls = 0
    /// Seconds that they took.
    public internal(set) var seconds = 0.0
  }

  private var lines: [String: Line] = [:]

  /// The steps by operator and direction, slowest first.
  public var byOperator: [Line] {
    lines.values.sorted { $0.seconds != $1.seconds ? $0.seconds > $1.seconds : $0.name < $1.name }
  }

  mutating func add(_ seconds: Double, to name: String) {
    var line = lines[name] ?? Line(name: name)
    line.calls += 1
    line.seconds += seconds
    lines[name] = line
  }
}
