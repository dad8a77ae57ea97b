extension Parser {
  /// What follows a value: filters, tests and calls.
  mutating func filtersAndTests(_ start: Expression) throws(TemplateFault) -> Expression {
    var value = start
    var links = 0
    while true {
      try link(&links)
      let line = current.line
      switch current.kind {
      case .symbol("|"): value = try filters(of: value, startsInline: false)
      case .name("is"): value = try test(of: value)
      case .symbol("("): value = Expression(line: line, kind: .call(value, try arguments()))
      default: return value
      }
    }
  }

  /// A chain of filters; with `startsInline` the first has no bar before it.
  mutating func filters(of start: Expression?, startsInline: Bool) throws(TemplateFault) -> Expression {
    var value = start
    var isInline = startsInline
    var links = 0
    while true {
      if !isInline, !take("|") { break }
      try link(&links)
      isInline = false
      let line = current.line
      let name = try dottedName()
      if branches == 0, !Filters.names.contains(name) {
        unknown.append(TemplateFault(Filters.unknown(name), kind: .syntax, line: line))
      }
      var given = CallArguments()
      if case .symbol("(") = current.kind { given = try arguments() }
      value = Expression(line: line, kind: .filter(value, name: name, given))
    }
    guard let value else { throw unexpected() }
    return value
  }

  private mutating func dottedName() throws(TemplateFault) -> String {
    var name = try expectName()
    while take(".") { name += "." + (try expectName()) }
    return name
  }

  private mutating func test(of value: Expression) throws(TemplateFault) -> Expression {
    let line = current.line
    advance()
    let isNegated = take(name: "not")
    let name = try dottedName()
    if branches == 0, !Tests.names.contains(name) {
      unknown.append(TemplateFault(Tests.unknown(name), kind: .syntax, line: line))
    }
    var given = CallArguments()
    switch current.kind {
    case .symbol("("): given = try arguments()
    case .name("else"), .name("or"), .name("and"): break
    case .name("is"): throw fault("tests with 'is' cannot be chained")
    case .name, .string, .integer, .float, .symbol("["), .symbol("{"):
      let argument = try primary()
      given.positional = [try postfix(argument)]
    default: break
    }
    let test = Expression(line: line, kind: .test(value, name: name, given))
    return isNegated ? Expression(line: line, kind: .not(test)) : test
  }

  /// The arguments of a call, with its parentheses.
  mutating func arguments() throws(TemplateFault) -> CallArguments {
    try expect("(")
    var given = CallArguments()
    var isFirst = true
    while current.kind != .symbol(")") {
      if !isFirst {
        try expect(",")
        if case .symbol(")") = current.kind { break }
      }
      isFirst = false
      if take("*") {
        guard given.list == nil, given.mapping == nil else { throw unexpected() }
        given.list = try expression()
      } else if take("**") {
        guard given.mapping == nil else { throw unexpected() }
        given.mapping = try expression()
      } else if case .name(let name) = current.kind, case .symbol("=") = following.kind {
        guard given.mapping == nil else { throw unexpected() }
        advance()
        advance()
        given.named.append((name, try expression()))
      } else {
        guard given.list == nil, given.mapping == nil, given.named.isEmpty else { throw unexpected() }
        given.positional.append(try expression())
      }
    }
    advance()
    return given
  }
}
