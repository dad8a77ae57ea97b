/// A language: the texts that may be generated.
///
/// A context-free grammar without left recursion, read from GBNF (the notation of llama.cpp) or from a JSON Schema, and
/// compiled to one network of states over bytes.
///
/// A careful reader's mistake: what is matched are bytes of UTF-8, and a token may end inside a character.
public struct Grammar: Sendable {
  let automaton: Automaton
  /// The name in messages: a file, or the option that it was given with.
  public let name: String

  /// One rule.
  struct Rule: Sendable {
    var name: String
    var expression: Expression
  }

  /// The grammar of `rules`, that begins with the first.
  init(_ rules: [Rule], name: String) throws(GrammarProblem) {
    self.name = name
    var builder = AutomatonBuilder(rules, name: name)
    automaton = try builder.automaton()
  }
}
