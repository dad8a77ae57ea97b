import Testing

import Execution

/// What a process may still take, from files as Linux writes them.
@Suite struct AvailableMemoryTests {
  private static let files = [
    "/proc/meminfo": "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n",
    "/proc/self/status": "Name:\tchimera\nVmSize:\t  102400 kB\nVmRSS:\t   10240 kB\nVmData:\t   20480 kB\n",
    "/proc/self/limits": """
    Limit                     Soft Limit           Hard Limit           Units
    Max data size             unlimited            unlimited            bytes
    Max resident set          unlimited            unlimited            bytes
    Max address space         unlimited            unlimited            bytes

    """,
    "/proc/self/cgroup": "0::/\n",
  ]

  private static func bytes(_ changes: [String: String]) -> Int? {
    let files = Self.files.merging(changes) { $1 }
    return AvailableMemory.bytes { files[$0] ?? "" }
  }

  private static func limits(_ name: String, _ bytes: Int) -> [String: String] {
    let line = name.padding(to: 26) + String(bytes).padding(to: 21) + "unlimited            bytes"
    return ["/proc/self/limits": "Limit                     Soft Limit           Hard Limit           Units\n\(line)\n"]
  }

  private static let mebibyte = 1 << 20

  @Test("without limits it is what the machine has free; where nothing is said, nothing is known") func machine() {
    #expect(Self.bytes([:]) == 8_000_000 << 10)
    #expect(AvailableMemory.bytes { _ in "" } == nil)
  }

  @Test("ulimit -v, -d and -m leave what is not taken yet") func ulimit() {
    #expect(Self.bytes(Self.limits("Max address space", 1024 * Self.mebibyte)) == 924 * Self.mebibyte)
    #expect(Self.bytes(Self.limits("Max data size", 1024 * Self.mebibyte)) == 1004 * Self.mebibyte)
    #expect(Self.bytes(Self.limits("Max resident set", 1024 * Self.mebibyte)) == 1014 * Self.mebibyte)
    #expect(Self.bytes(Self.limits("Max address space", 50 * Self.mebibyte)) == 0, "more is taken than is allowed")
  }

  @Test("a control group of version 2 leaves what it has not used, and the pages that it would give back")
  func second() {
    var files = [
      "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "1073741824\n",
      "/sys/fs/cgroup/a/b/memory.current": "536870912\n",
      "/sys/fs/cgroup/a/b/memory.stat": "anon 1\nfile 2\ninactive_file 104857600\n",
    ]
    #expect(Self.bytes(files) == (512 + 100) * Self.mebibyte)
    // The level above is narrower.
    files["/sys/fs/cgroup/a/memory.max"] = "629145600\n"
    files["/sys/fs/cgroup/a/memory.current"] = "608174080\n"
    #expect(Self.bytes(files) == 20 * Self.mebibyte)
    // Above memory.high a group is held back until it hardly moves.
    files["/sys/fs/cgroup/a/b/memory.high"] = "537919488\n"
    files["/sys/fs/cgroup/a/b/memory.stat"] = ""
    #expect(Self.bytes(files) == 1 * Self.mebibyte)
    files["/sys/fs/cgroup/a/b/memory.max"] = "max\n"
    #expect(Self.bytes(files) == 1 * Self.mebibyte)
  }

  @Test("in a container the group's path is the host's, and its limits are at the root") func container() {
    #expect(
      Self.bytes([
        "/proc/self/cgroup": "0::/docker/0123\n", "/sys/fs/cgroup/memory.max": "104857600\n",
        "/sys/fs/cgroup/memory.current": "52428800\n",
      ]) == 50 * Self.mebibyte)
  }

  @Test(
    "a control group of version 1 likewise, at its path, above it, and at the root",
    arguments: ["/jobs/7", "/jobs", ""])
  func first(_ path: String) {
    let folder = "/sys/fs/cgroup/memory" + path
    #expect(
      Self.bytes([
        "/proc/self/cgroup": "12:cpu,cpuacct:/jobs/7\n5:memory:/jobs/7\n0::/x\n",
        "\(folder)/memory.limit_in_bytes": "209715200\n", "\(folder)/memory.usage_in_bytes": "104857600\n",
        "\(folder)/memory.stat": "cache 5\ninactive_file 7\ntotal_inactive_file 1048576\n",
      ]) == 101 * Self.mebibyte)
    #expect(
      Self.bytes([
        "/proc/self/cgroup": "5:memory:/jobs/7\n", "\(folder)/memory.limit_in_bytes": "9223372036854771712\n",
        "\(folder)/memory.usage_in_bytes": "104857600\n",
      ]) == 8_000_000 << 10, "unlimited is a large number")
  }

  @Test("what is refused says what is needed and what there is, in numbers") func sentence() {
    #expect(
      "\(ExecutionProblem.tooLittleMemory(needed: 6_442_450_944, available: 268_435_456))".hasPrefix(
        "6.00 GiB of memory are needed, and 0.25 GiB can be had"))
    #expect(throws: ExecutionProblem.self) { try AvailableMemory.require(Int.max) }
    #expect(throws: Never.self) { try AvailableMemory.require(1) }
  }
}

extension String {
  fileprivate func padding(to count: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, count - self.count))
  }
}
