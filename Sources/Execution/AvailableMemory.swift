import Essentials

/// How much memory a process may still take: what the machine has free, and what the limits set on the process leave.
///
/// Heeded are `ulimit -v` (addresses), `-d` (data) and `-m` (resident), and the memory of control groups of both
/// versions at every level above the process: the one with the least left decides. Pages of files that a group holds but
/// does not use (`inactive_file`) are given back before anything is refused, so they count as free.
public enum AvailableMemory {
  /// Bytes that can be had without taking them from others; nil where the system does not say.
  public static var bytes: Int? { bytes { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" } }

  /// The same by the files that `read` gives; one that is not there is empty.
  package static func bytes(_ read: (String) -> String) -> Int? {
    var left: [Int] = []
    if let free = field("MemAvailable:", of: read("/proc/meminfo")) { left.append(free << 10) }
    left += limits(read) + groups(read)
    return left.min()
  }

  /// Throws `ExecutionProblem` when `bytes` are more than can be had.
  public static func require(_ bytes: Int) throws(ExecutionProblem) {
    guard let available = self.bytes, bytes > available else { return }
    throw .tooLittleMemory(needed: bytes, available: available)
  }

  /// What the limits of the process leave.
  private static func limits(_ read: (String) -> String) -> [Int] {
    let (limits, status) = (read("/proc/self/limits"), read("/proc/self/status"))
    return [
      ("Max address space", "VmSize:"), ("Max data size", "VmData:"), ("Max resident set", "VmRSS:"),
    ].compactMap { name, used in
      guard let line = limits.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
        // The soft limit comes first; `unlimited` is no number.
        let limit = line.dropFirst(name.count).split(separator: " ").first.flatMap({ Int($0) })
      else { return nil }
      return max(0, limit - (field(used, of: status) ?? 0) << 10)
    }
  }

  /// What the control groups of the process leave, at every level.
  private static func groups(_ read: (String) -> String) -> [Int] {
    var left: [Int] = []
    for line in read("/proc/self/cgroup").split(separator: "\n") {
      // number:controllers:path; version 2 has the number 0 and no controllers.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      if parts[0] == "0", parts[1].isEmpty {
        for folder in levels(parts[2], under: ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]) {
          let used = number(read(folder + "/memory.current"))
          let idle = field("inactive_file", of: read(folder + "/memory.stat")) ?? 0
          for name in ["memory.max", "memory.high"] {
            if let limit = number(read("\(folder)/\(name)")), let used {
              left.append(max(0, limit - used + min(idle, used)))
            }
          }
        }
      } else if parts[1].split(separator: ",").contains("memory") {
        for folder in levels(parts[2], under: ["/sys/fs/cgroup/memory"]) {
          let used = number(read(folder + "/memory.usage_in_bytes"))
          let idle = field("total_inactive_file", of: read(folder + "/memory.stat")) ?? 0
          if let limit = number(read(folder + "/memory.limit_in_bytes")), let used {
            left.append(max(0, limit - used + min(idle, used)))
          }
        }
      }
    }
    return left
  }

  /// The folders of the group at `path` and of all above it. In a container the path is of the host, and the group is
  /// mounted at the root.
  private static func levels(_ path: Substring, under roots: [String]) -> [String] {
    var paths = [""]
    for name in path.split(separator: "/") { paths.append((paths.last ?? "") + "/" + name) }
    return roots.flatMap { root in paths.map { root + $0 } }
  }

  private static func number(_ text: String) -> Int? { Int(text.trimmed) }

  /// The number behind `name` in a file of a name and a number a line.
  private static func field(_ name: String, of text: String) -> Int? {
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      if words.first.map(String.init) == name, words.count > 1 { return Int(words[1]) }
    }
    return nil
  }
}
