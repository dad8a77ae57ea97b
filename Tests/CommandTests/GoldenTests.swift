import Foundation
import Testing

/// What commands write, held against files of `Tests/Golden`. A change there is for a reviewer to see: run the tests with
/// `CHIMERA_GOLDEN=write` to make the files anew.
@Suite("what is shown")
struct GoldenTests {
  static let cases: [(name: String, arguments: [String])] = [
    ("show-gpt2", ["show", "gpt2"]),
    ("show-llama-2-7b", ["show", "llama-2-7b"]),
    ("show-gpt2-parallel", ["show", "gpt2-parallel"]),
    ("show-tiny-hybrid", ["show", "tiny-hybrid"]),
    ("show-tiny-hybrid-plan", ["show", "tiny-hybrid", "--plan"]),
    ("diff-gpt2-xl-llama-7b", ["diff", "gpt2-xl", "llama-7b"]),
    ("diff-gpt2-tiny-hybrid", ["diff", "gpt2", "tiny-hybrid"]),
    ("diff-gpt2-rope", ["diff", "gpt2", "--set", "position=rope"]),
    ("components-rope", ["components", "rope"]),
  ]

  @Test("is as it was", arguments: cases.map(\.name))
  func golden(_ name: String) throws {
    let arguments = try #require(Self.cases.first { $0.name == name }?.arguments)
    let run = try Command(arguments)
    #expect(run.status == 0, "\(run.notes)")
    #expect(run.notes.isEmpty)
    let file = Command.package.appending(path: "Tests/Golden/\(name).txt")
    if ProcessInfo.processInfo.environment["CHIMERA_GOLDEN"] == "write" {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try run.output.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    let expected = try String(contentsOf: file, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    let found = run.output.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, (a, b)) in zip(expected, found).enumerated() where a != b {
      Issue.record("line \(number + 1) of \(name)\n  was    \(a)\n  is now \(b)")
      break
    }
    #expect(expected.count == found.count)
  }
}
