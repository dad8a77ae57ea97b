import Files
import Generation
import ServingLink

/// A request to continue texts: `/v1/completions`.
struct CompletionRequest {
  let form: Reply.Form
  let requests: [ContinuousBatch.Request]

  /// Reads the parameters behind `model`. Throws the first that is wrong.
  init(_ fields: inout RequestFields, _ model: ServedModel, id: String, created: Int, limits: ServerLimits)
    throws(ErrorAnswer)
  {
    var common = try GenerationFields(&fields, model)
    try common.readFormat(&fields, model)
    let echoes = try fields.flag("echo") ?? false
    let likeliest = try fields.integer("logprobs", in: 0...ServerLimits.likeliest)
    let bestOf = try fields.integer("best_of", in: 1...ServerLimits.choices) ?? common.count
    let marks = try fields.flag("add_special_tokens") ?? true
    let most = try GenerationFields.maximumTokens("max_tokens", &fields, standard: 16, limit: limits.tokens)
    let prompts = try Self.prompts(&fields, model, addSpecialTokens: marks)
    if fields.value("suffix") != nil { throw fields.wrong("suffix", "is not supported", code: "unknown_parameter") }
    try fields.finish()
    if bestOf < common.count { throw fields.wrong("best_of", "is less than 'n'") }
    if bestOf > common.count, common.streams { throw fields.wrong("best_of", "and 'stream' exclude each other") }
    if prompts.count * bestOf > ServerLimits.prompts {
      throw fields.wrong("prompt", "times 'best_of' gives more than \(ServerLimits.prompts) texts in one request")
    }
    common.settings.maximumTokens = most
    common.settings.beginsText = false
    common.settings.logProbabilities = likeliest ?? (bestOf > common.count ? 0 : nil)
    requests = prompts.map {
      ContinuousBatch.Request(
        $0.ids, common.continuations(bestOf), promptProbabilities: echoes ? likeliest : nil)
    }
    form = Reply.Form(
      id: "cmpl-" + id, created: created, model: model.id, isChat: false, streams: common.streams,
      streamsUsage: common.streamsUsage, likeliest: likeliest, echoes: echoes, prompts: prompts, choices: common.count,
      continuations: bestOf, words: TokenWords(tokenizer: model.loaded.tokenizer))
  }

  private typealias Prompt = (text: String, ids: [Int], startsWithMark: Bool)

  /// A text, a list of them, token ids, or a list of those.
  private static func prompts(
    _ fields: inout RequestFields, _ model: ServedModel, addSpecialTokens: Bool
  ) throws(ErrorAnswer) -> [Prompt] {
    guard let value = fields.value("prompt") else { return [try begun(fields, model)] }
    if let text = value.string { return [try prompt(text, fields, model, addSpecialTokens)] }
    guard let list = value.array, let first = list.first else {
      throw fields.wrong(
        "prompt",
        "takes a text, token ids, or a list of one of them, not \(value.array == nil ? value.kind : "an empty list")")
    }
    if first.integer != nil { return [try prompt(list, fields, model)] }
    guard list.count <= ServerLimits.prompts else {
      throw fields.wrong("prompt", "takes at most \(ServerLimits.prompts) prompts")
    }
    var prompts: [Prompt] = []
    for one in list {
      if let text = one.string {
        prompts.append(try prompt(text, fields, model, addSpecialTokens))
      } else if let ids = one.array {
        prompts.append(try prompt(ids, fields, model))
      } else {
        throw fields.wrong("prompt", "takes texts or lists of token ids, not \(one.kind)")
      }
    }
    return prompts
  }

  private static func prompt(
    _ text: String, _ fields: RequestFields, _ model: ServedModel, _ addSpecialTokens: Bool
  ) throws(ErrorAnswer) -> Prompt {
    if text.isEmpty { return try begun(fields, model) }
    let ids = try model.encode(text, fields.name("prompt"), addSpecialTokens: addSpecialTokens)
    try model.check(ids, fields.name("prompt"))
    let adds = addSpecialTokens && model.loaded.tokenizer?.addsBeginningOfText == true
    return (text, ids, adds && ids.first == model.loaded.tokenizer?.beginningOfText)
  }

  private static func prompt(
    _ list: [JSONValue], _ fields: RequestFields, _ model: ServedModel
  ) throws(ErrorAnswer) -> Prompt {
    var ids: [Int] = []
    for one in list {
      guard let id = one.integer else { throw fields.wrong("prompt", "takes token ids, not \(one.kind) among them") }
      ids.append(id)
    }
    try model.check(ids, fields.name("prompt"))
    return (model.loaded.tokenizer?.decode(ids) ?? "", ids, false)
  }

  /// What begins a text of which nothing is given.
  private static func begun(_ fields: RequestFields, _ model: ServedModel) throws(ErrorAnswer) -> Prompt {
    guard let start = model.startToken else { throw fields.wrong("prompt", "is empty, and no token begins a text") }
    return ("", [start], true)
  }
}
