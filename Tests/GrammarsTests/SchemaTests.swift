import Files
import Grammars
import Testing

@Suite("JSON Schema") struct SchemaTests {
  @Test(
    "what a schema allows is taken, and what it does not allow is not",
    arguments: [
      (#"{"type": "string"}"#, [#""""#, #""é\n\"\\ \u0000""#], ["\"\n\"", #""\x""#, "1"]),
      (#"{"type": "string", "minLength": 2, "maxLength": 3}"#, [#""ab""#, #""😀\n€""#], [#""a""#, #""abcd""#]),
      (#"{"type": "string", "pattern": "^[a-c]+$"}"#, [#""abc""#], [#""""#, #""abd""#]),
      (
        #"{"type": "string", "pattern": "b", "minLength": 2, "maxLength": 3}"#, [#""ab""#, #""bab""#],
        [#""b""#, #""aa""#, #""aaab""#]
      ),
      (#"{"type": "string", "pattern": "^\"\\s$"}"#, [#""\"\n""#, #""\" ""#], [#""\"a""#]),
      (
        #"{"type": "string", "format": "date"}"#, [#""2024-02-29""#, #""2000-02-29""#, #""2023-02-28""#],
        [#""2024-02-30""#, #""2024-13-01""#, #""24-01-01""#, #""2023-02-29""#, #""2100-02-29""#]
      ),
      (
        #"{"type": "string", "format": "time"}"#, [#""12:30:00Z""#, #""23:59:60.5Z""#, #""23:59:59.5+01:00""#],
        [#""24:00:00Z""#, #""12:30:00""#, #""22:59:60Z""#, #""23:59:60+01:00""#]
      ),
      (#"{"type": "string", "format": "date-time"}"#, [#""2024-02-29T12:30:00Z""#], [#""2024-02-29 12:30:00Z""#]),
      (
        #"{"type": "string", "format": "uuid"}"#, [#""123e4567-e89b-12d3-a456-426614174000""#],
        [#""123e4567-e89b-12d3-a456-42661417400g""#]
      ),
      (#"{"type": "string", "format": "ipv4"}"#, [#""255.1.0.9""#], [#""256.1.0.9""#, #""01.1.1.1""#]),
      (
        #"{"type": "string", "format": "ipv6"}"#, [#""::""#, #""::1""#, #""1:2:3:4:5:6:7:8""#, #""fe80::1:2""#],
        [#""1:2:3""#, #""1::2::3""#]
      ),
      (#"{"type": "string", "format": "email"}"#, [#""a.b@c.de""#], [#""a@@b""#, #""a@-b""#, #"".a@b""#]),
      (#"{"type": "integer"}"#, ["0", "-12", "123"], ["01", "1.5", "+1", "1e3"]),
      (
        #"{"type": "integer", "minimum": -12, "exclusiveMaximum": 105}"#, ["-12", "0", "104", "9", "99"],
        ["-13", "105", "1000", "-100"]
      ),
      (#"{"type": "integer", "multipleOf": 6}"#, ["0", "6", "-12", "1002"], ["7", "1000", "-1"]),
      (#"{"type": "integer", "minimum": 1.5, "maximum": 3.5}"#, ["2", "3"], ["1", "4"]),
      (#"{"type": "number"}"#, ["1.5e-3", "-0.0", "10"], ["1.", ".5", "1e"]),
      (
        #"{"type": "number", "minimum": 0.25, "exclusiveMaximum": 12.5}"#,
        ["0.25", "0.250", "0.3", "12.49", "9", "12"], ["0.24", "12.5", "12.50", "13", "100"]
      ),
      (#"{"type": "number", "multipleOf": 0.05}"#, ["0.15", "1", "2.50", "-3.10"], ["0.16", "2.501"]),
      (#"{"type": "number", "minimum": 1e20}"#, ["100000000000000000000"], ["99999999999999999999"]),
      (
        #"{"enum": ["a", 1, 2.5, null, true, [1, {"k": []}]]}"#,
        [#""a""#, "1", "2.5", "null", "true", #"[1, {"k": []}]"#], [#""b""#, "2", "false", "[1]"]
      ),
      (#"{"const": {"a": "\n"}}"#, [#"{"a":"\n"}"#], ["{}"]),
      (#"{"type": ["integer", "null"]}"#, ["1", "null"], ["true"]),
      (
        #"{"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2}"#,
        ["[1]", "[1, 2]", "[\n  1,\n  2\n]"], ["[]", "[1,2,3]", "[1,]"]
      ),
      (
        #"{"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": false}"#, ["[]", "[1]", "[1,2]"],
        ["[2]", "[1,2,3]"]
      ),
      (#"{"items": [{"const": 1}], "additionalItems": {"const": "x"}, "type": "array"}"#, [#"[1,"x","x"]"#], ["[1,1]"]),
      (
        #"{"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}}, "required": ["b"], "additionalProperties": false}"#,
        [#"{"b":2}"#, #"{"a":1,"b":2,"c":3}"#, #"{"b": 2, "c": 3}"#],
        ["{}", #"{"a":1}"#, #"{"b":2,"a":1}"#, #"{"b":2,"d":4}"#]
      ),
      (
        #"{"type": "object", "properties": {"ab": {"const": 1}}, "additionalProperties": {"type": "boolean"}}"#,
        [#"{"ab":1,"a":true,"abc":false}"#, #"{"x":true}"#, "{}"],
        [#"{"ab":true}"#, #"{"x":1}"#, #"{"x":true,"ab":1}"#]
      ),
      (
        #"{"type": "object", "additionalProperties": {"const": 0}, "minProperties": 1, "maxProperties": 2}"#,
        [#"{"a":0}"#, #"{"a":0,"b":0}"#], ["{}", #"{"a":0,"b":0,"c":0}"#]
      ),
      (
        #"{"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "additionalProperties": false, "minProperties": 2}"#,
        [#"{"a":0,"c":1}"#], [#"{"b":1}"#, "{}"]
      ),
      (
        #"{"type": "object", "patternProperties": {"^x": {"const": 1}, "^y": false}, "additionalProperties": {"const": 2}, "properties": {"xa": {"type": "integer"}}}"#,
        [#"{"xa":1,"xb":1,"z":2}"#], [#"{"xa":2}"#, #"{"xb":2}"#, #"{"ya":2}"#]
      ),
      (#"{"required": ["q"], "type": "object"}"#, [#"{"q":[1,{"a":null}]}"#, #"{"q":1,"r":2}"#], ["{}", #"{"r":1}"#]),
      (#"{"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]}"#, ["12", #""x""#], [#""xy""#, "null"]),
      (
        #"{"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"a": {"minimum": 5}, "b": {"const": 1}}}]}"#,
        [#"{"a":5,"b":1}"#], [#"{"a":4}"#, #"{"b":1}"#]
      ),
      (#"{"type": "integer", "anyOf": [{"minimum": 10}, {"maximum": -10}]}"#, ["10", "-10"], ["9", "-9", "0"]),
      (
        #"{"oneOf": [{"properties": {"t": {"const": "a"}}, "required": ["t"], "type": "object"}, {"properties": {"t": {"const": "b"}}, "required": ["t"], "type": "object"}, {"type": "null"}]}"#,
        [#"{"t":"a"}"#, #"{"t":"b"}"#, "null"], [#"{"t":"c"}"#]
      ),
      (
        ##"{"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}, "required": ["v"], "additionalProperties": false}}}"##,
        [#"{"v":1,"kids":[{"v":2,"kids":[]},{"v":3}]}"#], [#"{"kids":[]}"#]
      ),
      (
        ##"{"$ref": "#/definitions/a~1b%20c", "minimum": 3, "definitions": {"a/b c": {"type": "integer"}}}"##, ["3"],
        ["2", "3.5"]
      ),
      ("true", ["null", #"{"a":[1,"x",{}]}"#, "-1.5e3"], ["nul", "{a:1}"].filter { $0 != "nul" }),
      (#"{"type": "string", "enum": ["x", 1]}"#, [#""x""#], ["1"]),
      (#"{"minimum": 3}"#, ["3", #""text""#, "null"], ["2"]),
    ] as [(String, [String], [String])])
  func meaning(text: String, whole: [String], refused: [String]) throws {
    let grammar = try schema(text)
    for text in whole { #expect(try fate(of: text, in: grammar) == .whole, "\(text)") }
    for text in refused { #expect(try fate(of: text, in: grammar) != .whole, "\(text)") }
  }

  @Test(
    "a keyword that is not supported is refused with its pointer, wherever it stands",
    arguments: [
      (#"{"not": {}}"#, "test.json#/not: error: the keyword 'not' is not supported"),
      (
        #"{"properties": {"a/b": {"items": {"contains": {}}}}}"#,
        "test.json#/properties/a~1b/items/contains: error: the keyword 'contains' is not supported"
      ),
      (#"{"anyOf": [{}, {"if": {}}]}"#, "test.json#/anyOf/1/if: error: the keyword 'if' is not supported"),
      (#"{"uniqueItems": true}"#, "test.json#/uniqueItems: error: the keyword 'uniqueItems' is not supported"),
      (#"{"x-mine": 1}"#, "test.json#/x-mine: error: the keyword 'x-mine' is not supported"),
      (#"{"type": "strin"}"#, "test.json#/type: error: there is no type \"strin\""),
      (
        #"{"format": "iri"}"#,
        "test.json#/format: error: there is no format \"iri\"; there are date, time, date-time, duration, uuid, ipv4, ipv6, hostname, email, uri"
      ),
      (
        #"{"pattern": "a(?=b)"}"#,
        "test.json#/pattern: error: the pattern is not supported: looking ahead or behind, as (?=…) does, is not supported"
      ),
      (
        #"{"pattern": "(a)\\1"}"#,
        "test.json#/pattern: error: the pattern is not supported: references to groups, \\1, are not supported"
      ),
      (#"{"minLength": -1}"#, "test.json#/minLength: error: minLength takes an integer of at least 0"),
      (##"{"$ref": "#/nowhere"}"##, "test.json#/$ref: error: there is nothing at '#/nowhere'"),
      (
        #"{"$ref": "https://example.org/x"}"#,
        "test.json#/$ref: error: 'https://example.org/x' is no place in this document; only '#' and '#/…' are supported"
      ),
      (
        #"{"oneOf": [{"type": "integer"}, {"type": "number"}]}"#,
        "test.json#/oneOf: error: a value could be allowed by both branches 0 and 1, which oneOf forbids; write anyOf, or tell the "
          + "branches apart by a required property with a const"
      ),
      ("[]", "test.json#: error: a schema is an object, true or false, not an array"),
      ("false", "test.json: error: no text matches: every way ends in a contradiction, or goes on without end"),
      (
        #"{"type": "integer", "minimum": 3, "maximum": 2}"#,
        "test.json: error: no text matches: every way ends in a contradiction, or goes on without end"
      ),
    ])
  func mistakes(text: String, sentence: String) {
    #expect(problem { try schema(text) } == sentence)
  }

  private static let manyValues: String = {
    let values = (0..<20_000).map { "\"value \($0)\"" }
    return "{\"enum\": [" + values.joined(separator: ",") + "]}"
  }()

  private static let manyProperties: String = {
    let properties = (0..<2000).map { "\"p\($0)\": {\"type\": \"string\"}" }
    return "{\"type\": \"object\", \"properties\": {" + properties.joined(separator: ",") + "}}"
  }()

  private static let deep: String =
    String(repeating: "{\"items\":", count: 100) + "{}" + String(repeating: "}", count: 100)

  private static let manyAlternatives: String = {
    let one = "{\"anyOf\": [{\"minimum\": 1}, {\"maximum\": 5}]}"
    return "{\"allOf\": [" + Array(repeating: one, count: 16).joined(separator: ",") + "]}"
  }()

  private static let hostileTexts: [String] = [
    ##"{"$ref": "#"}"##,
    ##"{"anyOf": [{"$ref": "#"}, {"$ref": "#/anyOf/0"}]}"##,
    ##"{"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}], "$defs": {"a": {"properties": {"x": {"$ref": "#/$defs/a"}}}, "b": {"properties": {"x": {"$ref": "#/$defs/b"}}}}}"##,
    #"{"type": "string", "minLength": 1000000000}"#,
    #"{"type": "string", "maxLength": 1000000000, "pattern": "a"}"#,
    #"{"type": "string", "pattern": "^(a|b|ab)*c{1,1000}(a?){500}$", "maxLength": 400}"#,
    #"{"type": "string", "pattern": "^(.*a){20}.{20}$", "minLength": 3}"#,
    #"{"type": "array", "minItems": 1000000000}"#,
    #"{"type": "number", "multipleOf": 0.000000001}"#,
    #"{"type": "number", "minimum": 1e308, "maximum": 1.5e308}"#,
    manyValues, manyProperties, deep, manyAlternatives,
  ]

  @Test("hostile schemas end, by a sentence or by a result", arguments: hostileTexts)
  func hostile(text: String) {
    do {
      let matcher = try TokenGrammar(try schema(text), bytes).matcher()
      _ = try matcher.mask()
    } catch { #expect(error is GrammarProblem) }
  }
}
