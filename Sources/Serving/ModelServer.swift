import Essentials
import Files
import Generation
import Kernels
import Models
import ServingLink
import Synchronization

/// Models behind the HTTP API that OpenAI's clients speak. It knows requests and answers, and nothing of connections.
public final class ModelServer: Sendable {
  private let models: [ServedModel]
  private let limits: ServerLimits
  private let version: String
  private let created: Int
  private let scheduler: Scheduler
  private let metrics: Metrics
  private let number = Atomic<Int>(0)

  /// A server of `models`, whose names differ, that computes on `pool`; it calls itself `version`.
  ///
  /// Throws what keeps a model from being run.
  public init(_ models: [ServedModel], limits: ServerLimits, version: String, pool: ThreadPool) throws {
    (self.models, self.limits, self.version) = (models, limits, version)
    created = Int(Date().timeIntervalSince1970)
    metrics = Metrics(stateBudget: limits.stateBytes)
    scheduler = Scheduler(
      models, .init(waiting: limits.waiting, stateBytes: limits.stateBytes, seconds: limits.seconds), metrics)
    try scheduler.start(pool: pool)
  }

  /// Answers the request `head` with `body`; returns once it is understood, mostly before the answer is whole.
  public func receive(_ head: RequestHead, body: [UInt8], _ answer: Answer) {
    do throws(ErrorAnswer) { try route(head, body, answer) } catch {
      metrics.request(Self.paths.contains(head.path) ? head.path : "other", error.status)
      answer.finish(error)
    }
  }

  /// Nobody waits for `answer` any more.
  public func drop(_ answer: Answer) {
    answer.leave()
    scheduler.look()
  }

  /// Takes no more requests, lets those that run go on for `duration`, ends the others with a reason, and returns then.
  public func stop(within duration: Duration) { scheduler.stop(within: duration) }

  private static let asked = [
    "/", "/health", "/version", "/metrics", "/v1/models", "/tokenizer_info", "/openapi.json", "/parts",
  ]
  private static let posted = [
    "/v1/completions", "/v1/chat/completions", "/v1/embeddings", "/tokenize", "/detokenize", "/probe",
  ]
  private static let paths = Set(asked + posted)

  private func route(_ head: RequestHead, _ body: [UInt8], _ answer: Answer) throws(ErrorAnswer) {
    let path = head.path
    if head.method == "OPTIONS" {
      metrics.request("options", 204)
      return answer.finish(204, [], type: "text/plain")
    }
    let isModel = path.hasPrefix("/v1/models/")
    guard Self.paths.contains(path) || isModel else {
      throw ErrorAnswer(404, "there is nothing at '\(path.prefix(200))'", code: "unknown_path")
    }
    let method = Self.posted.contains(path) ? "POST" : "GET"
    guard head.method == method else {
      throw ErrorAnswer(
        405, "'\(path.prefix(200))' takes \(method), not \(head.method.prefix(20))", code: "method_not_allowed",
        fields: [(name: "Allow", value: method)])
    }
    if method == "GET" {
      try get(head, isModel: isModel, answer)
      return metrics.request(isModel ? "/v1/models" : path, 200)
    }
    let type = head.fields["content-type"]?.prefix { $0 != ";" }.trimmed.lowercased()
    guard type == "application/json" else {
      throw ErrorAnswer(
        415, "the body has to be JSON, and say so: 'Content-Type: application/json'", code: "unsupported_media_type")
    }
    var fields = try RequestFields(body)
    switch path {
    case "/v1/completions", "/v1/chat/completions": try generate(&fields, path, answer)
    case "/v1/embeddings": try embed(&fields, path, answer)
    case "/probe": try probe(&fields, path, answer)
    case "/tokenize":
      answer.finish(try tokenize(&fields))
      metrics.request(path, 200)
    default:
      answer.finish(try detokenize(&fields))
      metrics.request(path, 200)
    }
  }

  private func get(_ head: RequestHead, isModel: Bool, _ answer: Answer) throws(ErrorAnswer) {
    switch head.path {
    case "/":
      answer.finish(
        200, Page.bytes, type: "text/html; charset=utf-8",
        fields: [
          (name: "Content-Security-Policy", value: Page.policy), (name: "Referrer-Policy", value: "no-referrer"),
        ])
    case "/health": answer.finish(["status": "ok"])
    case "/version": answer.finish(["version": .string(version)])
    case "/metrics": answer.finish(200, Array(metrics.text.utf8), type: "text/plain; version=0.0.4; charset=utf-8")
    case "/openapi.json": answer.finish(200, PackageResources.openapi_json, type: "application/json")
    case "/tokenizer_info": answer.finish(try tokenizerInfo(head))
    case "/parts": answer.finish(try asked(head).partsAnswer)
    case "/v1/models":
      answer.finish(["object": "list", "data": .array(models.map(entry))])
    default:
      let name = String(head.path.dropFirst("/v1/models/".count))
      answer.finish(entry(models[try index(of: Self.decoded(name))]))
    }
  }

  private func entry(_ model: ServedModel) -> JSONValue {
    [
      "id": .string(model.id), "object": "model", "created": .integer(created), "owned_by": "chimera",
      "max_model_len": .integer(model.context),
    ]
  }

  /// The index of the model `name`; where there is one only, it need not be named.
  private func index(of name: String?) throws(ErrorAnswer) -> Int {
    if name == nil, models.count == 1 { return 0 }
    let known = models.map { "'\($0.id)'" }.joined(separator: ", ")
    guard let name else {
      throw ErrorAnswer(400, "'model' is missing; there are \(known)", parameter: "model", code: "invalid_value")
    }
    guard let index = models.firstIndex(where: { $0.id == name }) else {
      throw ErrorAnswer(
        404, "there is no model '\(name.prefix(200))'; there are \(known)", parameter: "model", code: "model_not_found")
    }
    return index
  }

  private func generate(_ fields: inout RequestFields, _ path: String, _ answer: Answer) throws(ErrorAnswer) {
    let index = try index(of: fields.string("model"))
    let model = models[index]
    let id = identifier()
    let now = Int(Date().timeIntervalSince1970)
    let (form, requests): (Reply.Form, [ContinuousBatch.Request])
    var pictures: [PictureReader.Tiles] = []
    if path == "/v1/completions" {
      let request = try CompletionRequest(&fields, model, id: id, created: now, limits: limits)
      (form, requests) = (request.form, request.requests)
    } else {
      let request = try ChatRequest(&fields, model, id: id, created: now, limits: limits)
      (form, requests, pictures) = (request.form, [request.request], request.pictures)
    }
    let (metrics, begun, first) = (metrics, ContinuousClock.now, Once())
    let reply = Reply(form, answer) {
      if first.isFirst { metrics.firstToken(after: (ContinuousClock.now - begun).inSeconds) }
    } ended: { status in
      metrics.request(path, status)
      metrics.answered(after: (ContinuousClock.now - begun).inSeconds)
    }
    try scheduler.submit(
      requests.enumerated().map { prompt, request in
        Job(model: index, work: .generate(request, pictures), answer: answer) { reply.take($0, prompt: prompt) }
      })
  }

  private func embed(_ fields: inout RequestFields, _ path: String, _ answer: Answer) throws(ErrorAnswer) {
    let index = try index(of: fields.string("model"))
    let request = try EmbeddingRequest(&fields, models[index])
    let metrics = metrics
    let reply = EmbeddingReply(request, model: models[index].id, answer) { metrics.request(path, $0) }
    try scheduler.submit(
      request.inputs.enumerated().map { place, ids in
        Job(model: index, work: .embed(ids, request.pooling), answer: answer) { reply.take($0, place: place) }
      })
  }

  private func probe(_ fields: inout RequestFields, _ path: String, _ answer: Answer) throws(ErrorAnswer) {
    let index = try index(of: fields.string("model"))
    let request = try ProbeRequest(&fields, models[index])
    let metrics = metrics
    try scheduler.submit([
      Job(model: index, work: .probe(request), answer: answer) { event in
        switch event {
        case .probed(let json):
          answer.finish(json)
          metrics.request(path, 200)
        case .failed(let error):
          answer.finish(error)
          metrics.request(path, error.status)
        case .batch, .embedded: break
        }
      }
    ])
  }

  private func tokenize(_ fields: inout RequestFields) throws(ErrorAnswer) -> JSONValue {
    let model = models[try index(of: fields.string("model"))]
    let ids: [Int]
    if fields.value("messages") != nil {
      let (conversation, files) = try ChatRequest.conversation(&fields, ToolChoice(&fields), model)
      ids = try ChatRequest.encoded(conversation, model, try model.pictures(in: files)).ids
    } else {
      guard let text = try fields.string("prompt") else { throw fields.wrong("prompt", "or 'messages' is missing") }
      let marks = try fields.flag("add_special_tokens") ?? true
      ids = try model.encode(text, "prompt", addSpecialTokens: marks)
    }
    let words = TokenWords(tokenizer: model.loaded.tokenizer)
    let wantsTexts = try fields.flag("return_token_strs") ?? false
    try fields.finish()
    return [
      "count": .integer(ids.count), "max_model_len": .integer(model.context),
      "tokens": .array(ids.map { .integer($0) }),
      "token_strs": wantsTexts ? .array(ids.map { .string(words.text($0)) }) : .null,
    ]
  }

  private func detokenize(_ fields: inout RequestFields) throws(ErrorAnswer) -> JSONValue {
    let model = models[try index(of: fields.string("model"))]
    let tokenizer = try model.tokenizer(for: "text")
    guard let list = try fields.array("tokens") else { throw fields.wrong("tokens", "is missing") }
    var ids: [Int] = []
    for one in list {
      guard let id = one.integer, (0..<model.plan.shape.vocabSize).contains(id) else {
        throw fields.wrong("tokens", "takes token ids below \(model.plan.shape.vocabSize)")
      }
      ids.append(id)
    }
    try fields.finish()
    return ["prompt": .string(tokenizer.decode(ids))]
  }

  /// The marks and the chat template of a model, as lm-eval asks for them; `?model=` names one of several.
  private func tokenizerInfo(_ head: RequestHead) throws(ErrorAnswer) -> JSONValue {
    let model = try asked(head)
    let tokenizer = try model.tokenizer(for: "its description")
    var info = model.template?.specialTokens ?? JSONObject()
    info["add_bos_token"] = .bool(tokenizer.addsBeginningOfText)
    func piece(_ id: Int?) -> JSONValue { id.flatMap { tokenizer.piece(of: $0) }.map(JSONValue.string) ?? .null }
    if info["bos_token"] == nil { info["bos_token"] = piece(tokenizer.beginningOfText) }
    if info["eos_token"] == nil { info["eos_token"] = piece(tokenizer.endOfText.min()) }
    if info["pad_token"] == nil { info["pad_token"] = .null }
    info["vocab_size"] = .integer(tokenizer.count)
    let sources = model.template?.sources
    info["chat_template"] = (sources?["default"] ?? sources?.values.first).map(JSONValue.string) ?? .null
    return .object(info)
  }

  /// The model that `?model=` names; the first where it names none.
  private func asked(_ head: RequestHead) throws(ErrorAnswer) -> ServedModel {
    let query = head.target.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
    let name = query.split(separator: "&").first { $0.hasPrefix("model=") }.map {
      Self.decoded(String($0.dropFirst(6)))
    }
    return models[name == nil ? 0 : try index(of: name)]
  }

  /// A name that no other answer of any server has.
  private func identifier() -> String {
    let number = number.add(1, ordering: .relaxed).newValue
    return String(UInt64.random(in: .min ... .max), radix: 16) + String(number, radix: 16)
  }

  /// A text of an address without its percent signs.
  private static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == 0x25, rest.count >= 2, let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// True once.
private final class Once: Sendable {
  private let was = Atomic<Bool>(false)
  var isFirst: Bool { !was.exchange(true, ordering: .relaxed) }
}

extension Duration {
  /// In seconds.
  fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
