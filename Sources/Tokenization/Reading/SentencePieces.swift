/// A SentencePiece vocabulary, from whichever file, on its way to a tokenizer.
///
/// Kudo and Richardson 2018, arXiv:1808.06226; google/sentencepiece. Pieces spell a space as ▁; in memory it is a
/// space, so that text needs no rewriting.
struct SentencePieces {
  /// Before what a space is put, so that a word is the same piece at the front of a text and inside it.
  enum SpacePrefix {
    case none
    /// Before every stretch of text between marks.
    case everyPart
    /// Where a sentence begins.
    case sentence
  }

  /// How pieces are found; the numbers are those of `model_type`.
  enum Algorithm: Int {
    /// The most likely pieces.
    case unigram = 1
    /// Pieces merged by score.
    case merging = 2
    /// Every character by itself.
    case characters = 4
  }

  let path: String
  var pieces: [(bytes: [UInt8], score: Float, kind: PieceKind)] = []
  var algorithm = Algorithm.merging
  /// Whether scores are added as the library adds them; llama.cpp adds in `Double`.
  var addsInFloat = true
  var unknown: Int?
  var beginningOfText: Int?
  var endOfText: [Int] = []
  var addsBeginning = false
  var addsEnd = false
  var spacePrefix = SpacePrefix.everyPart
  var collapsesSpaces = false
  /// SentencePiece's table of characters; empty for none.
  var characterMap: [UInt8] = []
  var otherTokens: [AddedTokens.Token] = []
  /// Whether a user-defined piece may spell a space as such. In a file of the library's own it is then never found, for
  /// the library looks for it where spaces have become ▁.
  var findsLiteralSpaces = false

  init(path: String) { self.path = path }

  func parts() throws(TokenizerProblem) -> Tokenizer.Parts {
    var builder = VocabularyBuilder(path: path, spelling: .spaceMark, expected: pieces.count)
    var tokens: [AddedTokens.Token] = []
    var hasBytes = false
    for (id, piece) in pieces.enumerated() {
      guard piece.score.isFinite else {
        throw .broken(path: path, sentence: "the piece with the id \(id) has the score \(piece.score)")
      }
      switch piece.kind {
      case .byte:
        guard let byte = Vocabulary.byte(named: piece.bytes) else {
          let name = TokenizerProblem.shortened(String(decoding: piece.bytes, as: UTF8.self))
          throw .broken(path: path, sentence: "the piece with the id \(id) is of the kind 'byte' and is called \(name)")
        }
        hasBytes = true
        try builder.add(bytes: [byte], id: id, kind: .byte)
      case .control, .unknown, .userDefined:
        let isSpecial = piece.kind != .userDefined
        let bytes = isSpecial ? piece.bytes : Vocabulary.withSpaces(piece.bytes)
        try builder.add(bytes: bytes, id: id, kind: piece.kind, isHidden: true)
        let isFound = isSpecial || findsLiteralSpaces || !piece.bytes.contains(0x20)
        if piece.kind != .unknown, isFound, bytes.count <= ByteTrie.longestString {
          let content = String(decoding: bytes, as: UTF8.self)
          tokens.append(AddedTokens.Token(content: content, id: id, isSpecial: isSpecial))
        }
      case .normal, .unused:
        // An unused piece keeps its id and is never made. So is one that spells a space as such: text has none.
        let isHidden = piece.kind == .unused || piece.bytes.contains(0x20)
        try builder.add(bytes: Vocabulary.withSpaces(piece.bytes), id: id, isHidden: isHidden)
      }
    }
    for token in otherTokens {
      if builder.isFree(token.id) {
        try builder.add(
          bytes: Array(token.content.utf8), id: token.id, kind: token.isSpecial ? .control : .userDefined,
          isHidden: true)
      }
      tokens.removeAll { $0.id == token.id }
      tokens.append(token)
    }
    let vocabulary = Vocabulary(builder)
    let unknown = unknown ?? pieces.firstIndex { $0.kind == .unknown }
    guard unknown.map({ vocabulary.hasPiece($0) }) ?? true else {
      throw .broken(path: path, sentence: "the unknown piece has the id \(unknown ?? -1), which belongs to no piece")
    }
    var parts = Tokenizer.Parts(
      vocabulary: vocabulary,
      model: try model(vocabulary, unknown: unknown, hasBytes: hasBytes),
      added: try AddedTokens(tokens, normalize: { $0 }, path: path))
    parts.path = path
    if case .merging(let model) = parts.model, model.keepsToWords {
      parts.splitter = Splitter([SplitStage(finder: .pattern(SplitPattern(SplitPattern.spacedWords)))])
    }
    parts.normalizer.steps = try steps()
    parts.leadingSpace = collapsesSpaces ? .allStripped : spacePrefix == .none ? .kept : .oneMarkStripped
    parts.beginningOfText = beginningOfText
    parts.endOfText = Set(endOfText)
    if addsBeginning, let beginningOfText { parts.prefix = [beginningOfText] }
    if addsEnd, let end = endOfText.first { parts.suffix = [end] }
    parts.completeMarks()
    return parts
  }

  private func model(
    _ vocabulary: Vocabulary, unknown: Int?, hasBytes: Bool
  ) throws(TokenizerProblem) -> Tokenizer.Model {
    if algorithm == .unigram {
      let scores = (0..<vocabulary.count).map { $0 < pieces.count ? Double(pieces[$0].score) : 0 }
      return .unigram(
        try UnigramModel(
          vocabulary: vocabulary, scores: scores, addsInFloat: addsInFloat, unknown: unknown,
          fallsBackToBytes: hasBytes, path: path))
    }
    if algorithm == .characters {
      return .merging(
        MergingModel(
          vocabulary: vocabulary, symbols: .characters, order: .pairs(PairTable([])), fallsBackToBytes: hasBytes,
          unknown: unknown, fusesUnknown: true))
    }
    // Equal scores are equal ranks: of such pairs the leftmost is merged first.
    var ranks = [UInt32](repeating: 0, count: vocabulary.count)
    var rank: UInt32 = 0
    var last: Float?
    for id in pieces.indices.sorted(by: { pieces[$0].score > pieces[$1].score }) {
      if let last, last != pieces[id].score { rank += 1 }
      last = pieces[id].score
      ranks[id] = rank
    }
    return .merging(
      MergingModel(
        vocabulary: vocabulary, symbols: .characters, order: .ranks(FrozenArray(ranks)), fallsBackToBytes: hasBytes,
        unknown: unknown, fusesUnknown: true))
  }

  private func steps() throws(TokenizerProblem) -> [TextNormalizer.Step] {
    var steps: [TextNormalizer.Step] = []
    if !characterMap.isEmpty {
      guard let map = CharacterMap(characterMap) else {
        throw .broken(path: path, sentence: "the table of characters (precompiled_charsmap) does not fit its length")
      }
      steps.append(.characterMap(map))
    }
    if collapsesSpaces { steps.append(.collapseSpaces) }
    switch spacePrefix {
    case .none: break
    case .everyPart: steps.append(.prepend([0x20]))
    case .sentence: steps.append(.prependSpaceToSentence)
    }
    return steps + [.unmarkSpaces]
  }
}
