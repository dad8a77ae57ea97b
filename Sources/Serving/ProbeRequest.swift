import Files
import Generation
import Probing
import ServingLink

/// A request to look into a model while it reads a text: `/probe`.
///
///     {"model", "prompt", "off": ["layers.1.attn.head.2"], "attention": "layers.0.attn.head.1", "logprobs": 5}
struct ProbeRequest: Sendable {
  let tokens: [Int]
  /// The parts that give zeros.
  let off: [ProbedPart]
  /// The head whose attention is wanted.
  let head: ProbedPart?
  let likeliest: Int

  /// Parts that may be off, in one request.
  private static let parts = 4096

  /// Reads the parameters behind `model`. Throws the first that is wrong.
  init(_ fields: inout RequestFields, _ model: ServedModel) throws(ErrorAnswer) {
    guard model.plan.prediction == .tokens, !model.plan.seesWholeTexts else {
      throw ErrorAnswer(
        400, "the model '\(model.id)' does not continue texts, so there is no loss of one to watch",
        code: "not_supported")
    }
    if let list = fields.value("prompt")?.array {
      var ids: [Int] = []
      for one in list {
        guard let id = one.integer else { throw fields.wrong("prompt", "takes a text or token ids") }
        ids.append(id)
      }
      tokens = ids
    } else {
      guard let text = try fields.string("prompt") else { throw fields.wrong("prompt", "is missing") }
      tokens = try model.encode(text, "prompt")
    }
    try model.check(tokens, "prompt", limit: ServerLimits.probed)
    if tokens.count < 2 { throw fields.wrong("prompt", "has one token, and none is predicted from it") }
    var off: [ProbedPart] = []
    for one in try fields.array("off") ?? [] {
      guard let name = one.string else { throw fields.wrong("off", "takes the names of parts, not \(one.kind)") }
      off += try Self.parts(name, "off", model, fields)
      if off.count > Self.parts { throw fields.wrong("off", "names more than \(Self.parts) parts") }
    }
    self.off = off
    head = try fields.string("attention").map { name throws(ErrorAnswer) in
      guard let part = try Self.parts(name, "attention", model, fields).first, part.kind == .head else {
        throw fields.wrong("attention", "takes the name of a head")
      }
      return part
    }
    likeliest = try fields.integer("logprobs", in: 0...20) ?? 5
    try fields.finish()
  }

  private static func parts(
    _ name: String, _ key: String, _ model: ServedModel, _ fields: RequestFields
  ) throws(ErrorAnswer) -> [ProbedPart] {
    let found = model.parts.parts.filter { $0.name == name }
    if !found.isEmpty { return found }
    let known = ProbeMap.patterns(of: model.parts.parts).joined(separator: ", ")
    throw fields.wrong(
      key, "names no part '\(name.prefix(100))' of the model, which has \(known)", code: "unknown_part")
  }

  /// What the model makes of the text, with everything on and with the parts off. Throws what keeps it from that.
  func answer(_ probe: ModelProbe, _ model: ServedModel) throws -> JSONValue {
    let words = TokenWords(tokenizer: model.loaded.tokenizer)
    let plain = try probe.probabilities(of: tokens, mostLikely: likeliest)
    let changes = PreparedChanges.zeroing(off)
    let changed = off.isEmpty ? nil : try probe.probabilities(of: tokens, changing: changes, mostLikely: likeliest)
    func loss(_ list: [TokenProbability]) -> JSONValue {
      .number(-list.reduce(0) { $0 + max($1.token.logProbability, -9999) } / Double(max(1, list.count)))
    }
    func entry(_ place: Int, _ id: Int) -> JSONValue {
      guard place > 0 else { return ["id": .integer(id), "text": .string(words.text(id))] }
      let shown = (changed ?? plain)[place - 1]
      return [
        "id": .integer(id), "text": .string(words.text(id)),
        "logprob": TokenWords.number(plain[place - 1].token.logProbability),
        "changed_logprob": changed.map { TokenWords.number($0[place - 1].token.logProbability) } ?? .null,
        "top": .array(
          shown.mostLikely.map {
            ["text": .string(words.text($0.id)), "logprob": TokenWords.number($0.logProbability)]
          }),
      ]
    }
    let weights = try head.flatMap { try probe.attention(of: $0, over: tokens, changing: changes) }
    return [
      "object": "probe", "model": .string(model.id), "loss": loss(plain), "changed_loss": changed.map(loss) ?? .null,
      "tokens": .array(tokens.enumerated().map(entry)),
      "attention": weights.map { rows in
        .array(rows.map { .array($0.map { .number((Double($0) * 1e4).rounded() / 1e4) }) })
      } ?? .null,
    ]
  }
}

extension ServedModel {
  /// What can be switched off in it, layer by layer, in words.
  var partsAnswer: JSONValue {
    let heads = Dictionary(grouping: parts.parts.filter { $0.kind == .head }) { $0.layer ?? -1 }
    let sublayers = Dictionary(grouping: parts.parts.filter { $0.kind == .sublayer }) { $0.layer ?? -1 }
    func entry(_ part: ProbedPart) -> JSONValue {
      ["name": .string(part.name), "words": .string(explanations[part.name] ?? "")]
    }
    return [
      "object": "list", "model": .string(id), "drawing": drawing,
      "data": .array(
        parts.parts.filter { $0.kind == .layer }.map { layer in
          let own = sublayers[layer.layer ?? -1] ?? []
          return [
            "name": .string(layer.name), "words": .string(explanations[layer.name] ?? ""),
            "sublayers": .array(
              own.map { sublayer in
                [
                  "name": .string(sublayer.name), "words": .string(explanations[sublayer.name] ?? ""),
                  "heads": .array(
                    (heads[layer.layer ?? -1] ?? []).filter { $0.name.hasPrefix(sublayer.name + ".") }.map(entry)),
                ]
              }),
          ]
        }),
    ]
  }
}
