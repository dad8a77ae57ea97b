import Components
import Essentials
import Execution
import Files
import Formats
import Generation
import Grammars
import Kernels
import Models
import Probing
import ServingLink
import Synchronization
import Tokenization

/// A model that is served: what requests need to know of it. It computes nothing; that is the scheduler's.
public final class ServedModel: Sendable {
  /// The name that requests call it by.
  public let id: String
  /// The model.
  public let loaded: LoadedModel
  /// The storage format of its KV cache, and what its matrices are multiplied in.
  let states: StorageFormat
  let computeType: ComputeType
  let template: ChatTemplate?
  /// What can be switched off in it, and what some of that is, in words, by name.
  let parts: ProbeMap
  let explanations: [String: String]
  /// Its drawing, section by section.
  let drawing: JSONValue
  /// How states become a vector, as the files beside the model say.
  let pooling: TextPooling
  /// What encodes its pictures; nil where it reads none.
  let encoder: PictureEncoder?
  /// Texts and tokens that end an answer in a conversation.
  private let answerEnds: Set<Int>
  private let grammars = Mutex<(vocabulary: TokenVocabulary?, known: [(text: String, grammar: TokenGrammar)])>(
    (nil, []))
  private static let grammarLimit = 16

  /// The model `loaded` by the name `id`; `explanations` say what its parts are, by their names, and `drawing` is what the page
  /// shows of it, an array of sections {layers, svg, words}. Throws what is wrong in the
  /// files of its chat template and of its pooling.
  public init(
    id: String, _ loaded: LoadedModel, states: StorageFormat, computeType: ComputeType,
    explanations: [String: String] = [:], drawing: JSONValue = .array([])
  ) throws {
    (self.id, self.loaded, self.states, self.computeType) = (id, loaded, states, computeType)
    self.explanations = explanations
    self.drawing = drawing
    parts = ProbeMap(loaded.description.plan)
    template = try loaded.tokenizer == nil ? nil : loaded.chat()
    pooling = try TextPooling(of: loaded.description.plan, in: loaded.description.source.folder)
    encoder = loaded.description.plan.pictureStacks.isEmpty ? nil : try PictureEncoder(loaded)
    let tokenizer = loaded.tokenizer
    let end = template?.answerEnd().flatMap { tokenizer?.encode($0, addSpecialTokens: false).first }
    answerEnds = end.flatMap { tokenizer?.isSpecial($0) == true ? [$0] : nil } ?? []
  }

  var plan: Plan { loaded.description.plan }
  /// Tokens of a prompt and its continuation at most.
  var context: Int { plan.longestText }
  /// Bytes of states for each token of a text.
  public var bytesPerToken: Int { plan.stateBytesPerToken(in: states) }

  /// How many tokens are read at once at most, where prompts are; nil elsewhere.
  var longestAtOnce: Int? {
    encoder != nil || plan.lets(.prompt) ? max(256, min(plan.longestText, ServerLimits.tokensAtOnce)) : nil
  }

  /// The token in whose places rows of pictures stand; nil where the model reads none.
  var pictureToken: Int? { encoder?.token }

  /// The pictures in `files`, those of one conversation. Throws what is wrong with them.
  func pictures(in files: [[UInt8]]) throws(ErrorAnswer) -> [PictureReader.Tiles] {
    guard let encoder, !files.isEmpty else { return [] }
    do {
      return try PictureReader(loaded.description, stack: encoder.stack).read(bytes: files, limit: ServerLimits.pixels)
    } catch {
      throw ErrorAnswer(400, "\(error)".onOneLine, parameter: "messages", code: "invalid_picture")
    }
  }

  /// The tokenizer; throws where there is none.
  func tokenizer(for what: String) throws(ErrorAnswer) -> Tokenizer {
    guard let tokenizer = loaded.tokenizer else {
      throw ErrorAnswer(
        400, "the model '\(id)' has no tokenizer, which \(what) needs; send token ids", code: "no_tokenizer")
    }
    return tokenizer
  }

  /// Throws where `ids`, the parameter `name`, are no prompt that leaves room for a token.
  func check(_ ids: [Int], _ name: String, limit: Int? = nil, showsPictures: Bool = false) throws(ErrorAnswer) {
    if ids.isEmpty { throw ErrorAnswer(400, "'\(name)' has no tokens", parameter: name, code: "invalid_value") }
    if let id = ids.first(where: { $0 < 0 || $0 >= plan.shape.vocabSize }) {
      throw ErrorAnswer(
        400, "token \(id) in '\(name)' is outside the vocabulary of \(plan.shape.vocabSize)", parameter: name,
        code: "invalid_value")
    }
    if let pictureToken, !showsPictures, ids.contains(pictureToken) {
      throw ErrorAnswer(
        400,
        "'\(name)' has places for pictures (token \(pictureToken)) and no pictures, which come with a conversation",
        parameter: name, code: "invalid_value")
    }
    let context = min(context, limit ?? Int.max, longestAtOnce ?? Int.max)
    guard ids.count <= context else {
      throw ErrorAnswer(
        400, "'\(name)' has \(ids.count) tokens, and the model's context is \(context)", parameter: name,
        code: "context_length_exceeded")
    }
  }

  /// The ids of `text`, the parameter `name`.
  func encode(_ text: String, _ name: String, addSpecialTokens: Bool = true) throws(ErrorAnswer) -> [Int] {
    let tokenizer = try tokenizer(for: "text")
    do { try tokenizer.requireEncodable(text) } catch {
      throw ErrorAnswer(400, error.description.onOneLine, parameter: name, code: "invalid_value")
    }
    return tokenizer.encode(text, addSpecialTokens: addSpecialTokens)
  }

  /// The ids of `text`, the parameter `name`, as a text is read that becomes a vector.
  func encodeForVector(_ text: String, _ name: String) throws(ErrorAnswer) -> [Int] {
    try encode(pooling.prompt + (pooling.lowercases ? text.lowercased() : text), name)
  }

  /// What begins a text of which nothing is given; nil where there is no such token.
  var startToken: Int? { loaded.tokenizer.flatMap { $0.beginningOfText ?? $0.endOfText.min() } }

  /// The ids of a conversation with `pictures`, and what ends an answer to it. Throws what its template says of it.
  func encode(
    _ conversation: Conversation, _ pictures: [PictureReader.Tiles]
  ) throws -> (ids: [Int], stops: [String], ends: Set<Int>) {
    let tokenizer = try tokenizer(for: "a conversation")
    guard let template else {
      throw ErrorAnswer(400, "the model '\(id)' has no chat template; use /v1/completions", code: "no_chat_template")
    }
    var text = try template.text(of: conversation)
    if let encoder, let token = encoder.token, !pictures.isEmpty {
      text = try PicturePrompt(loaded.description, token: token, tokenizer).expanded(
        text, pictures, tokens: encoder.tokens(of: pictures), totals: pictures.map(encoder.places))
    }
    do { try tokenizer.requireEncodable(text) } catch {
      throw ErrorAnswer(400, error.description.onOneLine, parameter: "messages", code: "invalid_value")
    }
    return (tokenizer.encode(text, addSpecialTokens: false), template.stops, answerEnds)
  }

  /// The grammar that `make` reads from `text`, over this model's tokens; made once.
  func grammar(_ text: String, _ make: () throws -> Grammar) throws -> TokenGrammar {
    let tokenizer = try tokenizer(for: "a grammar")
    if let known = grammars.withLock({ $0.known.first { $0.text == text }?.grammar }) { return known }
    let grammar = try make()
    let vocabulary =
      grammars.withLock { $0.vocabulary }
      ?? {
        let vocabulary = TokenVocabulary(tokenizer)
        grammars.withLock { $0.vocabulary = vocabulary }
        return vocabulary
      }()
    let made = TokenGrammar(grammar, vocabulary)
    grammars.withLock { state in
      state.known.append((text, made))
      if state.known.count > Self.grammarLimit { state.known.removeFirst() }
    }
    return made
  }
}
