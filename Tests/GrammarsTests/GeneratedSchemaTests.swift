import Files
import Grammars
import Testing

/// Schemas at random, of what is supported.
struct SchemaMaker {
  var generator: SplitMix

  private mutating func pick<Item>(_ items: [Item]) -> Item { items[Int(generator.next() >> 33) % items.count] }
  private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }
  private mutating func chance(_ percent: Int) -> Bool { number(0..<100) < percent }

  mutating func schema(depth: Int = 3) -> JSONValue {
    var s = JSONObject()
    let simple = ["string", "integer", "number", "boolean", "null", "enum"]
    let kind = pick(depth > 0 ? simple + ["array", "object", "object", "anyOf", "allOf", "any"] : simple)
    s["type"] = .string(kind)
    switch kind {
    case "string":
      if chance(50) { s["minLength"] = .integer(number(0..<4)) }
      if chance(50) { s["maxLength"] = .integer((s["minLength"]?.integer ?? 0) + number(0..<8)) }
    case "integer", "number":
      if chance(50) { s[pick(["minimum", "exclusiveMinimum"])] = pick([-120, -3, 0, 7, 99, 1000, 2.5, -0.75]) }
      if chance(50) { s[pick(["maximum", "exclusiveMaximum"])] = pick([1001, 1e6, 12_345, 2000.25]) }
      if kind == "integer", chance(20) { s["multipleOf"] = .integer(number(2..<13)) }
    case "enum":
      let values: [JSONValue] = ["a", "a\"\n", "é", 1, -2, 2.5, .null, true, ["x", 1], ["k": "v"]]
      return ["enum": .array((0..<number(1..<5)).map { _ in pick(values) })]
    case "array":
      s["items"] = schema(depth: depth - 1)
      if chance(30) { s["prefixItems"] = [schema(depth: depth - 1), schema(depth: depth - 1)] }
      if chance(40) { s["minItems"] = .integer(number(0..<3)) }
      if chance(40) { s["maxItems"] = .integer((s["minItems"]?.integer ?? 0) + number(0..<4)) }
    case "object":
      var properties = JSONObject()
      for name in ["a", "b b", "c\"", "é"] where chance(60) { properties[name] = schema(depth: depth - 1) }
      s["properties"] = .object(properties)
      s["required"] = .array(properties.keys.filter { _ in chance(50) }.map { .string($0) })
      if chance(50) { s["additionalProperties"] = chance(50) ? false : schema(depth: depth - 1) }
      if chance(20) { s["minProperties"] = .integer(number(0..<3)) }
      if chance(20) { s["maxProperties"] = .integer(number(2..<5)) }
    case "anyOf": return ["anyOf": [schema(depth: depth - 1), schema(depth: depth - 1)]]
    case "allOf":
      return [
        "allOf": [
          ["type": "object", "properties": ["a": schema(depth: depth - 1)]],
          ["required": ["a"], "properties": ["b": schema(depth: depth - 1)]],
        ]
      ]
    default: if kind == "any" { return [:] }
    }
    return .object(s)
  }
}

/// Whether a schema allows a value, by the words of the specification (draft 2020-12) for the keywords that `SchemaMaker` writes.
func isValid(_ value: JSONValue, _ schema: JSONValue) -> Bool {
  if let isAny = schema.bool { return isAny }
  for (key, rule) in schema.object ?? JSONObject() {
    let count = rule.integer ?? 0
    let bound = rule.number ?? 0
    let isKept: Bool =
      switch (key, value) {
      case ("type", _):
        switch (rule.string, value) {
        case ("string", .string), ("null", .null), ("boolean", .bool), ("array", .array), ("object", .object): true
        case ("number", .number), ("number", .integer): true
        case ("integer", _): value.number.map { $0 == $0.rounded() } ?? false
        default: false
        }
      case ("enum", _): rule.array?.contains(value) ?? false
      case ("anyOf", _): rule.array?.contains { isValid(value, $0) } ?? false
      case ("allOf", _): rule.array?.allSatisfy { isValid(value, $0) } ?? false
      case ("minLength", .string(let text)): text.unicodeScalars.count >= count
      case ("maxLength", .string(let text)): text.unicodeScalars.count <= count
      case ("minimum", _): value.number.map { $0 >= bound } ?? true
      case ("maximum", _): value.number.map { $0 <= bound } ?? true
      case ("exclusiveMinimum", _): value.number.map { $0 > bound } ?? true
      case ("exclusiveMaximum", _): value.number.map { $0 < bound } ?? true
      case ("multipleOf", .integer(let number)): number % count == 0
      case ("minItems", .array(let items)): items.count >= count
      case ("maxItems", .array(let items)): items.count <= count
      case ("prefixItems", .array(let items)): zip(items, rule.array ?? []).allSatisfy { isValid($0, $1) }
      case ("items", .array(let items)):
        items.dropFirst(schema["prefixItems"]?.array?.count ?? 0).allSatisfy { isValid($0, rule) }
      case ("properties", .object(let members)):
        members.allSatisfy { name, member in rule[name].map { isValid(member, $0) } ?? true }
      case ("required", .object(let members)): rule.array?.allSatisfy { members[$0.string ?? ""] != nil } ?? true
      case ("additionalProperties", .object(let members)):
        members.allSatisfy { name, member in schema["properties"]?[name] != nil || isValid(member, rule) }
      case ("minProperties", .object(let members)): members.count >= count
      case ("maxProperties", .object(let members)): members.count <= count
      default: true
      }
    if !isKept { return false }
  }
  return true
}

@Suite("Generated schemas") struct GeneratedSchemaTests {
  /// A text that the masks allow, drawn, with an eye on what closes strings, lists and objects.
  private func text(_ grammar: TokenGrammar, _ generator: inout SplitMix) throws -> [UInt8]? {
    let matcher = try grammar.matcher()
    var text: [UInt8] = []
    while !matcher.isFinished {
      if matcher.mayEnd, Bool.random(using: &generator) { break }
      let mask = try matcher.mask()
      let allowed = (0..<256).filter { mask[$0] }
      let closing = allowed.filter { [0x22, 0x5D, 0x7D].contains($0) }
      guard text.count < 3000, let any = allowed.randomElement(using: &generator) else { return nil }
      let next =
        text.count > 40 || Int.random(in: 0..<3, using: &generator) == 0
        ? closing.randomElement(using: &generator) ?? any : any
      #expect(try matcher.accept(next))
      text.append(UInt8(next))
    }
    return text
  }

  @Test("what comes out is valid, always", arguments: 0..<8)
  func valid(part: Int) throws {
    var maker = SchemaMaker(generator: SplitMix(state: UInt64(part)))
    var drawn = 0
    for _ in 0..<50 {
      let schema = maker.schema()
      let grammar: Grammar
      do { grammar = try Grammar(jsonSchema: schema, name: "schema") } catch {
        // Nothing may be allowed: a property that is required and impossible.
        #expect("\(error)".contains("no text matches"), "\(schema.serialized()): \(error)")
        continue
      }
      let tokens = TokenGrammar(grammar, bytes, preparing: false)
      for _ in 0..<3 {
        guard let text = try text(tokens, &maker.generator) else { continue }
        drawn += 1
        // Further names may come twice, and a number without bounds have any digits, which a reader of JSON may refuse.
        do {
          let value = try JSONValue(parsing: String(decoding: text, as: UTF8.self))
          #expect(isValid(value, schema), "\(schema.serialized())\n\(String(decoding: text, as: UTF8.self))")
        } catch {
          let isKnown = ["appears twice", "too large for 64 bits"].contains { "\(error)".contains($0) }
          #expect(isKnown, "\(schema.serialized())\n\(error)")
        }
      }
    }
    #expect(drawn > 80)
  }

  @Test("the validator itself tells right from wrong")
  func validator() throws {
    #expect(isValid(3, ["type": "integer", "minimum": 3]) && !isValid(3, ["exclusiveMinimum": 3]))
    #expect(
      !isValid(["a": 1], ["required": ["b"]]) && !isValid("ab", ["maxLength": 1])
        && !isValid([1, "x"], ["items": ["type": "integer"]]))
  }
}
