import Foundation
import Testing

/// "A pass allocates nothing": counted by a program of its own (`Tests/Allocations`), whose malloc counts on all threads.
@Suite struct AllocationTests {
  /// What the program prints: how often each pass allocated.
  private static let counts: [(count: Int, name: String)] = {
    guard let program = Command.program(named: "count-allocations"),
      let result = try? Command(running: program.path, [], environment: ["MALLOC_ARENA_MAX": "1"]), result.status == 0
    else { return [] }
    return result.output.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", maxSplits: 1)
      return words.count == 2 ? Int(words[0]).map { ($0, String(words[1])) } : nil
    }
  }()

  /// A learned table of distances, the keys that an indexer chose and the windows of a picture are bound to attention anew in each
  /// pass: a few allocations a layer. A picture's positions are resampled once, when it is encoded.
  private static func bindsTable(_ name: String) -> Bool {
    ["type: relative", "indexer:", "patch_window:", "type: grid_table"].contains(where: name.contains)
  }

  #if os(Linux)
    @Test("the counter counts")
    func counts() throws {
      let first = try #require(Self.counts.first, "the program stands beside the tests and ends with 0")
      #expect(first.count > 0 && Self.counts.count > 500, "\(Self.counts.count) lines")
    }

    @Test("after the first of its size a pass allocates nothing: matmuls, prompts and steps of generation")
    func passes() throws {
      for (count, name) in Self.counts.dropFirst()
      where count > 0 && !name.hasPrefix("training") && !Self.bindsTable(name) {
        Issue.record("\(count) allocations: \(name)")
      }
    }

    // The gradient of linear attention lists two gradients in an array, for each chunk and group of heads; else there is none.
    @Test("a training step allocates next to nothing")
    func training() throws {
      for (count, name) in Self.counts where count > 4 && name.hasPrefix("training") && !Self.bindsTable(name) {
        Issue.record("\(count) allocations: \(name)")
      }
    }
  #endif
}
