import Essentials
import Files
import Generation
import Models
import ServingLink
import Templates

/// A request to answer a conversation: `/v1/chat/completions`.
struct ChatRequest {
  let form: Reply.Form
  let request: ContinuousBatch.Request
  /// The pictures in it.
  let pictures: [PictureReader.Tiles]

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
    let (conversation, files) = try Self.conversation(&fields, choice, model)
    let short = try GenerationFields.maximumTokens(
      "max_tokens", &fields, standard: limits.tokens, limit: limits.tokens)
    let most = try GenerationFields.maximumTokens(
      "max_completion_tokens", &fields, standard: short, limit: limits.tokens)
    try fields.finish()
    let calls = Self.calls(of: conversation, model)
    try choice.apply(to: &common, calls?.0, fields, model)
    pictures = try model.pictures(in: files)
    let prompt = try Self.encoded(conversation, model, pictures)
    try model.check(prompt.ids, "messages", showsPictures: !pictures.isEmpty)
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

  /// The tokens of `conversation` with `pictures`; what its template says against it is the client's to mend.
  static func encoded(
    _ conversation: Conversation, _ model: ServedModel, _ pictures: [PictureReader.Tiles]
  ) throws(ErrorAnswer) -> (ids: [Int], stops: [String], ends: Set<Int>) {
    do {
      return try model.encode(conversation, pictures)
    } catch let error as ErrorAnswer {
      throw error
    } catch let error as TemplateProblem {
      throw ErrorAnswer(
        400, "the chat template: \(error.sentence.onOneLine)", parameter: "messages", code: "invalid_conversation")
    } catch { throw ErrorAnswer(400, "\(error)".onOneLine, parameter: "messages", code: "invalid_conversation") }
  }

  /// The messages, what the template is told beside them, and the files of the pictures in them.
  static func conversation(
    _ fields: inout RequestFields, _ choice: ToolChoice, _ model: ServedModel
  ) throws(ErrorAnswer) -> (Conversation, files: [[UInt8]]) {
    guard let messages = try fields.array("messages"), !messages.isEmpty else {
      throw fields.wrong("messages", "is missing or empty")
    }
    var plain: [JSONObject] = []
    var files: [[UInt8]] = []
    for (place, message) in messages.enumerated() {
      guard var object = message.object, message["role"]?.string != nil else {
        throw fields.wrong("messages", "has at [\(place)] \(message.kind) without a 'role'")
      }
      // What called tools may have said nothing; whoever else speaks says something.
      let calls = ["tool_calls", "function_call"].contains { message[$0].map { !$0.isNull } ?? false }
      guard calls || message["content"].map({ $0.string != nil || $0.array != nil }) ?? false else {
        throw fields.wrong("messages", "has at [\(place)] no 'content', which is a text or a list of parts")
      }
      if let parts = message["content"]?.array {
        let before = files.count
        let read = try Self.parts(parts, place, fields, model, &files)
        object["content"] =
          files.count > before ? .array(read) : .string(read.lazy.compactMap { $0["text"]?.string }.joined())
      }
      plain.append(object)
    }
    if !files.isEmpty {
      // A template may take all contents as lists of parts, or none.
      for place in plain.indices {
        if let text = plain[place]["content"]?.string {
          plain[place]["content"] = .array([["type": "text", "text": .string(text)]])
        }
      }
    }
    let more = try fields.group("chat_template_kwargs").map { _ in
      fields.value("chat_template_kwargs")?.object ?? JSONObject()
    }
    let asks = try fields.flag("add_generation_prompt") ?? true
    return (
      Conversation(
        messages: plain.map(JSONValue.object), tools: choice.tools, asksForAnswer: asks, more: more ?? JSONObject()),
      files
    )
  }

  /// The parts of a content as templates take them; the files of pictures go to `files`.
  private static func parts(
    _ parts: [JSONValue], _ place: Int, _ fields: RequestFields, _ model: ServedModel, _ files: inout [[UInt8]]
  ) throws(ErrorAnswer) -> [JSONValue] {
    var read: [JSONValue] = []
    for part in parts {
      if part["type"]?.string == "text", let text = part["text"]?.string {
        read.append(["type": "text", "text": .string(text)])
        continue
      }
      guard model.encoder != nil else {
        throw fields.wrong(
          "messages", "has at [\(place)] a part that is no text, which is all that '\(model.id)' reads")
      }
      guard part["type"]?.string == "image_url", let address = part["image_url"]?["url"]?.string else {
        throw fields.wrong(
          "messages", "has at [\(place)] a part that is neither a text nor an 'image_url' with its 'url'")
      }
      guard ["auto", nil].contains(part["image_url"]?["detail"]?.string) else {
        throw fields.wrong("messages", "has at [\(place)] a 'detail' that is not auto, which is what there is")
      }
      guard let file = Self.file(inAddress: address) else {
        throw fields.wrong(
          "messages",
          "has at [\(place)] a picture that is not here: the server fetches nothing, so send data:image/png;base64,…")
      }
      guard files.count < ServerLimits.pictures else {
        throw fields.wrong("messages", "has more than \(ServerLimits.pictures) pictures")
      }
      files.append(file)
      read.append(["type": "image"])
    }
    return read
  }

  /// The bytes in a `data:` address; nil for what is none, or not in base64.
  private static func file(inAddress address: String) -> [UInt8]? {
    guard address.prefix(5).lowercased() == "data:", let comma = address.firstIndex(of: ","),
      address[..<comma].lowercased().hasSuffix(";base64"),
      let bytes = Data(base64Encoded: String(address[address.index(after: comma)...]))
    else { return nil }
    return [UInt8](bytes)
  }
}
