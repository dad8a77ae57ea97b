extension Parser {
  /// An expression, or several with commas between them.
  mutating func tuple(condition: Bool = true, ends: [String] = [], isInParentheses: Bool = false) throws(TemplateFault)
    -> Expression
  {
    let line = current.line
    var items: [Expression] = []
    var isTuple = false
    while true {
      if isTuple || isInParentheses, isTupleEnd(ends) { break }
      items.append(condition ? try expression() : try disjunction())
      guard take(",") else { break }
      isTuple = true
    }
    if !isTuple, let only = items.first { return only }
    return Expression(line: line, kind: .tuple(items))
  }

  private func isTupleEnd(_ ends: [String]) -> Bool {
    switch current.kind {
    case .variableEnd, .blockEnd, .symbol(")"): true
    case .name(let name): ends.contains(name)
    default: false
    }
  }

  /// One expression: `a if test else b` and what binds closer.
  mutating func expression() throws(TemplateFault) -> Expression {
    try nested { parser throws(TemplateFault) in
      let line = parser.current.line
      let known = parser.unknown.count
      var value = try parser.disjunction()
      var links = 0
      while parser.take(name: "if") {
        try parser.link(&links)
        let test = try parser.disjunction()
        let otherwise = parser.take(name: "else") ? try parser.expression() : nil
        parser.unknown.removeLast(parser.unknown.count - known)
        value = Expression(line: line, kind: .condition(test, then: value, otherwise: otherwise))
      }
      return value
    }
  }

  mutating func disjunction() throws(TemplateFault) -> Expression {
    var left = try conjunction()
    var links = 0
    while true {
      let line = current.line
      guard take(name: "or") else { return left }
      try link(&links)
      left = Expression(line: line, kind: .or(left, try conjunction()))
    }
  }

  private mutating func conjunction() throws(TemplateFault) -> Expression {
    var left = try negation()
    var links = 0
    while true {
      let line = current.line
      guard take(name: "and") else { return left }
      try link(&links)
      left = Expression(line: line, kind: .and(left, try negation()))
    }
  }

  private mutating func negation() throws(TemplateFault) -> Expression {
    let line = current.line
    guard take(name: "not") else { return try comparison() }
    return try nested { parser throws(TemplateFault) in
      Expression(line: line, kind: .not(try parser.negation()))
    }
  }

  private mutating func comparison() throws(TemplateFault) -> Expression {
    let line = current.line
    let left = try sum()
    var rest: [(how: Comparison, with: Expression)] = []
    while true {
      let how: Comparison
      switch current.kind {
      case .symbol(let text):
        guard let found = Comparison(rawValue: text) else {
          return rest.isEmpty ? left : Expression(line: line, kind: .comparison(left, rest))
        }
        how = found
      case .name("in"): how = .isIn
      case .name("not") where following.kind == .name("in"):
        advance()
        how = .isNotIn
      default: return rest.isEmpty ? left : Expression(line: line, kind: .comparison(left, rest))
      }
      advance()
      rest.append((how, try sum()))
    }
  }

  private mutating func sum() throws(TemplateFault) -> Expression {
    var left = try joined()
    var links = 0
    while true {
      let line = current.line
      guard let how = take("+") ? BinaryOperator.add : take("-") ? .subtract : nil else { return left }
      try link(&links)
      left = Expression(line: line, kind: .binary(how, left, try joined()))
    }
  }

  private mutating func joined() throws(TemplateFault) -> Expression {
    let line = current.line
    var parts = [try product()]
    while take("~") { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : Expression(line: line, kind: .joined(parts))
  }

  private mutating func product() throws(TemplateFault) -> Expression {
    var left = try power()
    var links = 0
    while true {
      let line = current.line
      guard case .symbol(let text) = current.kind, ["*", "/", "//", "%"].contains(text),
        let how = BinaryOperator(rawValue: text)
      else { return left }
      try link(&links)
      advance()
      left = Expression(line: line, kind: .binary(how, left, try power()))
    }
  }

  private mutating func power() throws(TemplateFault) -> Expression {
    var left = try unary(withFilters: true)
    var links = 0
    while true {
      let line = current.line
      guard take("**") else { return left }
      try link(&links)
      left = Expression(line: line, kind: .binary(.power, left, try unary(withFilters: true)))
    }
  }

  private mutating func unary(withFilters: Bool) throws(TemplateFault) -> Expression {
    let line = current.line
    var value: Expression
    if take("-") {
      value = Expression(
        line: line,
        kind: .negative(try nested { parser throws(TemplateFault) in try parser.unary(withFilters: false) }))
    } else if take("+") {
      value = Expression(
        line: line,
        kind: .positive(try nested { parser throws(TemplateFault) in try parser.unary(withFilters: false) }))
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return withFilters ? try filtersAndTests(value) : value
  }

  mutating func primary() throws(TemplateFault) -> Expression {
    let token = current
    let line = token.line
    switch token.kind {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return Expression(line: line, kind: .bool(true))
      case "false", "False": return Expression(line: line, kind: .bool(false))
      case "none", "None": return Expression(line: line, kind: .none)
      default:
        if !macros.isEmpty { for at in macros.indices { macros[at].insert(name) } }
        return Expression(line: line, kind: .name(symbols.number(of: name)))
      }
    case .string(let text):
      advance()
      var text = text
      while case .string(let more) = current.kind {
        text += more
        advance()
      }
      return Expression(line: line, kind: .string(text))
    case .integer(let value):
      advance()
      return Expression(line: line, kind: .int(value))
    case .float(let value):
      advance()
      return Expression(line: line, kind: .float(value))
    case .symbol("("):
      advance()
      let value = try nested { parser throws(TemplateFault) in try parser.tuple(isInParentheses: true) }
      try expect(")")
      return value
    case .symbol("["):
      advance()
      var items: [Expression] = []
      while current.kind != .symbol("]") {
        if !items.isEmpty { try expect(",") }
        if case .symbol("]") = current.kind { break }
        items.append(try expression())
      }
      advance()
      return Expression(line: line, kind: .list(items))
    case .symbol("{"):
      advance()
      return Expression(line: line, kind: .mapping(try members()))
    default: throw fault("an expression is expected, \(token.words) found")
    }
  }

  private mutating func members() throws(TemplateFault) -> [(key: Expression, value: Expression)] {
    var members: [(key: Expression, value: Expression)] = []
    while current.kind != .symbol("}") {
      if !members.isEmpty { try expect(",") }
      if case .symbol("}") = current.kind { break }
      let key = try expression()
      try expect(":")
      members.append((key, try expression()))
    }
    advance()
    return members
  }

  mutating func postfix(_ start: Expression) throws(TemplateFault) -> Expression {
    var value = start
    var links = 0
    while true {
      let line = current.line
      switch current.kind {
      case .symbol("."):
        try link(&links)
        advance()
        if case .integer(let index) = current.kind {
          advance()
          value = Expression(line: line, kind: .item(of: value, at: Expression(line: line, kind: .int(index))))
        } else {
          value = Expression(line: line, kind: .attribute(of: value, name: try expectName()))
        }
      case .symbol("["):
        try link(&links)
        value = try subscripted(value)
      case .symbol("("):
        try link(&links)
        value = Expression(line: line, kind: .call(value, try arguments()))
      default: return value
      }
    }
  }

  private mutating func subscripted(_ value: Expression) throws(TemplateFault) -> Expression {
    let line = current.line
    advance()
    var first: Expression?
    if current.kind != .symbol(":") {
      let index = try expression()
      if take("]") { return Expression(line: line, kind: .item(of: value, at: index)) }
      if take(",") {
        var items = [index]
        while current.kind != .symbol("]") {
          items.append(try expression())
          if current.kind != .symbol("]") { try expect(",") }
        }
        advance()
        return Expression(line: line, kind: .item(of: value, at: Expression(line: line, kind: .tuple(items))))
      }
      first = index
    }
    try expect(":")
    var (last, step): (Expression?, Expression?) = (nil, nil)
    if current.kind != .symbol(":"), current.kind != .symbol("]") { last = try expression() }
    if take(":"), current.kind != .symbol("]") { step = try expression() }
    try expect("]")
    return Expression(line: line, kind: .slice(of: value, from: first, to: last, by: step))
  }
}
