import Files
import Foundation
import Testing

@Suite("chimera run and chat with a grammar")
struct GrammarCommandTests {
  private func run(_ arguments: String...) throws -> Command {
    try Command(["run", "story-llama", "--threads", "2", "-q"] + arguments)
  }

  @Test("what comes out is what the grammar allows, greedily and drawn, and the run ends where the grammar does")
  func grammar() throws {
    for temperature in ["0", "1.5"] {
      let result = try run(
        "Lily was", "--grammar", "root ::= \" happy\" | \" a \" (\"red\" | \"blue\") \" ball.\"", "--temperature",
        temperature, "--json")
      #expect(result.status == 0, "\(result.notes)")
      let document = try JSONValue(parsing: result.output)
      #expect([" happy", " a red ball.", " a blue ball."].contains(document["text"]?.string))
      #expect(document["ending"]?.string == "grammar" && document["complete"]?.bool == true)
    }
  }

  private static let schema =
    #"{"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 1, "maximum": 99}, "pets": {"type": "array", "items": {"enum": ["cat", "dog"]}, "maxItems": 3}}, "required": ["name", "age"], "additionalProperties": false}"#

  private func isValid(_ text: String) throws -> Bool {
    let value = try JSONValue(parsing: text)
    guard let name = value["name"]?.string, let age = value["age"]?.integer else { return false }
    return name.unicodeScalars.count <= 12 && (1...99).contains(age) && (value["pets"]?.array?.count ?? 0) <= 3
  }

  @Test("JSON of a schema is valid with a seed, several texts, the likeliest of several, beams and prompts of a file")
  func schema() throws {
    let one = try run("Tom", "--json-schema", Self.schema, "--seed", "3", "--temperature", "1")
    #expect(one.status == 0, "\(one.notes)")
    #expect(try isValid(one.output))

    let several = try run("Tom", "--json-schema", Self.schema, "--count", "4", "--json", "--temperature", "1.2")
    let samples = try JSONValue(parsing: several.output)["samples"]?.array ?? []
    #expect(samples.count == 4)
    for sample in samples { #expect(try isValid(sample["text"]?.string ?? "")) }

    #expect(try isValid(try run("Tom", "--json-schema", Self.schema, "--best-of", "3").output))
    #expect(try isValid(try run("Tom", "--json-schema", Self.schema, "--beams", "3", "--temperature", "0").output))

    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (prompts, schema) = (folder.appending(path: "prompts.txt").path, folder.appending(path: "schema.json").path)
    try "Tom\nLily\nThe dog".write(toFile: prompts, atomically: true, encoding: .utf8)
    try Self.schema.write(toFile: schema, atomically: true, encoding: .utf8)
    let lines = try run("--prompts", prompts, "--json-schema", schema, "--json")
    #expect(lines.status == 0, "\(lines.notes)")
    let rows = try lines.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    #expect(rows.count == 3)
    for row in rows { #expect(try isValid(row["text"]?.string ?? "") && row["complete"]?.bool == true) }
  }

  @Test("beams with a grammar of one text find it, with the probability that the model gives it")
  func beams() throws {
    let free = try JSONValue(
      parsing: run("Once upon a time", "--beams", "2", "-n", "6", "--json", "--temperature", "0").output)
    let text = try #require(free["text"]?.string)
    let bound = try JSONValue(
      parsing: run(
        "Once upon a time", "--beams", "2", "--json", "--grammar", "root ::= \"\(text)\" \"!\"?", "-n", "6",
        "--temperature", "0"
      ).output)
    #expect(bound["text"]?.string == text)
    let (a, b) = (free["scores"]?.array?[0].number ?? 0, bound["scores"]?.array?[0].number ?? 1)
    #expect(abs(a - b) < 1e-5)
  }

  @Test("a text that the output's limit cuts inside the grammar is told, in words and in the document")
  func cut() throws {
    let result = try run("Tom", "--grammar", "root ::= [a-z ]{40,} \".\"", "-n", "5", "--json")
    #expect(result.status == 0)
    let document = try JSONValue(parsing: result.output)
    #expect(document["complete"]?.bool == false && document["ending"]?.string == "length")
    #expect(
      result.notes
        == "note: the text ends before the grammar does; --max-tokens 5 allows no more, or a stop text came\n")
  }

  @Test("each answer of a conversation is what the grammar allows")
  func chat() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "answer.gbnf").path
    try "root ::= \"yes\" | \"no\"\n".write(toFile: file, atomically: true, encoding: .utf8)
    let program = try #require(Command.program).path
    let template = "chat={turn: \"{role}: {content}\\n\", prompt: \"assistant:\", stops: [\"\\n\"]}"
    let result = try Command(
      running: "sh",
      ["-c", "printf 'Hi\\nYou?\\n' | '\(program)' chat story-llama -q --set '\(template)' --grammar '\(file)'"])
    #expect(result.status == 0, "\(result.notes)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 2 && lines.allSatisfy { ["yes", "no"].contains($0) })
  }

  @Test(
    "a mistake in a grammar is told with its place (3), a file that is not there (4), and what excludes each other (2)")
  func mistakes() throws {
    let broken = try run("x", "--grammar", "root ::= a")
    #expect(broken.status == 3 && broken.notes == "--grammar:1:10: error: no rule is named 'a'\n")
    let unsupported = try run("x", "--json-schema", #"{"properties": {"a": {"not": {}}}}"#)
    #expect(unsupported.status == 3)
    #expect(unsupported.notes == "--json-schema#/properties/a/not: error: the keyword 'not' is not supported\n")
    #expect(try run("x", "--json-schema", "{").status == 3)
    #expect(try run("x", "--grammar", "nowhere.gbnf").status == 4)
    #expect(try run("x", "--grammar", "root ::= \"a\"", "--json-schema", "{}").status == 2)
    #expect(try run("x", "--grammar", "root ::= \"a\"", "--ignore-end").status == 2)
    #expect(try run("-", "--grammar", "-").status == 2)
  }
}
