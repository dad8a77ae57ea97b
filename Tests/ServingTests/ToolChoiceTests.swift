import Files
import Serving
import TestSupport
import Testing

/// Answers that have to call a tool, of a model that never learned to.
@Suite("tool_choice asks for calls")
struct ToolChoiceTests {
  /// How the words of each template make the model write calls.
  private static let words = ["<tool_call>", "[TOOL_CALLS]", "<|python_tag|>"]

  private static let tools: JSONValue = [
    [
      "type": "function",
      "function": [
        "name": "weather",
        "parameters": [
          "type": "object", "properties": ["city": ["$ref": "#/$defs/city"]], "required": ["city"],
          "additionalProperties": false, "$defs": ["city": ["enum": ["Rome", "Oslo"]]],
        ],
      ],
    ], ["type": "function", "function": ["name": "time"]],
  ]

  private static func server(_ word: String) throws -> ModelServer {
    let turns = "turn: \"{role}: {content}\\n\", prompt: \"assistant: \", system: \"\(word)\""
    return try Served.server([Served.model("story-llama", changes: ["chat={\(turns)}"])])
  }

  private static func body(_ choice: JSONValue, _ others: [(String, JSONValue)] = []) -> JSONValue {
    var body = JSONObject()
    body["model"] = "story-llama"
    body["messages"] = [["role": "user", "content": "Is it warm?"]]
    body["tools"] = tools
    body["tool_choice"] = choice
    (body["max_tokens"], body["seed"]) = (300, 7)
    for (key, value) in others { body[key] = value }
    return .object(body)
  }

  @Test("the tool that is named is called, once, with arguments that its schema allows", arguments: words)
  func named(_ word: String) throws {
    let server = try Self.server(word)
    let choice: JSONValue = ["type": "function", "function": ["name": "weather"]]
    for seed in 1...4 {
      let answer = server.ask("/v1/chat/completions", Self.body(choice, [("seed", .integer(seed))]))
      #expect(answer.status == 200, "\(answer.text)")
      let given = answer.json["choices"]?.array?[0]
      #expect(given?["finish_reason"]?.string == "tool_calls", "\(answer.text)")
      let calls = given?["message"]?["tool_calls"]?.array ?? []
      #expect(calls.count == 1 && calls.first?["function"]?["name"]?.string == "weather")
      let arguments = try JSONValue(parsing: calls.first?["function"]?["arguments"]?.string ?? "")
      #expect(["Rome", "Oslo"].contains(arguments["city"]?.string ?? ""))
    }
  }

  @Test("some tool is called where one is required, in a stream too, and only one where calls are not parallel")
  func required() throws {
    let server = try Self.server(Self.words[0])
    for seed in 1...4 {
      let others: [(String, JSONValue)] = [
        ("seed", .integer(seed)), ("stream", true), ("parallel_tool_calls", false), ("max_tokens", 2000),
      ]
      let answer = server.ask("/v1/chat/completions", Self.body("required", others))
      let deltas = answer.events.compactMap { $0["choices"]?.array?.first }
      let names = deltas.flatMap { $0["delta"]?["tool_calls"]?.array ?? [] }.compactMap {
        $0["function"]?["name"]?.string
      }
      // What the schema of 'time' leaves open may be longer than the answer.
      if deltas.last?["finish_reason"]?.string == "length" { continue }
      #expect(names.count == 1 && ["weather", "time"].contains(names[0]), "\(answer.text)")
    }
  }

  @Test("a call and another form of the answer exclude each other")
  func forms() throws {
    let server = try Self.server(Self.words[0])
    let answer = server.ask(
      "/v1/chat/completions", Self.body("required", [("response_format", ["type": "json_object"])]))
    #expect(answer.status == 400 && answer.parameter == "tool_choice")
  }
}
