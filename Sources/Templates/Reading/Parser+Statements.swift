extension Parser {
  /// Statements until a block that begins with one of `ends`, whose word is then the current token; at the end of the
  /// template when there are none.
  mutating func statements(until ends: [String]) throws(TemplateFault) -> [Statement] {
    try nested { parser throws(TemplateFault) in
      var list: [Statement] = []
      while true {
        let token = parser.current
        switch token.kind {
        case .data(let text):
          parser.advance()
          list.append(Statement(line: token.line, kind: .text(text)))
        case .variableBegin:
          parser.advance()
          let value = try parser.tuple()
          guard case .variableEnd = parser.current.kind else {
            throw parser.fault("'}}' is expected, \(parser.current.words) found")
          }
          parser.advance()
          list.append(Statement(line: token.line, kind: .output(value)))
        case .blockBegin:
          parser.advance()
          if case .name(let name) = parser.current.kind, ends.contains(name) { return list }
          list.append(try parser.statement())
        case .end:
          if ends.isEmpty { return list }
          throw parser.fault("the template ends where '{% \(ends[ends.count - 1]) %}' is expected")
        default: throw parser.unexpected()
        }
      }
    }
  }

  /// The body of a block, with its end.
  private mutating func body(until end: String) throws(TemplateFault) -> [Statement] {
    try expectBlockEnd()
    let list = try statements(until: [end])
    advance()
    try expectBlockEnd()
    return list
  }

  private mutating func statement() throws(TemplateFault) -> Statement {
    let line = current.line
    let word = try expectName()
    switch word {
    case "if": return Statement(line: line, kind: try conditional())
    case "for": return Statement(line: line, kind: try loop())
    case "set": return Statement(line: line, kind: try assignment())
    case "macro": return Statement(line: line, kind: try macro())
    case "call":
      var signature = MacroSignature()
      if case .symbol("(") = current.kind { signature = try self.signature() }
      let call = try expression()
      guard case .call = call.kind else { throw TemplateFault("'call' takes a call", kind: .syntax, line: line) }
      let content = try macroBody(&signature, until: "endcall")
      return Statement(line: line, kind: .call(signature, call, body: content))
    case "filter":
      let filter = try filters(of: nil, startsInline: true)
      return Statement(line: line, kind: .filterBlock(filter, body: try body(until: "endfilter")))
    case "with":
      var values: [(target: AssignmentTarget, value: Expression)] = []
      while current.kind != .blockEnd {
        if !values.isEmpty { try expect(",") }
        let target = try target(several: true, inNamespace: false)
        try expect("=")
        values.append((target, try expression()))
      }
      return Statement(line: line, kind: .with(values, body: try body(until: "endwith")))
    case "generation":
      var unused = MacroSignature()
      return Statement(line: line, kind: .generation(try macroBody(&unused, until: "endgeneration")))
    case "print":
      let value = try tuple()
      try expectBlockEnd()
      return Statement(line: line, kind: .output(value))
    case "break", "continue":
      guard loops > 0 else { throw TemplateFault("'\(word)' stands in no loop", kind: .syntax, line: line) }
      try expectBlockEnd()
      return Statement(line: line, kind: word == "break" ? .leave : .next)
    case "include", "extends", "import", "from", "block", "autoescape", "do", "trans", "debug":
      throw TemplateFault("the statement '\(word)' cannot be evaluated in a chat template", kind: .syntax, line: line)
    default:
      throw TemplateFault("there is no statement '\(word.prefix(60))'", kind: .syntax, line: line)
    }
  }

  private mutating func conditional() throws(TemplateFault) -> Statement.Kind {
    branches += 1
    defer { branches -= 1 }
    var list: [(test: Expression, body: [Statement])] = []
    while true {
      let test = try tuple(condition: false)
      try expectBlockEnd()
      list.append((test, try statements(until: ["elif", "else", "endif"])))
      let word = try expectName()
      if word == "elif" { continue }
      var otherwise: [Statement] = []
      if word == "else" {
        otherwise = try body(until: "endif")
      } else {
        try expectBlockEnd()
      }
      return .branches(list, otherwise: otherwise)
    }
  }

  private mutating func loop() throws(TemplateFault) -> Statement.Kind {
    let target = try target(several: true, inNamespace: false)
    guard take(name: "in") else { throw fault("'in' is expected, \(current.words) found") }
    let items = try tuple(condition: false, ends: ["recursive"])
    let test = take(name: "if") ? try expression() : nil
    let isRecursive = take(name: "recursive")
    try expectBlockEnd()
    loops += 1
    let content = try statements(until: ["endfor", "else"])
    loops -= 1
    var otherwise: [Statement] = []
    if try expectName() == "else" { otherwise = try body(until: "endfor") } else { try expectBlockEnd() }
    return .loop(
      ForLoop(
        target: target, items: items, test: test, isRecursive: isRecursive, body: content, otherwise: otherwise))
  }

  private mutating func assignment() throws(TemplateFault) -> Statement.Kind {
    let target = try target(several: true, inNamespace: true)
    if take("=") {
      let value = try tuple()
      try expectBlockEnd()
      return .set(target, value)
    }
    var filter: Expression?
    if case .symbol("|") = current.kind { filter = try filters(of: nil, startsInline: false) }
    return .setBlock(target, filter: filter, body: try body(until: "endset"))
  }

  private mutating func macro() throws(TemplateFault) -> Statement.Kind {
    let name = symbols.number(of: try expectName())
    var signature = try signature()
    let content = try macroBody(&signature, until: "endmacro")
    return .macro(name: name, signature, body: content)
  }

  private mutating func macroBody(_ signature: inout MacroSignature, until end: String) throws(TemplateFault)
    -> [Statement]
  {
    macros.append([])
    let outer = loops
    loops = 0
    defer { loops = outer }
    let content = try body(until: end)
    let used = macros.removeLast()
    signature.usesCaller = used.contains("caller")
    signature.usesNamed = used.contains("kwargs")
    signature.usesPositional = used.contains("varargs")
    return content
  }

  private mutating func signature() throws(TemplateFault) -> MacroSignature {
    var signature = MacroSignature()
    try expect("(")
    while current.kind != .symbol(")") {
      if !signature.parameters.isEmpty { try expect(",") }
      signature.parameters.append(symbols.number(of: try expectName()))
      if take("=") {
        signature.defaults.append(try expression())
      } else if !signature.defaults.isEmpty {
        throw fault("a parameter without a default stands behind one with a default")
      }
    }
    advance()
    return signature
  }

  /// What is assigned to: a name, several, or a namespace's attribute.
  private mutating func target(several: Bool, inNamespace: Bool) throws(TemplateFault) -> AssignmentTarget {
    var list: [AssignmentTarget] = []
    var isTuple = false
    while true {
      if isTuple, isTargetEnd { break }
      list.append(try oneTarget(inNamespace: inNamespace))
      guard several, take(",") else { break }
      isTuple = true
    }
    return isTuple ? .several(list) : list[0]
  }

  private var isTargetEnd: Bool {
    switch current.kind {
    case .symbol(")"), .symbol("="), .blockEnd, .name("in"): true
    default: false
    }
  }

  private mutating func oneTarget(inNamespace: Bool) throws(TemplateFault) -> AssignmentTarget {
    if take("(") {
      let inner = try nested { parser throws(TemplateFault) in
        try parser.target(several: true, inNamespace: inNamespace)
      }
      try expect(")")
      return inner
    }
    let line = current.line
    let name = try expectName()
    guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
      throw TemplateFault("nothing can be assigned to '\(name)'", kind: .syntax, line: line)
    }
    if inNamespace, take(".") { return .attribute(of: symbols.number(of: name), name: try expectName()) }
    return .name(symbols.number(of: name))
  }
}
