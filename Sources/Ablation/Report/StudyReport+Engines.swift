import Files

/// What trained the runs, where it was not this program alone.
extension StudyReport {
  /// The tasks that one engine trained on one device.
  struct EngineShare {
    /// The engine with its version; nil of this program.
    let engine: String?
    /// What it ran on.
    let device: String
    /// The numbers of its tasks, ascending.
    var tasks: [Int]
  }

  /// The finished tasks by engine and device, in the order of their first ones; without times the devices are left out.
  var engineShares: [EngineShare] {
    var shares: [EngineShare] = []
    for (task, times) in finished {
      let device = includesTimes ? times.machine : ""
      if let place = shares.firstIndex(where: { $0.engine == times.engine && $0.device == device }) {
        shares[place].tasks.append(task.index)
      } else {
        shares.append(EngineShare(engine: times.engine, device: device, tasks: [task.index]))
      }
    }
    return shares
  }

  /// What the table of engines says.
  var enginesMeaning: String {
    let kinds = Set(engineShares.map { StudyEngine(named: $0.engine) })
    return "What trained each run, and on what."
      + (kinds.count > 1
        ? " Runs of several engines stand beside each other here, as was asked for: a difference between arms may be theirs."
        : "")
  }

  /// A row for each engine and device, its tasks told by their numbers; empty where this program trained all.
  var enginesTable: [[String]] {
    let shares = engineShares
    guard shares.contains(where: { $0.engine != nil }) else { return [] }
    let head = ["engine"] + (includesTimes ? ["device"] : []) + ["runs", "tasks"]
    return [head]
      + shares.map { share in
        [share.engine ?? "this program"] + (includesTimes ? [share.device] : [])
          + [String(share.tasks.count), Self.ranges(share.tasks)]
      }
  }

  func json(of share: EngineShare) -> JSONValue {
    var object = JSONObject()
    object["engine"] = .string(share.engine ?? StudyEngine.chimera.rawValue)
    if includesTimes { object["device"] = .string(share.device) }
    object["tasks"] = .array(share.tasks.map { .integer($0) })
    return .object(object)
  }

  /// Ascending numbers in words: `0–3, 7`.
  private static func ranges(_ numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }.joined(
      separator: ", ")
  }
}
