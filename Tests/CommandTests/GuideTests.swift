import Foundation
import Testing

/// The guide of the zoo, followed word for word: its files are written, its commands run, and what they write is what it says.
@Suite("the guide")
struct GuideTests {
  /// A block of the page: what stands behind its fence, and its lines.
  struct Block {
    let kind: String
    let path: String?
    let lines: [String]
  }

  static func blocks(of page: String) -> [Block] {
    var blocks: [Block] = []
    var open: (words: [String], lines: [String])?
    for line in page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if let (words, lines) = open {
        if line == "```" {
          blocks.append(Block(kind: words.first ?? "", path: words.dropFirst().first, lines: lines))
          open = nil
        } else {
          open = (words, lines + [line])
        }
      } else if line.hasPrefix("```") {
        open = (line.dropFirst(3).split(separator: " ").map(String.init), [])
      }
    }
    return blocks
  }

  @Test("does what it says, step by step")
  func steps() throws {
    let page = try String(contentsOf: Command.package.appending(path: "Architectures/README.md"), encoding: .utf8)
    let blocks = Self.blocks(of: page)
    #expect(blocks.count { $0.kind == "yaml" } >= 3 && blocks.count { $0.kind == "console" } >= 3)
    try withTemporaryFolder { folder in
      let models = Command.package.appending(path: "Models").path
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: "Models").path, withDestinationPath: models)
      for block in blocks {
        if block.kind == "yaml" {
          let path = try #require(block.path, "every file has its path behind the fence")
          _ = try folder.write(block.lines.joined(separator: "\n") + "\n", to: path)
        } else if block.kind == "console" {
          try Self.run(block.lines, in: folder, environment: ["CHIMERA_ARCHITECTURES": folder.path + "/my-zoo"])
        }
      }
    }
  }

  /// Runs the lines that begin with a dollar, and holds what they write against the lines that follow; but for those that
  /// `instead` has run in its own way.
  static func run(
    _ lines: [String], in folder: URL, environment: [String: String], instead: (String) throws -> Bool = { _ in false }
  ) throws {
    var rest = lines[...]
    while let line = rest.popFirst() {
      if try instead(line) { continue }
      try #require(line.hasPrefix("$ chimera "), "a command of this program: \(line)")
      var expected = ""
      while let next = rest.first, !next.hasPrefix("$ ") {
        expected += next + "\n"
        rest = rest.dropFirst()
      }
      let run = try Command(words(line.dropFirst(10)), environment: environment, in: folder)
      #expect(run.status == 0, "\(line)\n\(run.notes)")
      #expect(run.notes.isEmpty, "\(line)")
      // A text that a model writes ends where it ends.
      #expect(run.output == expected || run.output + "\n" == expected, "\(line)")
    }
  }

  /// The words of a command line, in which quotes hold words together.
  private static func words(_ line: Substring) -> [String] {
    line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap { index, piece in
      index % 2 == 1 ? [String(piece)] : piece.split(separator: " ").map(String.init)
    }
  }
}
