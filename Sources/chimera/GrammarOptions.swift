import ArgumentParser
import Files
import Grammars

/// What may be generated; the options of every command that generates.
struct GrammarOptions: ParsableArguments {
  @Option(help: "Generate only what this grammar allows: GBNF, a file or its text.") var grammar: String?
  @Option(help: "Generate only JSON of this JSON Schema: a file or its text.") var jsonSchema: String?

  /// Whether there is one.
  var isWanted: Bool { grammar != nil || jsonSchema != nil }
  /// Whether one comes through standard input.
  var readsInput: Bool { grammar == "-" || jsonSchema == "-" }

  /// Notes what excludes each other; `readsInput` says whether something else comes through standard input.
  func check(_ mistakes: inout Mistakes, readsInput: Bool = false) {
    mistakes.note("--grammar and --json-schema exclude each other", if: grammar != nil && jsonSchema != nil)
    mistakes.note("only one thing can come through standard input", if: self.readsInput && readsInput)
  }

  /// The grammar; nil where none is asked for. Throws `GrammarProblem`, and where there is no such file.
  func compiled() throws -> Grammar? {
    if let grammar {
      let given = try text(grammar, option: "--grammar", isText: grammar.contains("::="))
      return try Grammar(gbnf: given.text, name: given.name)
    }
    guard let jsonSchema else { return nil }
    let first = jsonSchema.first { !$0.isWhitespace }
    let given = try text(
      jsonSchema, option: "--json-schema", isText: first == "{" || jsonSchema == "true" || jsonSchema == "false")
    let schema: JSONValue
    do { schema = try JSONValue(parsing: given.text, name: given.name) } catch {
      throw Failure(.invalid, error.description)
    }
    return try Grammar(jsonSchema: schema, name: given.name)
  }

  /// What an option was given: its text, or the file that it names.
  private func text(_ value: String, option: String, isText: Bool) throws -> (text: String, name: String) {
    if value == "-" { return (try StandardInput.text(), "standard input") }
    if isText { return (value, option) }
    if kind(ofPath: value) == .nothing {
      let form = option == "--grammar" ? "'root ::= …'" : "'{…}'"
      throw Failure(
        .notFound, "there is no file '\(value.prefix(80))', and it is no \(form) either; \(option) takes one of them")
    }
    return (try StandardInput.text(ofFile: value), value)
  }
}
