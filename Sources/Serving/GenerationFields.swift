import Files
import Generation
import Grammars
import ServingLink

/// The parameters that completions and chat have in common: how tokens are chosen, and what ends a text.
struct GenerationFields {
  var settings = TextGenerator.Settings()
  /// How many texts are answered with.
  var count = 1
  var streams = false
  /// Whether a stream ends with the counts of tokens.
  var streamsUsage = false

  /// Reads them from `fields`. Throws the first that is wrong.
  init(_ fields: inout RequestFields, _ model: ServedModel) throws(ErrorAnswer) {
    try Self.readRemarks(&fields)
    count = try fields.integer("n", in: 1...ServerLimits.choices) ?? 1
    streams = try fields.flag("stream") ?? false
    if var options = try fields.group("stream_options") {
      guard streams else { throw fields.wrong("stream_options", "goes with 'stream': true") }
      streamsUsage = try options.flag("include_usage") ?? false
      try options.finish()
    }
    settings.stops = try Self.stops(&fields)
    settings.ignoresEnd = try fields.flag("ignore_eos") ?? false
    // No picture follows.
    if let token = model.pictureToken { settings.suppressed.insert(token) }
    try readSampling(&fields, model)
  }

  /// What clients say of a request that changes no answer, and what they ask for that is so anyway.
  private static func readRemarks(_ fields: inout RequestFields) throws(ErrorAnswer) {
    for name in ["user", "safety_identifier", "prompt_cache_key"] { _ = try fields.string(name) }
    _ = try fields.group("metadata")
    if try fields.flag("store") == true { throw fields.wrong("store", "cannot be true: nothing is stored here") }
    if let tier = try fields.string("service_tier"), !["auto", "default"].contains(tier) {
      throw fields.wrong("service_tier", "takes auto or default: there is one here")
    }
    if let kinds = try fields.array("modalities"), kinds != [.string("text")] {
      throw fields.wrong("modalities", "takes [\"text\"]: nothing else is written here")
    }
  }

  /// OpenAI's defaults: a draw at temperature 1 from all tokens.
  private mutating func readSampling(_ fields: inout RequestFields, _ model: ServedModel) throws(ErrorAnswer) {
    var sampling = Sampler.Settings()
    sampling.temperature = try fields.number("temperature", in: 0...100) ?? 1
    sampling.topP = try fields.number("top_p", in: 0...1) ?? 1
    sampling.topK = max(0, try fields.integer("top_k", in: -1...Int.max) ?? 0)
    sampling.minP = try fields.number("min_p", in: 0...1) ?? 0
    sampling.typicalP = try fields.number("typical_p", in: 0...1) ?? 1
    sampling.frequencyPenalty = try fields.number("frequency_penalty", in: -2...2) ?? 0
    sampling.presencePenalty = try fields.number("presence_penalty", in: -2...2) ?? 0
    sampling.repeatPenalty = try fields.number("repetition_penalty", in: 0.01...100) ?? 1
    // All of the prompt and the text, as vLLM has it.
    sampling.repeatWindow = Int.max
    if sampling.topP == 0 { sampling.topK = 1 }
    let seed = try fields.integer("seed", in: Int.min...Int.max)
    sampling.seed = seed.map { UInt64(bitPattern: Int64($0)) } ?? UInt64.random(in: 0..<1 << 53)
    sampling.bias = try Self.biases(&fields, model)
    settings.sampling = sampling
  }

  private static func stops(_ fields: inout RequestFields) throws(ErrorAnswer) -> [String] {
    guard let value = fields.value("stop") else { return [] }
    if let text = value.string { return text.isEmpty ? [] : [text] }
    guard let list = value.array, list.count <= ServerLimits.stops else {
      throw fields.wrong("stop", "takes a string or at most \(ServerLimits.stops) of them")
    }
    var stops: [String] = []
    for one in list {
      guard let text = one.string else { throw fields.wrong("stop", "takes strings, not \(one.kind)") }
      if !text.isEmpty { stops.append(text) }
    }
    return stops
  }

  private static func biases(_ fields: inout RequestFields, _ model: ServedModel) throws(ErrorAnswer) -> [Int: Double] {
    guard let value = fields.value("logit_bias") else { return [:] }
    guard let object = value.object else { throw fields.wrong("logit_bias", "takes an object, not \(value.kind)") }
    var biases: [Int: Double] = [:]
    for (key, value) in object {
      guard let id = Int(key), (0..<model.plan.shape.vocabSize).contains(id) else {
        throw fields.wrong("logit_bias", "names token '\(key.prefix(40))', which the vocabulary does not have")
      }
      guard let bias = value.number, (-100...100).contains(bias) else {
        throw fields.wrong("logit_bias", "takes numbers from -100 to 100")
      }
      biases[id] = bias
    }
    return biases
  }

  /// The number of tokens that `key` asks for, or `standard`; never more than what the context leaves behind `prompt`.
  static func maximumTokens(
    _ key: String, _ fields: inout RequestFields, standard: Int, limit: Int
  ) throws(ErrorAnswer) -> Int {
    guard let wanted = try fields.integer(key, in: 0...Int.max) else { return min(standard, limit) }
    guard wanted <= limit else {
      throw fields.wrong(key, "is \(wanted), and the server writes at most \(limit) tokens for a request")
    }
    return wanted
  }

  /// Takes the grammar that `response_format` asks for, or GBNF in `grammar`.
  mutating func readFormat(_ fields: inout RequestFields, _ model: ServedModel) throws(ErrorAnswer) {
    let text = try fields.string("grammar")
    if let text {
      settings.grammar = try Self.grammar("grammar", "gbnf:" + text, model) { try Grammar(gbnf: text, name: "grammar") }
    }
    guard var format = try fields.group("response_format") else { return }
    if text != nil { throw fields.wrong("response_format", "and 'grammar' exclude each other") }
    let type = try format.string("type")
    switch type {
    case "text": break
    case "json_object":
      settings.grammar = try Self.grammar("response_format", "object", model) {
        try Grammar(jsonSchema: ["type": "object"], name: "response_format")
      }
    case "json_schema":
      guard var group = try format.group("json_schema") else {
        throw format.wrong("json_schema", "is missing; it takes {\"name\": …, \"schema\": …}")
      }
      _ = try group.string("name")
      _ = try group.string("description")
      _ = try group.flag("strict")
      let schema = group.value("schema") ?? ["type": "object"]
      let name = group.name("schema")
      settings.grammar = try Self.grammar(name, "schema:" + schema.serialized(), model) {
        try Grammar(jsonSchema: schema, name: name)
      }
      try group.finish()
    default: throw format.wrong("type", "takes text, json_object or json_schema")
    }
    try format.finish()
    if settings.grammar != nil, settings.ignoresEnd {
      throw fields.wrong("ignore_eos", "does not go with a grammar, which says where a text ends")
    }
  }

  /// The grammar that `make` reads from `text`, over the tokens of `model`; what is wrong with it is wrong with parameter `name`.
  static func grammar(
    _ name: String, _ text: String, _ model: ServedModel, _ make: () throws -> Grammar
  ) throws(ErrorAnswer) -> TokenGrammar {
    do { return try model.grammar(text, make) } catch let error as ErrorAnswer { throw error } catch {
      throw ErrorAnswer(400, "\(error)".onOneLine, parameter: name, code: "invalid_grammar")
    }
  }

  /// The settings of each of `count` continuations: each has the seed of the one before it plus 1, wrapping.
  func continuations(_ count: Int) -> [TextGenerator.Settings] {
    (0..<count).map { place in
      var settings = settings
      settings.sampling.seed &+= UInt64(place)
      return settings
    }
  }
}
