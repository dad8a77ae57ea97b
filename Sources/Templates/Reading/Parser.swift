/// Makes statements and expressions of tokens, as `jinja2/parser.py` does.
struct Parser {
  private let tokens: [Token]
  private var place = 0
  private var nesting = 0
  var symbols = SymbolTable()
  /// Loops around what is read; nil inside a macro without one.
  var loops = 0
  /// Inside `if` a filter that nobody knows is an error only when it is reached, as in Jinja.
  var branches = 0
  /// Filters and tests that nobody knows, where they are certain to be reached.
  var unknown: [TemplateFault] = []
  /// Which of the special names the macros around were seen to use.
  var macros: [Set<String>] = []

  init(_ tokens: [Token]) { self.tokens = tokens }

  /// The whole template.
  mutating func template() throws(TemplateFault) -> [Statement] {
    let body = try statements(until: [])
    guard case .end = current.kind else { throw unexpected() }
    if let first = unknown.first { throw first }
    return body
  }

  var current: Token { tokens[place] }
  var following: Token { tokens[min(place + 1, tokens.count - 1)] }

  mutating func advance() { if place < tokens.count - 1 { place += 1 } }

  /// Takes the symbol `text` when it is next.
  mutating func take(_ text: String) -> Bool {
    guard current.kind == .symbol(text) else { return false }
    advance()
    return true
  }

  /// Takes the word `name` when it is next.
  mutating func take(name: String) -> Bool {
    guard current.kind == .name(name) else { return false }
    advance()
    return true
  }

  mutating func expect(_ text: String) throws(TemplateFault) {
    if !take(text) { throw fault("'\(text)' is expected, \(current.words) found") }
  }

  mutating func expectName() throws(TemplateFault) -> String {
    guard case .name(let name) = current.kind else { throw fault("a name is expected, \(current.words) found") }
    advance()
    return name
  }

  mutating func expectBlockEnd() throws(TemplateFault) {
    guard case .blockEnd = current.kind else { throw fault("'%}' is expected, \(current.words) found") }
    advance()
  }

  func fault(_ sentence: String) -> TemplateFault { TemplateFault(sentence, kind: .syntax, line: current.line) }

  func unexpected() -> TemplateFault { fault("\(current.words) is not expected here") }

  /// Notes one more operator, filter or attribute in a row: each stands in the next, as deep as parentheses would.
  func link(_ links: inout Int) throws(TemplateFault) {
    links += 1
    guard links <= TemplateLimits.chain else {
      throw TemplateFault(
        "more than \(TemplateLimits.chain) operators or filters stand in a row", kind: .limit, line: current.line)
    }
  }

  /// Reads one level deeper.
  mutating func nested<T>(_ read: (inout Parser) throws(TemplateFault) -> T) throws(TemplateFault) -> T {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= TemplateLimits.nesting else {
      throw TemplateFault(
        "expressions or statements stand more than \(TemplateLimits.nesting) deep in one another", kind: .limit,
        line: current.line)
    }
    return try read(&self)
  }
}

/// The names of a template, each with a number.
struct SymbolTable {
  private(set) var names: [String] = []
  private var numbers: [String: Int] = [:]

  /// The number of `name`.
  mutating func number(of name: String) -> Int {
    if let number = numbers[name] { return number }
    numbers[name] = names.count
    names.append(name)
    return names.count - 1
  }
}
