import Files
import Foundation
import Testing

@Suite("chimera run --prompts")
struct PromptsTests {
  /// Runs the bundled model over `lines`, greedily.
  private func run(_ lines: String, _ arguments: [String]) throws -> Command {
    let file = FileManager.default.temporaryDirectory.appending(path: "prompts-\(UUID().uuidString)")
    try lines.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    return try Command(["run", "story-llama", "--prompts", file.path, "--temperature", "0", "--quiet"] + arguments)
  }

  private static let prompts = ["Once upon a time", "Lily had a dog", "The sun", "Tom saw a big red ball in the park"]

  @Test("each text is what its prompt alone gives, however many go together", arguments: [1, 2, 8])
  func alone(_ together: Int) throws {
    let lines = try run(Self.prompts.joined(separator: "\n"), ["--json", "-n", "40", "--together", "\(together)"])
    #expect(lines.status == 0)
    let rows = try lines.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    #expect(rows.compactMap { $0["index"]?.integer }.sorted() == Array(Self.prompts.indices))
    for row in rows {
      let prompt = try #require(row["prompt"]?.string)
      let alone = try Command("run", "story-llama", prompt, "--temperature", "0", "-n", "40", "--json", "--quiet")
      let document = try JSONValue(parsing: alone.output)
      #expect(row["text"]?.string == document["text"]?.string && row["ending"]?.string == document["ending"]?.string)
    }
  }

  @Test("texts come in the order of the file, and lines may be JSON")
  func order() throws {
    let plain = try run("The sun\n\nLily had a dog\n", ["-n", "12"])
    let json = try run("{\"prompt\": \"The sun\"}\n\"Lily had a dog\"", ["-n", "12", "--together", "1"])
    #expect(plain.status == 0 && plain.output == json.output && plain.output.split(separator: "\n").count >= 2)
  }

  @Test("a broken line is named: 3, and what excludes each other is a mistake of usage: 2")
  func refusals() throws {
    let broken = try run("The sun\n{\"prompt\": 3}", [])
    #expect(broken.status == 3 && broken.output.isEmpty && broken.notes.contains(":2: "))
    #expect(try run("{\"prompt\": ", []).status == 3)
    #expect(try run(" \n", []).status == 3)
    #expect(try Command("run", "story-llama", "--prompts", "/nowhere").status == 4)
    #expect(try Command("run", "story-llama", "hello", "--prompts", "/nowhere").status == 2)
    #expect(try Command("run", "story-llama", "--prompts", "x", "--together", "0").status == 2)
  }
}
