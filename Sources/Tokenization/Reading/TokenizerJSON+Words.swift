import Files

extension TokenizerJSON {
  /// A vocabulary of words, or of words and pieces that go on one; what each is decoded to follows from the decoder.
  mutating func readWords(
    _ model: JSONValue, _ added: [AddedTokens.Token], prefix: String?
  ) throws(TokenizerProblem) -> (Vocabulary, Tokenizer.Model) {
    guard let vocab = model["vocab"]?.object else { throw broken("the model has no object 'vocab'") }
    let special = Dictionary(added.lazy.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var builder = VocabularyBuilder(path: path, spelling: .plain, expected: vocab.count)
    var pieces: [(spelled: [UInt8], id: Int)] = []
    let rule = try wordDecoder()
    for (piece, id) in vocab {
      guard let id = id.integer else {
        throw broken("the piece \(TokenizerProblem.shortened(piece)) has \(id.kind) for its id")
      }
      pieces.append((Array(piece.utf8), id))
      try place(piece, id, special[id]?.isSpecial ?? false ? .control : .normal, rule, in: &builder)
    }
    for token in added where builder.isFree(token.id) {
      let content = String(decoding: shown[token.id] ?? Array(token.content.utf8), as: UTF8.self)
      try place(content, token.id, token.isSpecial ? .control : .userDefined, rule, in: &builder)
    }
    if rule != nil { leadingSpace = .firstPieceStripped }
    let unknownID = try unknown(model["unk_token"]?.string, in: vocab)
    let words = try WordPieceModel(
      pieces: pieces, prefix: prefix.map { Array($0.utf8) }, unknown: unknownID,
      longestWord: prefix == nil ? Int.max : model["max_input_chars_per_word"]?.integer ?? 100,
      marks: Set(special.values.lazy.filter(\.isSpecial).map { Int32(truncatingIfNeeded: $0.id) }), path: path)
    return (Vocabulary(builder), .words(words))
  }

  /// How words are put together: with spaces between, or without a rule as they are.
  private struct WordDecoder {
    var prefix: String?
    var cleansUp = false

    /// The text of a piece behind others, and at the front.
    func texts(of piece: String) -> (inside: String, first: String) {
      var inside = " " + piece
      if let prefix, piece.utf8.starts(with: prefix.utf8) {
        inside = String(decoding: piece.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
      }
      return cleansUp ? (Self.cleaned(inside), Self.cleaned(piece)) : (inside, piece)
    }

    // The replacements of `cleanup` in `decoders/wordpiece.rs`, in order.
    private static func cleaned(_ text: String) -> String {
      let replacements = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
      ]
      var bytes = Array(text.utf8)
      for (old, new) in replacements { bytes = replacing(bytes, Array(old.utf8), Array(new.utf8)) }
      return String(decoding: bytes, as: UTF8.self)
    }

    private static func replacing(_ text: [UInt8], _ old: [UInt8], _ new: [UInt8]) -> [UInt8] {
      var result: [UInt8] = []
      var place = 0
      while place < text.count {
        if text[place...].starts(with: old) {
          result += new
          place += old.count
        } else {
          result.append(text[place])
          place += 1
        }
      }
      return result
    }
  }

  private func wordDecoder() throws(TokenizerProblem) -> WordDecoder? {
    guard let part = root["decoder"], !part.isNull else { return WordDecoder() }
    switch part["type"]?.string {
    case "WordPiece":
      return WordDecoder(prefix: part["prefix"]?.string ?? "##", cleansUp: part["cleanup"]?.bool ?? true)
    case "Fuse": return nil
    case let type: throw unsupported("the decoder of a vocabulary of words", type ?? "")
    }
  }

  private mutating func place(
    _ piece: String, _ id: Int, _ kind: PieceKind, _ rule: WordDecoder?, in builder: inout VocabularyBuilder
  ) throws(TokenizerProblem) {
    let (inside, first) = rule?.texts(of: piece) ?? (piece, piece)
    if rule != nil { firstShown[id] = Array(first.utf8) }
    names[id] = piece
    try builder.add(bytes: Array(inside.utf8), id: id, kind: kind, isHidden: true)
  }
}
