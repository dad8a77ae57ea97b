extension Evaluator {
  /// The value of an expression.
  func value(of expression: Expression) throws(TemplateFault) -> TemplateValue {
    line = expression.line
    try budget.spend()
    switch expression.kind {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .float(let value): return .float(value)
    case .string(let text): return .string(text)
    case .name(let symbol): return scope.value(of: symbol) ?? .undefined(why: "'\(name(of: symbol))' is undefined")
    default: return try deeper { () throws(TemplateFault) in try compound(expression) }
    }
  }

  private func compound(_ expression: Expression) throws(TemplateFault) -> TemplateValue {
    switch expression.kind {
    case .list(let items): return try .list(of: try values(of: items))
    case .tuple(let items): return try .tuple(of: try values(of: items))
    case .mapping(let members): return try mapping(members)
    case .attribute(let object, let name):
      let object = try value(of: object)
      line = expression.line
      return try attribute(name, of: object)
    case .item(let object, let index):
      let (object, index) = (try value(of: object), try value(of: index))
      line = expression.line
      return try item(index, of: object)
    case .slice(let object, let from, let to, let by): return try slice(object, from, to, by, line: expression.line)
    case .call: return try value(ofCall: expression, caller: nil)
    case .filter(let subject, let name, let given): return try filter(subject, name, given, line: expression.line)
    case .test(let subject, let name, let given):
      let subject = try value(of: subject)
      let given = try arguments(given)
      line = expression.line
      return .bool(try Tests.apply(name, to: subject, given, self))
    case .not(let inner): return .bool(!(try value(of: inner).truth))
    case .negative(let inner): return try negated(try value(of: inner))
    case .positive(let inner):
      let number = try value(of: inner)
      if number.number == nil { throw wrong(number, for: "+") }
      return number.integer.map(TemplateValue.int) ?? number
    case .binary(let how, let left, let right):
      let (left, right) = (try value(of: left), try value(of: right))
      line = expression.line
      return try binary(how, left, right)
    case .comparison(let left, let rest): return try comparison(left, rest)
    case .joined(let parts): return try joined(parts)
    case .and(let left, let right):
      let left = try value(of: left)
      return left.truth ? try value(of: right) : left
    case .or(let left, let right):
      let left = try value(of: left)
      return left.truth ? left : try value(of: right)
    case .condition(let test, let then, let otherwise):
      if try value(of: test).truth { return try value(of: then) }
      if let otherwise { return try value(of: otherwise) }
      return .undefined(why: "the condition is false, and there is no 'else'")
    case .none, .bool, .int, .float, .string, .name: return .none
    }
  }

  private func values(of expressions: [Expression]) throws(TemplateFault) -> [TemplateValue] {
    var values: [TemplateValue] = []
    values.reserveCapacity(expressions.count)
    for expression in expressions { values.append(try value(of: expression)) }
    return values
  }

  private func mapping(_ members: [(key: Expression, value: Expression)]) throws(TemplateFault) -> TemplateValue {
    var mapping = TemplateMapping()
    for (key, member) in members {
      let found = try value(of: key)
      try mapping.set(found, try value(of: member))
    }
    return .mapping(mapping)
  }

  private func joined(_ parts: [Expression]) throws(TemplateFault) -> TemplateValue {
    var text = ""
    for part in parts { text += try string(of: try value(of: part)) }
    try budget.write(text.utf8.count)
    return .string(text)
  }

  private func comparison(_ first: Expression, _ rest: [(how: Comparison, with: Expression)]) throws(TemplateFault)
    -> TemplateValue
  {
    var left = try value(of: first)
    for (how, expression) in rest {
      let right = try value(of: expression)
      if !(try holds(how, left, right)) { return .bool(false) }
      left = right
    }
    return .bool(true)
  }

  func holds(_ how: Comparison, _ left: TemplateValue, _ right: TemplateValue) throws(TemplateFault) -> Bool {
    switch how {
    case .equal: return try ValueOrder.areEqual(left, right, budget)
    case .unequal: return !(try ValueOrder.areEqual(left, right, budget))
    case .isIn: return try ValueOrder.contains(right, left, budget)
    case .isNotIn: return !(try ValueOrder.contains(right, left, budget))
    case .less: return try ValueOrder.compare(left, right, budget) < 0
    case .lessOrEqual: return try ValueOrder.compare(left, right, budget) <= 0
    case .greater: return try ValueOrder.compare(left, right, budget) == 1
    case .greaterOrEqual: return (0...1).contains(try ValueOrder.compare(left, right, budget))
    }
  }

  /// The arguments of a call, evaluated.
  func arguments(_ given: CallArguments) throws(TemplateFault) -> Arguments {
    var arguments = Arguments(positional: try values(of: given.positional))
    for (name, expression) in given.named { try arguments.name(name, try value(of: expression)) }
    if let list = given.list { arguments.positional += try value(of: list).items(budget) }
    if let expression = given.mapping {
      guard case .mapping(let mapping) = try value(of: expression) else {
        throw TemplateFault("what stands behind '**' is no mapping")
      }
      for (key, value) in zip(mapping.keys, mapping.values) {
        guard let name = key.text else { throw TemplateFault("a name of an argument is no string") }
        try arguments.name(name, value)
      }
    }
    return arguments
  }

  private func filter(_ subject: Expression?, _ name: String, _ given: CallArguments, line here: Int)
    throws(TemplateFault) -> TemplateValue
  {
    var filtered = block
    if let subject { filtered = try value(of: subject) }
    let given = try arguments(given)
    line = here
    return try Filters.apply(name, to: filtered, given, self)
  }

  /// `text` after the filters of a block.
  func filtered(_ text: TemplateValue, by filter: Expression?) throws(TemplateFault) -> TemplateValue {
    guard let filter else { return text }
    let outer = block
    block = text
    defer { block = outer }
    return try value(of: filter)
  }

  private func slice(_ object: Expression, _ from: Expression?, _ to: Expression?, _ by: Expression?, line here: Int)
    throws(TemplateFault) -> TemplateValue
  {
    let object = try value(of: object)
    func bound(_ expression: Expression?) throws(TemplateFault) -> Int? {
      guard let expression else { return nil }
      let bound = try value(of: expression)
      if case .none = bound { return nil }
      guard let whole = bound.integer else {
        throw TemplateFault("a slice takes integers, not a value of the type '\(bound.type)'")
      }
      return whole
    }
    let bounds = (try bound(from), try bound(to), try bound(by))
    line = here
    return try sliced(object, bounds.0, bounds.1, bounds.2)
  }
}
