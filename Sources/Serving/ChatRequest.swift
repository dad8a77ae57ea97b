import Files
import Generation
import Models
import ServingLink
import Templates

/// A request to answer a conversation: `/v1/chat/completions`.
struct ChatRequest {
  let form: Reply.Form
  let request: ContinuousBatch.Request

  /// Reads the parameters behind `model`. Throws the first that is wrong.
  init(_ fields: inout RequestFields, _ model: ServedModel, id: String, created: Int, limits: ServerLimits)
    throws(ErrorAnswer)
  {
    var common = try GenerationFields(&fields, model)
    try common.readFormat(&fields, model)
    let wanted = try fields.flag("logprobs") ?? false
    let top = try fields.integer("top_logprobs", in: 0...20)
    if top != nil, !wanted { throw fields.wrong("top_logprobs", "goes with 'logprobs': true") }
    let choice = try ToolChoice(&fields)
    let conversation = try Self.conversation(&fields, choice)
    let short = try GenerationFields.maximumTokens(
      "max_tokens", &fields, standard: limits.tokens, limit: limits.tokens)
    let most = try GenerationFields.maximumTokens(
      "max_completion_tokens", &fields, standard: short, limit: limits.tokens)
    try fields.finish()
    let calls = Self.calls(of: conversation, model)
    try choice.apply(to: &common, calls?.0, fields, model)
    let prompt = try Self.encoded(conversation, model)
    try model.check(prompt.ids, "messages")
    // A grammar says where an answer ends; what ends a turn could stand inside of it.
    if common.settings.grammar == nil { common.settings.stops += prompt.stops }
    common.settings.ends = prompt.ends
    common.settings.maximumTokens = most
    common.settings.beginsText = true
    common.settings.logProbabilities = wanted ? top ?? 0 : nil
    request = ContinuousBatch.Request(prompt.ids, common.continuations(common.count))
    form = Reply.Form(
      id: "chatcmpl-" + id, created: created, model: model.id, isChat: true, streams: common.streams,
      streamsUsage: common.streamsUsage, likeliest: wanted ? top ?? 0 : nil, echoes: false,
      prompts: [("", prompt.ids, false)], choices: common.count, continuations: common.count,
      words: TokenWords(tokenizer: model.loaded.tokenizer), calls: calls)
  }

  /// How the model writes calls of the tools that `conversation` tells it of; nil where it tells of none, or its template does
  /// not say how.
  private static func calls(of conversation: Conversation, _ model: ServedModel) -> (ToolCallForm, Set<String>)? {
    guard let tools = conversation.tools, !tools.isEmpty, let sources = model.template?.sources,
      let source = sources["tool_use"] ?? sources["default"] ?? sources.values.first,
      let form = ToolCallForm(template: source)
    else { return nil }
    return (form, Set(tools.compactMap { $0["function"]?["name"]?.string }))
  }

  /// The tokens of `conversation`; what its template says against it is the client's to mend.
  static func encoded(_ conversation: Conversation, _ model: ServedModel) throws(ErrorAnswer) -> (
    ids: [Int], stops: [String], ends: Set<Int>
  ) {
    do { return try model.encode(conversation) } catch let error as ErrorAnswer { throw error } catch let error
      as TemplateProblem
    {
      throw ErrorAnswer(
        400, "the chat template: \(error.sentence.onOneLine)", parameter: "messages", code: "invalid_conversation")
    } catch { throw ErrorAnswer(400, "\(error)".onOneLine, parameter: "messages", code: "invalid_conversation") }
  }

  /// The messages, and what the template is told beside them.
  static func conversation(_ fields: inout RequestFields, _ choice: ToolChoice) throws(ErrorAnswer) -> Conversation {
    guard let messages = try fields.array("messages"), !messages.isEmpty else {
      throw fields.wrong("messages", "is missing or empty")
    }
    var plain: [JSONValue] = []
    for (place, message) in messages.enumerated() {
      guard var object = message.object, message["role"]?.string != nil else {
        throw fields.wrong("messages", "has at [\(place)] \(message.kind) without a 'role'")
      }
      // What called tools may have said nothing; whoever else speaks says something.
      let calls = ["tool_calls", "function_call"].contains { message[$0].map { !$0.isNull } ?? false }
      guard calls || message["content"].map({ $0.string != nil || $0.array != nil }) ?? false else {
        throw fields.wrong("messages", "has at [\(place)] no 'content', which is a text or a list of parts")
      }
      if let parts = message["content"]?.array { object["content"] = .string(try text(parts, place, fields)) }
      plain.append(.object(object))
    }
    let more = try fields.group("chat_template_kwargs").map { _ in
      fields.value("chat_template_kwargs")?.object ?? JSONObject()
    }
    let asks = try fields.flag("add_generation_prompt") ?? true
    return Conversation(messages: plain, tools: choice.tools, asksForAnswer: asks, more: more ?? JSONObject())
  }

  /// The text of a content in parts.
  private static func text(_ parts: [JSONValue], _ place: Int, _ fields: RequestFields) throws(ErrorAnswer) -> String {
    var text = ""
    for part in parts {
      guard part["type"]?.string == "text", let own = part["text"]?.string else {
        throw fields.wrong("messages", "has at [\(place)] a part that is no text, which is all that is taken here")
      }
      text += own
    }
    return text
  }
}
