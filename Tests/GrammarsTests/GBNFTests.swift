import Grammars
import Testing

@Suite("GBNF") struct GBNFTests {
  @Test(
    "rules, alternatives, groups, repetitions, classes, escapes and comments mean what llama.cpp makes of them",
    arguments: [
      ("root ::= \"yes\" | \"no\"", ["yes", "no"], ["y", "n"], ["yess", "nope", ""].filter { !$0.isEmpty }),
      ("root ::= [a-c]+ # letters\n", ["a", "abcabc"], [], ["d", "ad"]),
      ("root ::= [^\"\\\\]*", ["", "é€😀"], [], ["a\"", "\\"]),
      (
        "root ::= a{2} b{1,} c{0,2}\na ::= \"a\"\nb ::= \"b\"\nc ::= \"c\"", ["aab", "aabbbb", "aabcc"], ["aa"],
        ["aaa", "aabccc"]
      ),
      ("root ::= (\"x\" |\n  \"y\")? \"z\"\n", ["z", "xz", "yz"], ["x"], ["xy"]),
      ("root ::= \"\\x41\\u00e9\\U0001F600\\n\\t\\\"\\\\\"", ["Aé😀\n\t\"\\"], ["A"], ["a"]),
      ("root ::= . .", ["é€", "\n\n"], ["x"], ["abc"]),
      ("root ::= [\\]\\-^a]+", ["]-^a"], [], ["b"]),
      ("root ::= \"(\" root \")\" | \"\"", ["", "()", "((()))"], ["(("], [")", "())"]),
      ("root ::= s\ns ::= \"a\" s \"b\" | \"a\" s \"c\" | \"\"", ["aaabcb"], ["aaab"], ["aabbb"]),
      ("root ::=\n  \"a\" |\n  \"b\"\n\n# the end", ["a", "b"], [], ["c"]),
      ("root ::= \"a\"{3}\n", ["aaa"], ["aa"], ["aaaa"]),
      ("root ::= ([0-9]{2} \",\"){100,200}", [], [String(repeating: "12,", count: 99)], ["1,"]),
    ] as [(String, [String], [String], [String])])
  func meaning(text: String, whole: [String], beginnings: [String], refused: [String]) throws {
    let grammar = try grammar(text)
    for text in whole { #expect(try fate(of: text, in: grammar) == .whole, "\(text)") }
    for text in beginnings { #expect(try fate(of: text, in: grammar) == .beginning, "\(text)") }
    for text in refused {
      let fate = try fate(of: text, in: grammar)
      #expect(fate != .whole && fate != .beginning, "\(text)")
    }
  }

  @Test(
    "a mistake is told with its line and column",
    arguments: [
      ("root ::= \"a", "test.gbnf:1:12: error: a text in quotes does not end"),
      ("root ::= foo", "test.gbnf:1:10: error: no rule is named 'foo'"),
      ("start ::= \"a\"", "test.gbnf: error: the grammar has no rule 'root', which it begins with"),
      ("root ::= \"a\"\nroot ::= \"b\"", "test.gbnf:2:1: error: the rule 'root' is defined twice"),
      ("root ::= * \"a\"", "test.gbnf:1:10: error: '*' repeats what stands before it, and nothing does"),
      ("root ::= \"a\"{3,2}", "test.gbnf:1:18: error: {3,2} has its larger number first"),
      ("root ::= [z-a]", "test.gbnf:1:14: error: the range z-a has its larger character first"),
      ("root ::= (\"a\"", "test.gbnf:1:14: error: expected ')', found the end of the grammar"),
      ("root ::= \"a\" )", "test.gbnf:1:14: error: expected the end of the line, found ')'"),
      ("root := \"a\"", "test.gbnf:1:6: error: expected '::=' behind the name of a rule, found ':'"),
      (
        "root ::= <think>",
        "test.gbnf:1:10: error: tokens such as <think> are not supported in grammars; write the text itself in quotes"
      ),
      (
        "root ::= \"\\q\"",
        "test.gbnf:1:12: error: there is no escape '\\q'; there are \\n \\r \\t \\\\ \\\" \\[ \\] \\- \\xNN \\uNNNN \\UNNNNNNNN"
      ),
      (
        "root ::= \"a\" root",
        "test.gbnf: error: no text matches: every way ends in a contradiction, or goes on without end"
      ),
      (
        "root ::= root \"a\" | \"a\"",
        "test.gbnf: error: the grammar is left-recursive: 'root' → 'root' without a character between; write the repetition "
          + "behind, as in a ::= b (\"+\" b)*"
      ),
    ])
  func mistakes(text: String, sentence: String) {
    #expect(problem { try grammar(text) } == sentence)
  }

  @Test("left recursion is found behind what can be empty, and through several rules")
  func hiddenLeftRecursion() {
    let text = "root ::= a \"x\"\na ::= b? c\nb ::= \"b\"\nc ::= (\"\" | \"q\") a | \"z\""
    #expect(problem { try grammar(text) }.contains("left-recursive: 'c' → 'c'"))
    #expect(problem { try grammar("root ::= (\"\"{0,5} root)* \"a\"") }.contains("left-recursive"))
  }

  private static func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

  private static let doubling: String = {
    let rules = (0..<60).map { "a\($0) ::= a\($0 + 1) a\($0 + 1)\n" }
    return "root ::= a0\n" + rules.joined() + "a60 ::= \"a\""
  }()

  private static let manyStars: String = {
    let items = (0..<2000).map { $0 % 2 == 0 ? "\"a\"* [ab]*" : "\"a\"*" }
    return "root ::= " + items.joined(separator: " ")
  }()

  private static let hostileTexts: [String] = [
    "root ::= " + repeated("(", 5000) + "\"a\"" + repeated(")", 5000),
    "root ::= " + repeated("(", 90) + "\"a\"" + repeated(")*", 90),
    "root ::= ((((\"a\"{0,1000}){0,1000}){0,1000}){0,1000}){0,1000}",
    "root ::= (\"a\"?){0,1000000000}",
    "root ::= (\"\"){1000000000} \"a\"",
    "root ::= \"a\"{1000000000}",
    doubling, manyStars,
    "root ::= s\ns ::= \"a\" s s | \"\"",
    "root ::= s*\ns ::= \"a\" s* | \"a\" s* \"a\" | \"a\"",
  ]

  @Test("hostile grammars end, by a sentence or by a result", arguments: hostileTexts)
  func hostile(text: String) {
    do {
      let grammar = TokenGrammar(try grammar(text), bytes)
      let matcher = try grammar.matcher()
      for _ in 0..<60 where !matcher.isFinished {
        guard try matcher.mask()[0x61], try matcher.accept(0x61) else { break }
      }
    } catch { #expect(error is GrammarProblem) }
  }
}
