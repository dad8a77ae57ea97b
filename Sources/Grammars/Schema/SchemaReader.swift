import Files

/// Reads a JSON Schema (draft 2020-12, and what earlier drafts write otherwise).
///
/// A keyword that no grammar is made of is refused with its pointer, and so is one that is not known: what is left out would
/// be allowed in silence.
final class SchemaReader {
  let name: String
  private let document: JSONValue
  private var referenced: [String: Schema] = [:]
  private var automata: [String: ContentAutomaton] = [:]
  private var patterns: [String: Schema.StringRule.Pattern] = [:]
  /// How many schemas were put together, and how deep one is in another now.
  var intersections = 0
  var depth = 0

  /// Keywords that say nothing of what is valid.
  private static let annotations: Set<String> = [
    "$schema", "$id", "id", "$comment", "$defs", "definitions", "title", "description", "default", "examples",
    "example",
    "readOnly", "writeOnly", "deprecated", "contentMediaType", "contentEncoding",
  ]
  private static let numberKeywords: Set<String> = [
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
  ]
  private static let stringKeywords: Set<String> = ["minLength", "maxLength", "pattern", "format"]
  private static let arrayKeywords: Set<String> = ["items", "prefixItems", "additionalItems", "minItems", "maxItems"]
  private static let objectKeywords: Set<String> = [
    "properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties",
  ]
  private static let applicators: Set<String> = ["anyOf", "oneOf", "allOf", "$ref", "enum", "const"]

  init(_ document: JSONValue, name: String) {
    self.document = document
    self.name = name
  }

  func problem(_ pointer: String, _ sentence: String) -> GrammarProblem {
    .schema(name: name, pointer: pointer, sentence: sentence)
  }

  /// The schema at the root.
  func root() throws(GrammarProblem) -> Schema { try schema(document, at: "") }

  static func escaped(_ key: String) -> String { key.replacing("~", with: "~0").replacing("/", with: "~1") }

  // MARK: References

  /// The schema at `pointer`, which is one of the document's.
  func referenced(_ pointer: String) throws(GrammarProblem) -> Schema {
    if let known = referenced[pointer] { return known }
    guard let value = value(at: pointer) else { throw problem(pointer, "there is nothing at this place") }
    let schema = try schema(value, at: pointer)
    referenced[pointer] = schema
    return schema
  }

  private func value(at pointer: String) -> JSONValue? {
    var value = document
    for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      let key = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
      if let items = value.array {
        guard let place = Int(key), items.indices.contains(place) else { return nil }
        value = items[place]
      } else {
        guard let next = value[key] else { return nil }
        value = next
      }
    }
    return value
  }

  private func reference(_ value: JSONValue, at pointer: String) throws(GrammarProblem) -> Schema {
    guard let text = value.string else { throw problem(pointer, "a reference is a text, not \(value.kind)") }
    guard text == "#" || text.hasPrefix("#/") else {
      throw problem(pointer, "'\(text.prefix(60))' is no place in this document; only '#' and '#/…' are supported")
    }
    let target = text.dropFirst().removingPercentEncoding
    guard self.value(at: target) != nil else { throw problem(pointer, "there is nothing at '\(text.prefix(60))'") }
    return .reference(target)
  }

  // MARK: One schema

  func schema(_ value: JSONValue, at pointer: String) throws(GrammarProblem) -> Schema {
    if let isAny = value.bool { return isAny ? .any : .nothing }
    guard let members = value.object else {
      throw problem(pointer, "a schema is an object, true or false, not \(value.kind)")
    }
    depth += 1
    defer { depth -= 1 }
    guard depth <= 150 else { throw problem(pointer, "schemas are more than 150 deep in each other") }
    var result = Schema.any
    var hasOwn = false
    // In the order of the document, so that of several lists of properties the first one's order comes first.
    for (key, value) in members {
      let place = pointer + "/" + Self.escaped(key)
      if Self.annotations.contains(key) { continue }
      if Self.applicators.contains(key) {
        result = try intersection(result, try applied(key, value, at: place), at: place)
      } else if key == "type" || isOfType(key) {
        if !hasOwn { result = try intersection(result, try own(members, at: pointer), at: pointer) }
        hasOwn = true
      } else if key == "uniqueItems", value.bool == false {
        continue
      } else {
        throw problem(place, "the keyword '\(key.prefix(60))' is not supported")
      }
    }
    return result
  }

  private func isOfType(_ key: String) -> Bool {
    Self.numberKeywords.contains(key) || Self.stringKeywords.contains(key) || Self.arrayKeywords.contains(key)
      || Self.objectKeywords.contains(key)
  }

  private func applied(_ key: String, _ value: JSONValue, at place: String) throws(GrammarProblem) -> Schema {
    switch key {
    case "$ref": return try reference(value, at: place)
    case "const": return try constant(value, at: place)
    case "enum":
      guard let values = value.array, !values.isEmpty else { throw problem(place, "enum takes a list of values") }
      var schemas: [Schema] = []
      for (index, value) in values.enumerated() { schemas.append(try constant(value, at: "\(place)/\(index)")) }
      return .any(of: schemas)
    default:
      guard let values = value.array, !values.isEmpty else { throw problem(place, "\(key) takes a list of schemas") }
      var schemas: [Schema] = []
      for (index, value) in values.enumerated() { schemas.append(try schema(value, at: "\(place)/\(index)")) }
      if key == "allOf" {
        var result = schemas[0]
        for schema in schemas.dropFirst() { result = try intersection(result, schema, at: place) }
        return result
      }
      if key == "oneOf" {
        for (index, schema) in schemas.enumerated() {
          for other in schemas.indices.dropFirst(index + 1) where try !areApart(schema, schemas[other], depth: 0) {
            throw problem(
              place,
              "a value could be allowed by both branches \(index) and \(other), which oneOf forbids; write anyOf, or tell the "
                + "branches apart by a required property with a const")
          }
        }
      }
      return .any(of: schemas)
    }
  }

  /// A value and no other.
  private func constant(_ value: JSONValue, at place: String) throws(GrammarProblem) -> Schema {
    switch value {
    case .null: return .null
    case .bool(let value): return .boolean(value)
    case .integer(let value): return .number(NumberRange(exactly: DecimalNumber(value)))
    case .number(let value):
      guard let number = DecimalNumber(value) else { throw problem(place, "the number is not finite") }
      return .number(NumberRange(exactly: number))
    case .string(let value): return .string(Schema.StringRule(literal: value))
    case .array(let items):
      var rule = Schema.ArrayRule(minimum: items.count, maximum: items.count, rest: .nothing)
      for (index, item) in items.enumerated() { rule.prefix.append(try constant(item, at: "\(place)/\(index)")) }
      return .array(rule)
    case .object(let members):
      var rule = Schema.ObjectRule(additional: .nothing)
      for (key, value) in members {
        rule.properties.append((key, try constant(value, at: place + "/" + Self.escaped(key))))
        rule.required.append(key)
      }
      return .object(rule)
    }
  }

  // MARK: Keywords of types

  private func own(_ members: JSONObject, at pointer: String) throws(GrammarProblem) -> Schema {
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

extension Substring {
  /// The text with `%2F` and its like as the bytes that they stand for.
  fileprivate var removingPercentEncoding: String {
    var bytes: [UInt8] = []
    var rest = Array(utf8)[...]
    while let byte = rest.popFirst() {
      if byte == 0x25, rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
