import Settings

/// Reads a formula's text: numbers, `x`, scalars, `+ - * / ^`, comparisons inside `if`, and functions.
///
///     sum     = product {("+" | "-") product}
///     product = signed {("*" | "/") signed}
///     signed  = ["-" | "+"] power
///     power   = atom ["^" signed]
///     atom    = number | name | name "(" sum {"," sum} ")" | "(" sum ")"
///
/// As in mathematics, −x^2 is −(x^2) and 2^3^2 is 2^9.
struct FormulaReader {
  private let characters: [Character]
  private let scalars: [String]
  private var position = 0
  private var depth = 0
  var graph = FormulaGraph()

  /// Texts longer than this are refused, and so is deeper nesting.
  static let lengthLimit = 2000
  private static let depthLimit = 128  // two for each parenthesis

  init(_ text: String, scalars: [String]) throws(FormulaProblem) {
    guard text.utf8.count <= Self.lengthLimit else {
      throw FormulaProblem("has \(text.utf8.count) characters; \(Self.lengthLimit) are allowed")
    }
    characters = Array(text)
    self.scalars = scalars
  }

  /// The node that the whole text stands for.
  mutating func read() throws(FormulaProblem) -> Int {
    let node = try sum()
    if let next = peek() {
      throw problem("ends before '\(next)'", hint: next == ")" ? "there is no '(' for it" : "an operator is missing")
    }
    return node
  }

  private mutating func peek() -> Character? {
    while position < characters.count, characters[position].isWhitespace { position += 1 }
    return position < characters.count ? characters[position] : nil
  }

  private mutating func take(_ wanted: Character) -> Bool {
    guard peek() == wanted else { return false }
    position += 1
    return true
  }

  private func problem(_ sentence: String, at start: Int? = nil, hint: String? = nil) -> FormulaProblem {
    FormulaProblem(sentence, at: (start ?? position) + 1, hint: hint)
  }

  private mutating func sum() throws(FormulaProblem) -> Int {
    depth += 1
    defer { depth -= 1 }
    if depth > Self.depthLimit { throw problem("is nested too deeply") }
    var node = try product()
    while true {
      if take("+") {
        node = graph.apply(.add, node, try product())
      } else if take("-") {
        node = graph.apply(.subtract, node, try product())
      } else {
        return node
      }
    }
  }

  private mutating func product() throws(FormulaProblem) -> Int {
    var node = try signed()
    while true {
      if take("*") {
        let factor = try signed()
        node = graph.apply(.multiply, node, factor)
      } else if take("/") {
        let divisor = try signed()
        node = graph.apply(.divide, node, divisor)
      } else {
        return node
      }
    }
  }

  private mutating func signed() throws(FormulaProblem) -> Int {
    depth += 1
    defer { depth -= 1 }
    if depth > Self.depthLimit { throw problem("is nested too deeply") }
    if take("-") { return graph.apply(.subtract, graph.number(0), try signed()) }
    if take("+") { return try signed() }
    let base = try atom()
    guard take("^") else { return base }
    let start = position
    let exponent = try signed()
    return try power(base, exponent, at: start)
  }

  /// Whole powers up to 16 by multiplication, ½ as a root, any other fixed power as exp(b·ln a).
  private mutating func power(_ base: Int, _ exponent: Int, at start: Int) throws(FormulaProblem) -> Int {
    if case .number(let value) = graph.nodes[exponent] {
      if value == 0.5 { return graph.apply(.root, base) }
      if value.rounded() == value, abs(value) <= 16 {
        var result = graph.number(1)
        for _ in 0..<Int(abs(value)) { result = graph.apply(.multiply, result, base) }
        return value < 0 ? graph.apply(.divide, graph.number(1), result) : result
      }
    }
    return graph.apply(.exponential, graph.apply(.multiply, exponent, graph.apply(.logarithm, base)))
  }

  private mutating func atom() throws(FormulaProblem) -> Int {
    guard let first = peek() else { throw problem("ends where a number, 'x' or a function should stand") }
    let start = position
    if take("(") {
      let node = try sum()
      if !take(")") { throw problem("lacks a ')'", hint: "for the '(' at character \(start + 1)") }
      return node
    }
    if first.isASCII, first.isNumber || first == "." { return try number() }
    guard first.isLetter else {
      throw problem("has '\(first)' where a number, 'x' or a function should stand")
    }
    while position < characters.count,
      characters[position].isLetter || characters[position].isNumber || characters[position] == "_"
    {
      position += 1
    }
    let name = String(characters[start..<position])
    if take("(") { return try call(name, at: start) }
    if name == "x" { return graph.variable() }
    if let index = scalars.firstIndex(of: name) { return graph.scalar(index) }
    if name == "pi" { return graph.number(.pi) }
    let known = ["x", "pi"] + scalars
    let hint: String
    if FormulaFunction(rawValue: name) != nil {
      hint = "a function is followed by '('"
    } else if let near = nearestName(to: name, in: name.count > 1 ? known : scalars) {
      hint = "did you mean '\(near)'?"
    } else {
      hint = "the variable is 'x'; a trained number is named beside the formula: 'scalars: {\(name): 1.0}'"
    }
    throw problem("knows nothing named '\(name)'", at: start, hint: hint)
  }

  private mutating func number() throws(FormulaProblem) -> Int {
    let start = position
    func isDigit(_ index: Int) -> Bool {
      index < characters.count && characters[index].isASCII && characters[index].isNumber
    }
    while isDigit(position) || (position < characters.count && characters[position] == ".") { position += 1 }
    if position < characters.count, characters[position] == "e" || characters[position] == "E" {
      let sign = position + 1 < characters.count && "+-".contains(characters[position + 1]) ? 1 : 0
      if isDigit(position + 1 + sign) {
        position += 1 + sign
        while isDigit(position) { position += 1 }
      }
    }
    let text = String(characters[start..<position])
    guard let value = Double(text), value.isFinite else { throw problem("has no number '\(text)'", at: start) }
    return graph.number(value)
  }

  private mutating func call(_ name: String, at start: Int) throws(FormulaProblem) -> Int {
    guard let function = FormulaFunction(rawValue: name) else {
      let names = FormulaFunction.allCases.map(\.rawValue)
      let hint = nearestName(to: name, in: names).map { "did you mean '\($0)'?" } ?? "there are " + list(names)
      throw problem("knows no function '\(name)'", at: start, hint: hint)
    }
    var arguments: [Int] = []
    if function == .choose { arguments.append(try condition()) } else { arguments.append(try sum()) }
    while take(",") { arguments.append(try sum()) }
    if !take(")") { throw problem("lacks a ')'", hint: "for the '(' of '\(name)'") }
    guard arguments.count == function.argumentCount else {
      throw problem(
        "gives '\(name)' \(arguments.count) argument\(arguments.count == 1 ? "" : "s"), not \(function.argumentCount)",
        at: start,
        hint: function.usage)
    }
    return function.write(arguments, into: &graph)
  }

  /// `a > b` or `a < b`, as a node that is above zero where it holds.
  private mutating func condition() throws(FormulaProblem) -> Int {
    let left = try sum()
    if take(">") { return graph.apply(.subtract, left, try sum()) }
    if take("<") {
      let right = try sum()
      return graph.apply(.subtract, right, left)
    }
    throw problem("lacks '>' or '<' in the condition of 'if'", hint: FormulaFunction.choose.usage)
  }
}
