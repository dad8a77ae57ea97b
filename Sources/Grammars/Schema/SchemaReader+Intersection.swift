extension SchemaReader {
  private static let intersectionLimit = 20_000

  /// What both schemas allow.
  func intersection(_ a: Schema, _ b: Schema, at place: String) throws(GrammarProblem) -> Schema {
    intersections += 1
    depth += 1
    defer { depth -= 1 }
    guard intersections <= Self.intersectionLimit, depth <= 150 else {
      throw problem(place, "the schemas that are put together here refer to each other in too many ways")
    }
    switch (a, b) {
    case (.any, _): return b
    case (_, .any): return a
    case (.nothing, _), (_, .nothing): return .nothing
    case (.reference(let x), .reference(let y)) where x == y: return a
    case (.reference(let pointer), _): return try intersection(try referenced(pointer), b, at: place)
    case (_, .reference(let pointer)): return try intersection(a, try referenced(pointer), at: place)
    case (.anyOf(let options), _):
      var schemas: [Schema] = []
      for option in options { schemas.append(try intersection(option, b, at: place)) }
      return .any(of: schemas)
    case (_, .anyOf(let options)):
      var schemas: [Schema] = []
      for option in options { schemas.append(try intersection(a, option, at: place)) }
      return .any(of: schemas)
    case (.null, .null): return .null
    case (.boolean(let x), .boolean(let y)):
      guard let x else { return b }
      return y == nil || x == y ? a : .nothing
    case (.number(let x), .number(let y)):
      let both = x.intersection(y)
      return both.boundsCross ? .nothing : .number(both)
    case (.string(let x), .string(let y)): return try intersection(x, y, at: place)
    case (.array(let x), .array(let y)): return .array(try intersection(x, y, at: place))
    case (.object(let x), .object(let y)): return try intersection(x, y, at: place)
    default: return .nothing
    }
  }

  private func intersection(
    _ a: Schema.StringRule, _ b: Schema.StringRule, at place: String
  ) throws(GrammarProblem) -> Schema {
    if let literal = a.literal ?? b.literal {
      if let x = a.literal, let y = b.literal, !x.utf8.elementsEqual(y.utf8) { return .nothing }
      guard try allows(a, literal, at: place), try allows(b, literal, at: place) else { return .nothing }
      return .string(Schema.StringRule(literal: literal))
    }
    var both = a
    both.minimum = max(a.minimum, b.minimum)
    both.maximum = [a.maximum, b.maximum].compactMap { $0 }.min()
    both.patterns += b.patterns.filter { !a.patterns.contains($0) }
    return .string(both)
  }

  private func allows(_ rule: Schema.StringRule, _ text: String, at place: String) throws(GrammarProblem) -> Bool {
    let length = text.unicodeScalars.count
    guard length >= rule.minimum, length <= rule.maximum ?? .max else { return false }
    for pattern in rule.patterns where try !automaton(of: pattern, at: place).matches(text) { return false }
    return true
  }

  private func intersection(
    _ a: Schema.ArrayRule, _ b: Schema.ArrayRule, at place: String
  ) throws(GrammarProblem) -> Schema.ArrayRule {
    var both = Schema.ArrayRule()
    both.minimum = max(a.minimum, b.minimum)
    both.maximum = [a.maximum, b.maximum].compactMap { $0 }.min()
    for index in 0..<max(a.prefix.count, b.prefix.count) {
      both.prefix.append(
        try intersection(
          index < a.prefix.count ? a.prefix[index] : a.rest, index < b.prefix.count ? b.prefix[index] : b.rest,
          at: place))
    }
    both.rest = try intersection(a.rest, b.rest, at: place)
    return both
  }

  private func intersection(
    _ a: Schema.ObjectRule, _ b: Schema.ObjectRule, at place: String
  ) throws(GrammarProblem) -> Schema {
    var both = Schema.ObjectRule()
    both.minimum = max(a.minimum, b.minimum)
    both.maximum = [a.maximum, b.maximum].compactMap { $0 }.min()
    for property in a.properties {
      both.properties.append(
        (property.key, try intersection(property.schema, try schema(of: property.key, in: b, at: place), at: place)))
    }
    for property in b.properties where a.schema(of: property.key) == nil {
      both.properties.append(
        (property.key, try intersection(try schema(of: property.key, in: a, at: place), property.schema, at: place)))
    }
    both.required = a.required + b.required.filter { !a.required.contains($0) }
    if a.patterns.isEmpty, b.patterns.isEmpty {
      both.additional = try intersection(a.additional, b.additional, at: place)
    } else if b.patterns.isEmpty, case .any = b.additional {
      (both.patterns, both.additional) = (a.patterns, a.additional)
    } else if a.patterns.isEmpty, case .any = a.additional {
      (both.patterns, both.additional) = (b.patterns, b.additional)
    } else {
      throw problem(
        place, "patternProperties cannot be put together with what another schema says of further properties")
    }
    return .object(both)
  }

  /// What `rule` says of the property `key`.
  func schema(of key: String, in rule: Schema.ObjectRule, at place: String) throws(GrammarProblem) -> Schema {
    if let own = rule.schema(of: key) { return own }
    var matching: Schema?
    for pattern in rule.patterns where try automaton(of: pattern.key, at: place).matches(key) {
      matching = try intersection(matching ?? .any, pattern.schema, at: place)
    }
    return matching ?? rule.additional
  }

  /// Whether it is certain that no value is allowed by both.
  func areApart(_ a: Schema, _ b: Schema, depth: Int) throws(GrammarProblem) -> Bool {
    guard depth < 12 else { return false }
    switch (a, b) {
    case (.nothing, _), (_, .nothing): return true
    case (.any, _), (_, .any): return false
    case (.reference(let x), .reference(let y)) where x == y: return false
    case (.reference(let pointer), _): return try areApart(try referenced(pointer), b, depth: depth + 1)
    case (_, .reference(let pointer)): return try areApart(a, try referenced(pointer), depth: depth + 1)
    case (.anyOf(let options), _):
      for option in options where try !areApart(option, b, depth: depth + 1) { return false }
      return true
    case (_, .anyOf): return try areApart(b, a, depth: depth + 1)
    case (.null, .null): return false
    case (.boolean(let x), .boolean(let y)): return x != nil && y != nil && x != y
    case (.number(let x), .number(let y)): return x.isApart(from: y)
    case (.string(let x), .string(let y)):
      if x.minimum > y.maximum ?? .max || y.minimum > x.maximum ?? .max { return true }
      if x.literal != nil || y.literal != nil { return try intersection(a, b, at: "").isNothing }
      return false
    case (.array(let x), .array(let y)): return x.minimum > y.maximum ?? .max || y.minimum > x.maximum ?? .max
    case (.object(let x), .object(let y)):
      for key in x.required {
        let (mine, theirs) = (try schema(of: key, in: x, at: ""), try schema(of: key, in: y, at: ""))
        if theirs.isNothing || mine.isNothing { return true }
        if y.required.contains(key), try areApart(mine, theirs, depth: depth + 1) { return true }
      }
      for key in y.required where try schema(of: key, in: x, at: "").isNothing { return true }
      return false
    default: return true
    }
  }
}
