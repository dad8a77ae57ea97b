import Files
import Testing

@Suite struct JSONValueTests {
  @Test("values of every kind are read")
  func kinds() throws {
    let value = try JSONValue(parsing: #" {"a": [1, -2, 3.5, 1e3, true, false, null, "x"], "b": {}} "#)
    #expect(value["a"]?.array == [1, -2, 3.5, .number(1000), true, false, .null, "x"])
    #expect(value["b"]?.object?.isEmpty == true)
    #expect(value["c"] == nil)
    #expect(value["a"]?.array?[3].integer == 1000)
  }

  @Test("integers keep 64 bits and become numbers beyond them")
  func boundaries() throws {
    #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
    #expect(try JSONValue(parsing: "-9223372036854775808") == .integer(.min))
    #expect(try JSONValue(parsing: "9223372036854775808") == .number(9_223_372_036_854_775_808))
    #expect(try JSONValue(parsing: "-9223372036854775809") == .number(-9_223_372_036_854_775_808))
    #expect(try JSONValue(parsing: "9223372036854775808").integer == nil)
    #expect(try JSONValue(parsing: "-0") == .number(0))
  }

  @Test("strings decode escapes and surrogate pairs")
  func strings() throws {
    #expect(
      try JSONValue(parsing: #""a\"\\\/\b\f\n\r\t\u00e9\ud834\udd1e z""#).string == "a\"\\/\u{8}\u{C}\n\r\t\u{E9}𝄞 z")
    #expect(try JSONValue(parsing: #""\u0000""#).string?.utf8.count == 1)
  }

  @Test("keys keep their order and are found among many")
  func order() throws {
    let text = "{" + (0..<1000).map { "\"k\($0 * 7919 % 1000)\": \($0)" }.joined(separator: ",") + "}"
    let object = try #require(try JSONValue(parsing: text).object)
    #expect(object.keys == (0..<1000).map { "k\($0 * 7919 % 1000)" })
    for number in 0..<1000 { #expect(object["k\(number * 7919 % 1000)"]?.integer == number) }
    #expect(object["k1000"] == nil)
  }

  @Test("two spellings of one character are two keys and two values")
  func canonicalEquivalence() throws {
    let object = try #require(try JSONValue(parsing: "{\"\u{E9}\": 1, \"e\u{301}\": 2}").object)
    #expect(object["\u{E9}"] == 1)
    #expect(object["e\u{301}"] == 2)
    #expect(JSONValue.string("\u{E9}") != JSONValue.string("e\u{301}"))
  }

  @Test(
    "each broken document is refused at its byte",
    arguments: [
      ("", 0, "the file ends where a value is expected"),
      ("[1,]", 3, "expected a value, found ']'"),
      (#"{"a":1,}"#, 7, "expected a key in quotes, found '}'"),
      (#"{"a":1,"a":2}"#, 7, "the key 'a' appears twice in one object"),
      (#"{"a" 1}"#, 5, "expected ':' after the key, found '1'"),
      ("[1 2]", 3, "expected ',' or ']', found '2'"),
      ("NaN", 0, "expected a value, found 'N'"),
      ("nul", 0, "expected 'null', found 'n'"),
      ("1 x", 2, "the JSON document has ended, and more follows"),
      ("01", 0, "a number begins with a needless 0"),
      ("-", 0, "expected a digit after '-'"),
      ("1.", 0, "expected a digit after the point of a number"),
      ("1e+", 0, "expected a digit in the exponent of a number"),
      ("1e999", 0, "the number is too large for 64 bits"),
      ("\"a", 0, "the string is not closed"),
      ("\"a\nb\"", 2, "a control character stands unescaped in a string"),
      (#""\x""#, 1, "an unknown escape in a string"),
      (#""\u12g4""#, 3, "'\\u' needs four hexadecimal digits"),
      (#""\ud834 x""#, 1, "half of a surrogate pair stands alone"),
      (#""\udd1e""#, 1, "half of a surrogate pair stands alone"),
      (#""\ud834\u0041""#, 1, "half of a surrogate pair stands alone"),
      ("[", 1, "the file ends where a value is expected"),
      ("\u{FEFF}1", 0, "expected a value, found the byte 0xef"),
    ])
  func refusals(_ text: String, place: Int, sentence: String) {
    let problem = #expect(throws: FileProblem.self) { _ = try JSONValue(parsing: text, name: "f") }
    #expect(problem == FileProblem(path: "f", offset: place, sentence: sentence))
  }

  @Test(
    "bytes that are not UTF-8 are refused, plain and beside an escape",
    arguments: [
      [0x22, 0xFF, 0x22], [0x22, 0x5C, 0x6E, 0xC3, 0x22],
    ] as [[UInt8]])
  func notUTF8(_ bytes: [UInt8]) throws {
    try withBytes(bytes) { bytes throws in
      #expect(throws: FileProblem.self) { _ = try JSONValue(parsing: bytes, name: "f") }
    }
  }

  @Test("128 levels are read, 129 and a hundred thousand are refused")
  func depth() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try JSONValue(parsing: nested(128))
    #expect(throws: FileProblem.self) { _ = try JSONValue(parsing: nested(129)) }
    #expect(throws: FileProblem.self) { _ = try JSONValue(parsing: nested(100_000)) }
  }

  @Test("a document cut anywhere is refused")
  func truncation() throws {
    let text = Array(#"{"a": [1, {"b": "c\u00e9"}, true], "d": null}"#.utf8)
    for count in 0..<text.count {
      try withBytes(text[..<count]) { bytes throws in
        #expect(throws: FileProblem.self) { _ = try JSONValue(parsing: bytes, name: "f") }
      }
    }
  }

  @Test("written text reads back as the same value", arguments: [false, true])
  func roundTrip(pretty: Bool) throws {
    let value: JSONValue = [
      "a": [1, -2, 0.1, 1e300, true, .null], "b": ["c": "\u{0}\"\\\n é 𝄞", "d": [:], "e": []], "f": [["x": 1], [2]],
    ]
    #expect(try JSONValue(parsing: value.serialized(pretty: pretty)) == value)
  }

  @Test("pretty text is the same every time and keeps the order")
  func pretty() {
    let value: JSONValue = ["b": [1, 2], "a": ["c": true], "d": [["e": .null]]]
    #expect(value.serialized() == #"{"b":[1,2],"a":{"c":true},"d":[{"e":null}]}"#)
    #expect(
      value.serialized(pretty: true) == """
        {
          "b": [1, 2],
          "a": {
            "c": true
          },
          "d": [
            {
              "e": null
            }
          ]
        }
        """)
  }

  @Test("members are replaced, added and removed by key")
  func mutation() {
    var object = JSONObject()
    for number in 0..<20 { object["k\(number)"] = .integer(number) }
    object["k3"] = "three"
    object["k5"] = nil
    #expect(object.count == 19)
    #expect(object["k3"] == "three")
    #expect(object["k5"] == nil)
    #expect(object["k19"] == 19)
    let inserted = object.insert(1, for: "k3")
    #expect(!inserted)
  }
}

/// Numbers that JSON has no word for.
@Suite struct JSONLiteralTests {
  @Test("are null, or where they are asked for, the words of Python's writer")
  func words() {
    let value: JSONValue = [.number(.infinity), .number(-.infinity), .number(.nan), 1.5, ["a": .number(.infinity)]]
    #expect(value.serialized() == #"[null,null,null,1.5,{"a":null}]"#)
    #expect(value.serialized(literals: true) == #"[Infinity,-Infinity,NaN,1.5,{"a":Infinity}]"#)
  }
}
