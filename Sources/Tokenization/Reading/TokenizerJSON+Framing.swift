import Files

extension TokenizerJSON {
  /// The marks around a single text.
  func readPostProcessor(
    _ part: JSONValue?, into parts: inout Tokenizer.Parts, _ tokens: [AddedTokens.Token]
  ) throws(TokenizerProblem) {
    guard let part, !part.isNull else { return }
    switch part["type"]?.string {
    case "ByteLevel": break
    case "Sequence":
      for inner in part["processors"]?.array ?? [] { try readPostProcessor(inner, into: &parts, tokens) }
    case "TemplateProcessing":
      var isBehind = false
      for item in part["single"]?.array ?? [] {
        if item["Sequence"] != nil { isBehind = true }
        guard let name = item["SpecialToken"]?["id"]?.string else { continue }
        guard let ids = part["special_tokens"]?[name]?["ids"]?.array else {
          throw broken("the post-processor's token \(TokenizerProblem.shortened(name)) has no ids")
        }
        let found = ids.compactMap(\.integer)
        if isBehind { parts.suffix += found } else { parts.prefix += found }
      }
      if parts.beginningOfText == nil { parts.beginningOfText = parts.prefix.first }
      parts.pair = pair(part)
    case "BertProcessing", "RobertaProcessing":
      if let id = part["cls"]?.array?.last?.integer { parts.prefix.append(id) }
      if let id = part["sep"]?.array?.last?.integer {
        parts.suffix.append(id)
        parts.pair = part["type"]?.string == "BertProcessing" ? ([id], [id], 0) : ([id, id], [id], nil)
      }
    case let type:
      throw unsupported("the post-processor", type ?? "")
    }
  }

  /// The marks of two texts in the template `part`; nil where it has none for pairs, or others before the first text than
  /// before one alone.
  private func pair(_ part: JSONValue) -> (between: [Int], behind: [Int], ofSecond: Int?)? {
    var marks: [[Int]] = [[], [], []]
    var (place, ofSecond, isSecond) = (0, 0, false)
    for item in part["pair"]?.array ?? [] {
      let type = (item["Sequence"] ?? item["SpecialToken"])?["type_id"]?.integer ?? 0
      if let text = item["Sequence"]?["id"]?.string {
        guard text == (place == 0 ? "A" : "B"), place < 2 else { return nil }
        place += 1
        if place == 2 { isSecond = isSecond || type == 1 }
        continue
      }
      let ids = item["SpecialToken"]?["id"]?.string.flatMap { part["special_tokens"]?[$0]?["ids"]?.array } ?? []
      marks[place] += ids.compactMap(\.integer)
      if place == 1, type == 1 {
        isSecond = true
        ofSecond += ids.count
      }
    }
    return place == 2 ? (marks[1], marks[2], isSecond ? ofSecond : nil) : nil
  }

  /// What decoding does beside putting bytes together.
  mutating func readDecoder(_ part: JSONValue?) throws(TokenizerProblem) {
    guard let part, !part.isNull else { return }
    switch part["type"]?.string {
    case "Sequence":
      for inner in part["decoders"]?.array ?? [] { try readDecoder(inner) }
    case "ByteLevel", "ByteFallback", "Fuse":
      break
    case "Metaspace":
      let scheme = part["prepend_scheme"]?.string ?? (part["add_prefix_space"]?.bool ?? true ? "always" : "never")
      if scheme != "never" { leadingSpace = .firstPieceStripped }
    case "Strip":
      guard part["content"]?.string == " ", (part["stop"]?.integer ?? 0) == 0, (part["start"]?.integer ?? 0) <= 1 else {
        throw unsupported("the decoder Strip", part.serialized())
      }
      if part["start"]?.integer == 1 { leadingSpace = .oneStripped }
    case "WordPiece":
      guard root["model"]?["type"]?.string == "WordPiece" || root["model"]?["type"]?.string == "WordLevel" else {
        throw unsupported("the decoder", "WordPiece")
      }
    case "BPEDecoder":
      let suffix = part["suffix"]?.string ?? "</w>"
      guard root["model"]?["end_of_word_suffix"]?.string == suffix else {
        throw unsupported("the decoder BPEDecoder", suffix)
      }
    case "Replace":
      guard part["pattern"]?["String"]?.string == "▁", part["content"]?.string == " " else {
        throw unsupported("the decoder Replace", part.serialized())
      }
    case let type:
      throw unsupported("the decoder", type ?? "")
    }
  }
}
