import Files

/// What a chat template is given: messages, tools, documents, and whether an answer is asked for.
public struct Conversation: Sendable {
  /// The messages in order: objects with a `role`, mostly a `content`, and whatever else the template reads.
  public var messages: [JSONValue]
  /// The tools that the model may call, as JSON schemas; nil for none.
  public var tools: [JSONValue]?
  /// Texts that the model may quote; nil for none.
  public var documents: [JSONValue]?
  /// Whether the text ends where the model's answer begins.
  public var asksForAnswer: Bool
  /// The name of the template to use where a model has several; nil for the one that fits.
  public var template: String?
  /// What else the template is told, by name.
  public var more: JSONObject

  /// A conversation of these messages.
  public init(
    messages: [JSONValue], tools: [JSONValue]? = nil, documents: [JSONValue]? = nil, asksForAnswer: Bool = true,
    template: String? = nil, more: JSONObject = JSONObject()
  ) {
    self.messages = messages
    self.tools = tools
    self.documents = documents
    self.asksForAnswer = asksForAnswer
    self.template = template
    self.more = more
  }

  /// A question, behind what the system says.
  public init(user: String, system: String? = nil) {
    var messages: [JSONValue] = []
    if let system { messages.append(["role": "system", "content": .string(system)]) }
    self.init(messages: messages + [["role": "user", "content": .string(user)]])
  }

  /// The variables of the template, as transformers 5.23 makes them: keys of a message that are null are left out, and
  /// reasoning goes by each of its names.
  func variables(_ specialTokens: JSONObject) -> JSONObject {
    var variables = specialTokens
    for (name, value) in more { variables[name] = value }
    variables["messages"] = .array(messages.map(Self.plain))
    variables["tools"] = tools.map(JSONValue.array) ?? .null
    variables["documents"] = documents.map(JSONValue.array) ?? .null
    variables["add_generation_prompt"] = .bool(asksForAnswer)
    return variables
  }

  private static let reasoning = ["reasoning_content", "thinking", "reasoning"]

  private static func plain(_ message: JSONValue) -> JSONValue {
    guard let members = message.object else { return message }
    var kept = JSONObject()
    for (key, value) in members where !value.isNull { kept[key] = value }
    guard let thoughts = reasoning.compactMap({ kept[$0] }).first else { return .object(kept) }
    var result = JSONObject()
    result["thinking"] = thoughts
    for (key, value) in kept { result[key] = value }
    result["reasoning_content"] = thoughts
    return .object(result)
  }
}
