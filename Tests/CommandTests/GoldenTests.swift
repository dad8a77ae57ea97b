import Foundation
import Testing

/// What commands write, compared with files of `Tests/Golden`. A change there is for a reviewer to see: run the tests with
/// `CHIMERA_GOLDEN=write` to make the files anew.
@Suite("what is shown")
struct GoldenTests {
  static let cases: [(name: String, arguments: [String])] = [
    ("show-gpt2", ["show", "gpt2"]),
    ("show-llama-2-7b", ["show", "llama-2-7b"]),
    ("show-gpt2-parallel", ["show", "gpt2-parallel"]),
    ("show-tiny-hybrid", ["show", "tiny-hybrid"]),
    ("show-deepseek-v3", ["show", "deepseek-v3"]),
    ("show-gpt-oss-20b", ["show", "gpt-oss-20b"]),
    ("show-tiny-hybrid-plan", ["show", "tiny-hybrid", "--plan"]),
    ("show-jamba-style", ["show", "jamba-style"]),
    ("diff-gpt2-xl-llama-7b", ["diff", "gpt2-xl", "llama-7b"]),
    ("diff-gpt2-tiny-hybrid", ["diff", "gpt2", "tiny-hybrid"]),
    ("diff-gpt2-rope", ["diff", "gpt2", "--set", "position=rope"]),
    ("diff-gpt2-deepseek-v3", ["diff", "gpt2", "deepseek-v3"]),
  ]

  @Test("is as it was", arguments: cases.map(\.name))
  func golden(_ name: String) throws {
    let arguments = try #require(Self.cases.first { $0.name == name }?.arguments)
    let run = try Command(arguments)
    #expect(run.status == 0, "\(run.notes)")
    #expect(run.notes.isEmpty)
    try check(run.output, against: "\(name).txt")
  }

  static let pages: [(name: String, arguments: [String])] = [
    ("show-gpt2", ["show", "gpt2"]),
    ("show-qwen1.5-moe-a2.7b", ["show", "qwen1.5-moe-a2.7b"]),
    ("diff-gpt2-rope", ["diff", "gpt2", "--set", "position=rope"]),
  ]

  @Test("and so are pages", arguments: pages.map(\.name))
  func page(_ name: String) throws {
    let arguments = try #require(Self.pages.first { $0.name == name }?.arguments)
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "page.html")
      let run = try Command(arguments + ["--html", file.path])
      #expect(run.status == 0 && run.output == file.path + "\n", "\(run.notes)")
      try check(try String(contentsOf: file, encoding: .utf8), against: "\(name).html")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["page.html"])
    }
  }

  private func check(_ output: String, against name: String) throws {
    let file = Command.package.appending(path: "Tests/Golden/\(name)")
    if ProcessInfo.processInfo.environment["CHIMERA_GOLDEN"] == "write" {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try output.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    let expected = try String(contentsOf: file, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    let found = output.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, (a, b)) in zip(expected, found).enumerated() where a != b {
      Issue.record("line \(number + 1) of \(name)\n  was    \(a)\n  is now \(b)")
      break
    }
    #expect(expected.count == found.count)
  }
}
