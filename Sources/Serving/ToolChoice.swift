import Files
import Grammars
import ServingLink

/// Which tools an answer may call and which it has to: `tools`, `tool_choice` and `parallel_tool_calls` of a request.
///
/// An answer that has to call is written by a grammar: the words that the model's template asks for around a JSON object with the
/// tool's name, and arguments that its schema allows.
struct ToolChoice {
  /// The tools that the template tells the model of; nil for none.
  let tools: [JSONValue]?
  /// The tools of which the answer calls one; nil where the model is free to.
  private let required: [JSONValue]?
  /// Whether an answer that has to call may do so several times.
  private let isParallel: Bool

  /// Reads it from `fields`. Throws the first that is wrong.
  init(_ fields: inout RequestFields) throws(ErrorAnswer) {
    let all = try fields.array("tools")
    for tool in all ?? [] where tool["function"]?.object == nil {
      throw fields.wrong("tools", "takes objects {\"type\": \"function\", \"function\": {…}}")
    }
    var (required, isOne): ([JSONValue]?, Bool) = (nil, false)
    var isNone = false
    if let choice = fields.value("tool_choice") {
      switch (choice.string, choice["function"]?["name"]?.string) {
      case ("auto", _): break
      case ("none", _): isNone = true
      case ("required", _): required = all ?? []
      case (nil, let name?):
        required = all?.filter { $0["function"]?["name"]?.string == name } ?? []
        isOne = true
        if required?.isEmpty == true {
          throw fields.wrong("tool_choice", "names '\(name.prefix(60))', and 'tools' has none of that name")
        }
      default:
        throw fields.wrong(
          "tool_choice", "takes auto, none, required or {\"type\": \"function\", \"function\": {\"name\": …}}")
      }
    }
    if let required {
      if required.isEmpty { throw fields.wrong("tool_choice", "asks for a call, and there are no 'tools'") }
      guard required.allSatisfy({ $0["function"]?["name"]?.string?.isEmpty == false }) else {
        throw fields.wrong("tools", "has one without a name, which no answer can call")
      }
    }
    let isParallel = try fields.flag("parallel_tool_calls")
    if isParallel == false, required == nil {
      throw fields.wrong(
        "parallel_tool_calls", "goes with a 'tool_choice' that asks for a call: else what the model writes is its own")
    }
    tools = isNone ? nil : all
    self.required = required
    self.isParallel = isParallel != false && !isOne
  }

  /// Lets an answer of `common` be the calls that it has to be, as the model writes them in `form`.
  func apply(
    to common: inout GenerationFields, _ form: ToolCallForm?, _ fields: RequestFields, _ model: ServedModel
  ) throws(ErrorAnswer) {
    guard let required else { return }
    guard let form else {
      throw fields.wrong(
        "tool_choice", "asks for a call, and the chat template does not say how the model writes one")
    }
    if common.settings.grammar != nil {
      throw fields.wrong("tool_choice", "that asks for a call, and 'response_format' or 'grammar' exclude each other")
    }
    if common.settings.ignoresEnd {
      throw fields.wrong("ignore_eos", "does not go with a call, which says where a text ends")
    }
    let schema = Self.schema(required, form.argumentsKey)
    let isList = form == .marked
    let whole: JSONValue = isList ? Self.list(of: schema, several: isParallel) : schema
    let (before, after) = form.marks
    let repeats = isParallel && form == .tagged
    common.settings.grammar = try GenerationFields.grammar(
      "tools", "calls:\(form):\(repeats):" + whole.serialized(), model
    ) { try Grammar(jsonSchema: whole, between: (before, after), repeats: repeats, name: "tools") }
  }

  /// A call of one of `tools`: an object with a name, and at `key` its arguments.
  private static func schema(_ tools: [JSONValue], _ key: String) -> JSONValue {
    var definitions = JSONObject()
    var calls: [JSONValue] = []
    for (place, tool) in tools.enumerated() {
      let name = tool["function"]?["name"]?.string ?? ""
      let parameters = tool["function"]?["parameters"].flatMap { $0.isNull ? nil : $0 } ?? .object(JSONObject())
      var members = JSONObject()
      members["name"] = ["const": .string(name)]
      members[key] = [
        "allOf": [["type": "object"], moved(parameters, to: "#/$defs/\(place)/properties/\(key)/allOf/1")]
      ]
      definitions["\(place)"] = [
        "type": "object", "properties": .object(members), "required": ["name", .string(key)],
        "additionalProperties": false,
      ]
      calls.append(["$ref": .string("#/$defs/\(place)")])
    }
    return ["$defs": .object(definitions), "anyOf": .array(calls)]
  }

  private static func list(of schema: JSONValue, several: Bool) -> JSONValue {
    var object = JSONObject()
    object["$defs"] = schema["$defs"]
    object["type"] = "array"
    object["items"] = ["anyOf": schema["anyOf"] ?? []]
    object["minItems"] = 1
    if !several { object["maxItems"] = 1 }
    return .object(object)
  }

  /// `schema`, a document of its own, as it stands at `place` of another: its references to itself lead there.
  private static func moved(_ schema: JSONValue, to place: String) -> JSONValue {
    if let items = schema.array { return .array(items.map { moved($0, to: place) }) }
    guard let members = schema.object else { return schema }
    var result = JSONObject()
    for (key, value) in members {
      if key == "$ref", let target = value.string, target.hasPrefix("#") {
        result[key] = .string(place + target.dropFirst())
      } else {
        // Values that answers may have are no schemas.
        result[key] = ["const", "enum", "default", "examples"].contains(key) ? value : moved(value, to: place)
      }
    }
    return .object(result)
  }
}

extension ToolCallForm {
  /// What stands before a call's JSON, and behind it.
  fileprivate var marks: (before: String, after: String) {
    switch self {
    case .tagged: ("<tool_call>\n", "\n</tool_call>")
    case .marked: ("[TOOL_CALLS] ", "")
    case .whole: ("", "")
    }
  }

  /// Under which name a call has its arguments.
  fileprivate var argumentsKey: String { self == .whole ? "parameters" : "arguments" }
}
