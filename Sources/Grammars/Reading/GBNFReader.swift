/// Reads a grammar in GBNF, the notation of llama.cpp (`grammars/README.md` of ggml-org/llama.cpp).
///
///     root ::= "yes" | "no" [ \t]* digits{1,3}      # a comment
///     digits ::= [0-9] | "(" digits ")"
///
/// A rule is `name ::= alternatives`; an item is a text in quotes, a class of characters, `.`, a name or a group, with
/// `* + ? {m} {m,} {m,n}` behind it. Line ends separate rules outside of groups and behind `|`.
///
/// A careful reader's mistake: `\x41` is a character, not a byte.
struct GBNFReader {
  private let text: [Unicode.Scalar]
  private let name: String
  private var at = 0
  private var depth = 0
  private var numbers: [String: Int] = [:]
  private var rules: [Grammar.Rule] = []
  /// By rule: where it was first used, and whether it is defined.
  private var uses: [Int] = []
  private var isDefined: [Bool] = []

  static let largestText = 4 << 20
  private static let depthLimit = 100

  init(_ text: String, name: String) {
    self.text = Array(text.unicodeScalars)
    self.name = name
  }

  /// The rules, `root` first.
  mutating func read() throws(GrammarProblem) -> [Grammar.Rule] {
    guard text.count <= Self.largestText else {
      throw problem("the grammar has more than \(Self.largestText) characters")
    }
    _ = number(of: "root")
    skipSpace(lines: true)
    while at < text.count { try rule() }
    guard isDefined[0] else {
      throw .unusable(name: name, sentence: "the grammar has no rule 'root', which it begins with")
    }
    for rule in rules.indices where !isDefined[rule] {
      at = uses[rule]
      throw problem("no rule is named '\(rules[rule].name)'")
    }
    return rules
  }

  private mutating func number(of name: String) -> Int {
    if let number = numbers[name] { return number }
    numbers[name] = rules.count
    rules.append(Grammar.Rule(name: name, expression: .nothing))
    uses.append(at)
    isDefined.append(false)
    return rules.count - 1
  }

  private mutating func rule() throws(GrammarProblem) {
    let start = at
    guard let word = word() else { throw problem("expected the name of a rule, found \(found)") }
    skipSpace(lines: false)
    guard take("::=") else { throw problem("expected '::=' behind the name of a rule, found \(found)") }
    let rule = number(of: word)
    guard !isDefined[rule] else {
      at = start
      throw problem("the rule '\(word)' is defined twice")
    }
    isDefined[rule] = true
    skipSpace(lines: true)
    rules[rule].expression = try alternatives()
    guard at >= text.count || isLineEnd else { throw problem("expected the end of the line, found \(found)") }
    skipSpace(lines: true)
  }

  private mutating func alternatives() throws(GrammarProblem) -> Expression {
    var parts = [try sequence()]
    while take("|") {
      skipSpace(lines: true)
      parts.append(try sequence())
    }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func sequence() throws(GrammarProblem) -> Expression {
    var parts: [Expression] = []
    while at < text.count {
      switch text[at] {
      case "\"": parts.append(try quoted())
      case "[": parts.append(try characterClass())
      case ".":
        at += 1
        parts.append(.scalars(.all))
      case "(": parts.append(try group())
      case "*", "+", "?", "{":
        guard let last = parts.popLast() else {
          throw problem("\(found) repeats what stands before it, and nothing does")
        }
        parts.append(try repetition(of: last))
      case "<", "!":
        throw problem("tokens such as <think> are not supported in grammars; write the text itself in quotes")
      case let scalar where Self.isName(scalar):
        let start = at
        guard let word = word() else { break }
        let end = at
        skipSpace(lines: false)
        // The next rule, where a line end was forgotten.
        if text[at...].starts(with: "::=".unicodeScalars) {
          at = start
          throw problem("the rule '\(word)' begins on the line of another")
        }
        at = start
        parts.append(.rule(number(of: word)))
        at = end
      default: return joined(parts)
      }
      skipSpace(lines: depth > 0)
    }
    return joined(parts)
  }

  private func joined(_ parts: [Expression]) -> Expression {
    parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
  }

  private mutating func group() throws(GrammarProblem) -> Expression {
    at += 1
    depth += 1
    guard depth <= Self.depthLimit else { throw problem("groups are more than \(Self.depthLimit) deep") }
    skipSpace(lines: true)
    let inner = try alternatives()
    guard take(")") else { throw problem("expected ')', found \(found)") }
    depth -= 1
    return inner
  }

  private mutating func repetition(of item: Expression) throws(GrammarProblem) -> Expression {
    let sign = text[at]
    at += 1
    switch sign {
    case "*": return .repeated(item, minimum: 0, maximum: nil)
    case "+": return .repeated(item, minimum: 1, maximum: nil)
    case "?": return .repeated(item, minimum: 0, maximum: 1)
    default: break
    }
    skipSpace(lines: depth > 0)
    let minimum = try integer()
    skipSpace(lines: depth > 0)
    var maximum: Int? = minimum
    if take(",") {
      skipSpace(lines: depth > 0)
      maximum = at < text.count && text[at].isDigit ? try integer() : nil
      skipSpace(lines: depth > 0)
    }
    guard take("}") else { throw problem("expected '}', found \(found)") }
    if let maximum, maximum < minimum { throw problem("{\(minimum),\(maximum)} has its larger number first") }
    return .repeated(item, minimum: minimum, maximum: maximum)
  }

  private mutating func integer() throws(GrammarProblem) -> Int {
    var digits = ""
    while at < text.count, text[at].isDigit {
      digits.unicodeScalars.append(text[at])
      at += 1
    }
    if digits.isEmpty { throw problem("expected an integer, found \(found)") }
    guard let value = Int(digits), value <= 1_000_000_000 else {
      throw problem("at most 1000000000 repetitions are counted")
    }
    return value
  }

  private mutating func quoted() throws(GrammarProblem) -> Expression {
    at += 1
    var string = ""
    while at < text.count, text[at] != "\"" {
      if text[at] == "\n" { throw problem("a text in quotes ends on its line; a line end in it is written \\n") }
      string.unicodeScalars.append(try character())
    }
    guard take("\"") else { throw problem("a text in quotes does not end") }
    return .text(string)
  }

  private mutating func characterClass() throws(GrammarProblem) -> Expression {
    at += 1
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    while at < text.count, text[at] != "]" {
      let first = try character()
      if at + 1 < text.count, text[at] == "-", text[at + 1] != "]" {
        at += 1
        let last = try character()
        guard first.value <= last.value else {
          throw problem("the range \(first)-\(last) has its larger character first")
        }
        ranges.append(first.value...last.value)
      } else {
        ranges.append(first.value...first.value)
      }
    }
    guard take("]") else { throw problem("a class of characters does not end") }
    let set = ScalarSet(ranges)
    return .scalars(isNegated ? set.complement : set)
  }

  /// A character, or the one that an escape stands for.
  private mutating func character() throws(GrammarProblem) -> Unicode.Scalar {
    let scalar = text[at]
    at += 1
    guard scalar == "\\" else { return scalar }
    guard at < text.count else { throw problem("an escape does not end") }
    let letter = text[at]
    at += 1
    switch letter {
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "\\", "\"", "[", "]", "-", "^": return letter
    case "x": return try hexadecimal(2)
    case "u": return try hexadecimal(4)
    case "U": return try hexadecimal(8)
    default:
      at -= 1
      throw problem(
        "there is no escape '\\\(letter)'; there are \\n \\r \\t \\\\ \\\" \\[ \\] \\- \\xNN \\uNNNN \\UNNNNNNNN")
    }
  }

  private mutating func hexadecimal(_ count: Int) throws(GrammarProblem) -> Unicode.Scalar {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard at < text.count, let digit = Character(text[at]).hexDigitValue else {
        throw problem("expected \(count) hexadecimal digits, found \(found)")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw problem("there is no character U+\(String(value, radix: 16))")
    }
    return scalar
  }

  private static func isName(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || scalar.isDigit || scalar == "-" || scalar == "_")
  }

  private mutating func word() -> String? {
    var word = ""
    while at < text.count, Self.isName(text[at]) {
      word.unicodeScalars.append(text[at])
      at += 1
    }
    return word.isEmpty ? nil : word
  }

  private mutating func take(_ word: String) -> Bool {
    guard text[min(at, text.count)...].starts(with: word.unicodeScalars) else { return false }
    at += word.unicodeScalars.count
    return true
  }

  private var isLineEnd: Bool { text[at] == "\n" || text[at] == "\r" }

  private mutating func skipSpace(lines: Bool) {
    while at < text.count {
      switch text[at] {
      case " ", "\t": at += 1
      case "\n", "\r":
        guard lines else { return }
        at += 1
      case "#": while at < text.count, !isLineEnd { at += 1 }
      default: return
      }
    }
  }

  private var found: String {
    at < text.count ? isLineEnd ? "the end of the line" : "'\(text[at])'" : "the end of the grammar"
  }

  private func problem(_ sentence: String) -> GrammarProblem {
    let before = text[..<min(at, text.count)]
    let line = before.count { $0 == "\n" } + 1
    let column = before.count - (before.lastIndex(of: "\n").map { $0 + 1 } ?? 0) + 1
    return .syntax(name: name, line: line, column: column, sentence: sentence)
  }
}
