import Files

/// Reads a JSON Schema (draft 2020-12, and what earlier drafts write otherwise).
///
/// A keyword that no grammar is made of is refused with its pointer, and so is one that is not known: what is left out would
/// be allowed in silence.
final class SchemaReader {
  let name: String
  private let document: JSONValue
  private var referenced: [String: Schema] = [:]
  var automata: [String: ContentAutomaton] = [:]
  var patterns: [String: Schema.StringRule.Pattern] = [:]
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
