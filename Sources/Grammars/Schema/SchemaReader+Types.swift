import Files

extension SchemaReader {
  /// What the keywords say that belong to types.
  func own(_ members: JSONObject, at pointer: String) throws(GrammarProblem) -> Schema {
    var types = ["null", "boolean", "number", "string", "array", "object"]
    if let type = members["type"] {
      let names = type.array ?? [type]
      var found: [String] = []
      for name in names {
        guard let name = name.string, types.contains(name) || name == "integer" else {
          throw problem(pointer + "/type", "there is no type \(name.serialized().prefix(40))")
        }
        found.append(name)
      }
      types = found.contains("number") ? found.filter { $0 != "integer" } : found
    }
    // Read whatever the types are: a mistake in one is told.
    let number = try numbers(members, at: pointer)
    let string = try strings(members, at: pointer)
    let array = try arrays(members, at: pointer)
    let object = try objects(members, at: pointer)
    return .any(
      of: types.map { type in
        switch type {
        case "null": return .null
        case "boolean": return .boolean(nil)
        case "integer":
          var range = number
          range.isInteger = true
          return .number(range)
        case "number": return .number(number)
        case "string": return .string(string)
        case "array": return .array(array)
        default: return .object(object)
        }
      })
  }

  private func numbers(_ members: JSONObject, at pointer: String) throws(GrammarProblem) -> NumberRange {
    var range = NumberRange()
    for key in ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"] {
      guard let value = members[key] else { continue }
      let place = "\(pointer)/\(key)"
      let number: DecimalNumber? =
        switch value {
        case .integer(let value): DecimalNumber(value)
        case .number(let value): DecimalNumber(value)
        default: nil
        }
      guard let number else { throw problem(place, "\(key) takes a number, not \(value.kind)") }
      guard number.whole.count <= 400 else { throw problem(place, "the number has more than 400 digits") }
      switch key {
      case "minimum": range.raise(to: .init(value: number, isInclusive: true))
      case "exclusiveMinimum": range.raise(to: .init(value: number, isInclusive: false))
      case "maximum": range.reduce(to: .init(value: number, isInclusive: true))
      case "exclusiveMaximum": range.reduce(to: .init(value: number, isInclusive: false))
      default:
        guard number > .zero else { throw problem(place, "multipleOf takes a number above 0") }
        range.divisors = [number]
      }
    }
    return range
  }

  private func count(_ key: String, _ members: JSONObject, at pointer: String) throws(GrammarProblem) -> Int? {
    guard let value = members[key] else { return nil }
    guard let count = value.integer, count >= 0 else {
      throw problem("\(pointer)/\(key)", "\(key) takes an integer of at least 0")
    }
    guard count <= 1_000_000_000 else { throw problem("\(pointer)/\(key)", "at most 1000000000 are counted") }
    return count
  }

  private func strings(_ members: JSONObject, at pointer: String) throws(GrammarProblem) -> Schema.StringRule {
    var rule = Schema.StringRule()
    rule.minimum = try count("minLength", members, at: pointer) ?? 0
    rule.maximum = try count("maxLength", members, at: pointer)
    if let value = members["pattern"] {
      guard let source = value.string else {
        throw problem("\(pointer)/pattern", "a pattern is a text, not \(value.kind)")
      }
      rule.patterns.append(try pattern(source, at: "\(pointer)/pattern"))
    }
    if let value = members["format"] {
      guard let name = value.string, let source = StringFormats.pattern(of: name) else {
        throw problem(
          "\(pointer)/format",
          "there is no format \(value.serialized().prefix(40)); there are \(StringFormats.names.joined(separator: ", "))"
        )
      }
      rule.patterns.append(try pattern(source, at: "\(pointer)/format"))
    }
    return rule
  }

  private func pattern(_ source: String, at place: String) throws(GrammarProblem) -> Schema.StringRule.Pattern {
    if let known = patterns[source] { return known }
    do {
      let pattern = Schema.StringRule.Pattern(source: source, expression: try PatternReader.expression(source))
      patterns[source] = pattern
      return pattern
    } catch { throw problem(place, "the pattern is not supported: \(error.sentence)") }
  }

  private func arrays(_ members: JSONObject, at pointer: String) throws(GrammarProblem) -> Schema.ArrayRule {
    var rule = Schema.ArrayRule()
    rule.minimum = try count("minItems", members, at: pointer) ?? 0
    rule.maximum = try count("maxItems", members, at: pointer)
    var prefix = members["prefixItems"]
    var prefixPlace = "\(pointer)/prefixItems"
    var rest = members["items"]
    var restPlace = "\(pointer)/items"
    if rest?.array != nil {
      // Before draft 2020-12.
      guard prefix == nil else { throw problem(restPlace, "items beside prefixItems is a schema, not a list") }
      (prefix, prefixPlace) = (rest, restPlace)
      (rest, restPlace) = (members["additionalItems"], "\(pointer)/additionalItems")
    } else if let value = members["additionalItems"], value.bool != true {
      throw problem("\(pointer)/additionalItems", "additionalItems goes with a list of items")
    }
    if let prefix {
      guard let list = prefix.array else { throw problem(prefixPlace, "prefixItems takes a list of schemas") }
      for (index, value) in list.enumerated() { rule.prefix.append(try schema(value, at: "\(prefixPlace)/\(index)")) }
    }
    if let rest { rule.rest = try schema(rest, at: restPlace) }
    return rule
  }

  private func objects(_ members: JSONObject, at pointer: String) throws(GrammarProblem) -> Schema.ObjectRule {
    var rule = Schema.ObjectRule()
    rule.minimum = try count("minProperties", members, at: pointer) ?? 0
    rule.maximum = try count("maxProperties", members, at: pointer)
    if let value = members["properties"] {
      guard let list = value.object else {
        throw problem("\(pointer)/properties", "properties takes an object of schemas")
      }
      for (key, value) in list {
        rule.properties.append((key, try schema(value, at: "\(pointer)/properties/\(Self.escaped(key))")))
      }
    }
    if let value = members["required"] {
      guard let list = value.array, list.allSatisfy({ $0.string != nil }) else {
        throw problem("\(pointer)/required", "required takes a list of names")
      }
      for name in list.compactMap(\.string) where !rule.required.contains(name) { rule.required.append(name) }
    }
    if let value = members["patternProperties"] {
      let place = "\(pointer)/patternProperties"
      guard let list = value.object else { throw problem(place, "patternProperties takes an object of schemas") }
      for (key, value) in list {
        let keyPlace = "\(place)/\(Self.escaped(key))"
        rule.patterns.append((try pattern(key, at: keyPlace), try schema(value, at: keyPlace)))
      }
    }
    if let value = members["additionalProperties"] {
      rule.additional = try schema(value, at: "\(pointer)/additionalProperties")
    }
    return try settled(rule, at: pointer)
  }

  /// The rule with every property's schema meeting those of the patterns that its name matches.
  private func settled(_ rule: Schema.ObjectRule, at pointer: String) throws(GrammarProblem) -> Schema.ObjectRule {
    guard !rule.patterns.isEmpty else { return rule }
    var result = rule
    for (index, property) in rule.properties.enumerated() {
      for pattern in rule.patterns where try automaton(of: pattern.key, at: pointer).matches(property.key) {
        result.properties[index].schema = try intersection(result.properties[index].schema, pattern.schema, at: pointer)
      }
    }
    for (index, pattern) in rule.patterns.enumerated() {
      for other in rule.patterns.dropFirst(index + 1) {
        let (a, b) = (try automaton(of: pattern.key, at: pointer), try automaton(of: other.key, at: pointer))
        let both: ContentAutomaton
        do { both = try a.intersection(b) } catch { throw tooLarge(pointer) }
        guard both.isEmpty else {
          throw problem(
            "\(pointer)/patternProperties",
            "a name could match both '\(pattern.key.source.prefix(40))' and '\(other.key.source.prefix(40))', which is not supported"
          )
        }
      }
    }
    return result
  }

  func tooLarge(_ place: String) -> GrammarProblem {
    problem(place, "what is asked of strings here together takes too many states; ask for less")
  }

  /// The automaton of one pattern.
  func automaton(of pattern: Schema.StringRule.Pattern, at place: String) throws(GrammarProblem) -> ContentAutomaton {
    if let known = automata[pattern.source] { return known }
    do {
      let automaton = try ContentAutomaton(pattern.expression)
      automata[pattern.source] = automaton
      return automaton
    } catch { throw tooLarge(place) }
  }
}
