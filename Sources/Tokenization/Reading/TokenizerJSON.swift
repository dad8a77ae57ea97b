import Files

/// Reads `tokenizer.json`, the file that describes a tokenizer by its parts: normalizer, pre-tokenizer, model,
/// post-processor, decoder and added tokens (huggingface/tokenizers).
///
/// Each part is followed as it is written; nothing is concluded from the name of a tokenizer's class. A part that is
/// not built here is an error that names it.
struct TokenizerJSON {
  let path: String
  let root: JSONValue
  /// What splitting and preparing the text come to.
  var stages: [SplitStage] = []
  var preparation: [TextNormalizer.Step] = []
  /// Whether pieces spell bytes.
  var isByteLevel = false
  /// Whether pieces spell a space as ▁, so that in memory it can be a space.
  var marksSpaces = false
  /// Whether text still has ▁ where it is split: pre-tokenizers that come one after another tell it from a space.
  var keepsMarks = false
  /// What pieces at the end of a word end in, which in memory is a space: `</w>`.
  var wordEnd: String?
  /// Pre-tokenizers that stages cannot say.
  var chain: PieceChain?
  var leadingSpace = Tokenizer.LeadingSpace.kept
  /// What added tokens are decoded to, by id: their content, as normalised where they are found so.
  var shown: [Int: [UInt8]] = [:]
  /// The pieces as spelled, where the vocabulary does not keep that.
  var names: [Int: String] = [:]
  /// What those with a space of their own are decoded to where a text begins and marks are left out.
  var firstShown: [Int: [UInt8]] = [:]

  init(_ root: JSONValue, path: String) {
    self.root = root
    self.path = path
  }

  /// What is wrong with the file.
  func broken(_ sentence: String) -> TokenizerProblem { .broken(path: path, sentence: sentence) }

  func unsupported(_ part: String, _ found: String) -> TokenizerProblem {
    .unsupported(path: path, part: part, found: found)
  }

  mutating func parts(_ companions: CompanionFiles) throws(TokenizerProblem) -> Tokenizer.Parts {
    guard let model = root["model"], model.object != nil else { throw broken("the file has no object 'model'") }
    isByteLevel =
      Self.types(in: root["pre_tokenizer"], list: "pretokenizers").contains("ByteLevel")
      || Self.types(in: root["decoder"], list: "decoders").contains("ByteLevel")
    marksSpaces = !isByteLevel && (Self.marksSpaces(root["normalizer"]) || Self.marksSpaces(root["pre_tokenizer"]))
    try readPreTokenizers()
    var normalizer = TextNormalizer()
    try appendSteps(of: root["normalizer"], to: &normalizer.steps)
    if marksSpaces, !keepsMarks { normalizer.steps.append(.unmarkSpaces) }
    try readDecoder(root["decoder"])

    var tokens = try addedTokens()
    for token in companions.added where !tokens.contains(where: { $0.id == token.id }) { tokens.append(token) }
    let decodesBytes = Self.types(in: root["decoder"], list: "decoders").contains("ByteLevel")
    for token in tokens {
      let content = Array(token.content.utf8)
      let found = token.isNormalized ? normalizer.normalized(content) : content
      let bytes = Vocabulary.withSpaces(found, if: marksSpaces)
      if leadingSpace == .firstPieceStripped, found.contains(0x20) {
        let text = String(decoding: found, as: UTF8.self)
        firstShown[token.id] = Array(text.utf8.split(separator: Array("▁".utf8)).joined())
      }
      // The library reads an added token in the byte alphabet too, where all of its characters are in it.
      shown[token.id] = decodesBytes ? ByteAlphabet.decoded(String(decoding: bytes, as: UTF8.self)) ?? bytes : bytes
    }
    let (vocabulary, segmentation) = try readModel(model, added: tokens)
    var parts = Tokenizer.Parts(
      vocabulary: vocabulary, model: segmentation,
      added: try AddedTokens(tokens, normalize: { normalizer.normalized($0) }, path: path))
    parts.path = path
    parts.normalizer = normalizer
    parts.preparation.steps = preparation
    parts.leadingSpace = leadingSpace
    parts.firstShown = firstShown
    parts.names = names
    parts.marksWordEnds = wordEnd != nil
    parts.chain = chain
    if chain == nil, stages.isEmpty, marksSpaces, case .merging(let model) = segmentation, model.keepsToWords {
      stages = [SplitStage(finder: .pattern(SplitPattern(SplitPattern.spacedWords)))]
    }
    parts.splitter = Splitter(stages)
    try readPostProcessor(root["post_processor"], into: &parts, tokens)
    companions.apply(to: &parts)
    parts.completeMarks()
    return parts
  }

  private func addedTokens() throws(TokenizerProblem) -> [AddedTokens.Token] {
    var tokens: [AddedTokens.Token] = []
    for value in root["added_tokens"]?.array ?? [] {
      guard let id = value["id"]?.integer, let token = CompanionFiles.token(value, id: id) else {
        throw broken("an entry of 'added_tokens' has no 'id' and 'content'")
      }
      tokens.append(token)
    }
    return tokens
  }

  // Whether ▁ is put for every space somewhere in this part.
  static func marksSpaces(_ part: JSONValue?) -> Bool {
    guard let part else { return false }
    let inner = part["normalizers"]?.array ?? part["pretokenizers"]?.array ?? []
    if inner.contains(where: { marksSpaces($0) }) { return true }
    switch part["type"]?.string {
    case "Metaspace": return part["replacement"]?.string ?? "▁" == "▁"
    case "Replace": return part["pattern"]?["String"]?.string == " " && part["content"]?.string == "▁"
    default: return false
    }
  }

  /// The types of a part and, where it is a sequence, of the parts in it.
  static func types(in part: JSONValue?, list: String) -> [String] {
    let inner = (part?[list]?.array ?? []).flatMap { types(in: $0, list: list) }
    return (part?["type"]?.string).map { [$0] + inner } ?? inner
  }

  /// Text with ▁ as a space, where the vocabulary is kept so.
  func unmarked(_ text: String) -> [UInt8] {
    marksSpaces && !keepsMarks ? Vocabulary.withSpaces(Array(text.utf8)) : Array(text.utf8)
  }
}
