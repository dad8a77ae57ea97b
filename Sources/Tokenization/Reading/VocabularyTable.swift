import Files

/// A vocabulary as a GGUF file's metadata holds it (`tokenizer.ggml.…`), handed over by whoever reads the file.
public struct VocabularyTable: Sendable {
  /// The file's name, for messages.
  public var path: String
  /// `tokenizer.ggml.model`: how text becomes pieces.
  public var model: String
  /// `tokenizer.ggml.pre`: how text is split into words first.
  public var preTokenizer: String?
  /// `tokenizer.ggml.tokens`: [vocabulary], the pieces as spelled.
  public var pieces: TextList
  /// `tokenizer.ggml.scores`: [vocabulary], logarithms or merge orders; higher is better.
  public var scores: [Float]?
  /// `tokenizer.ggml.token_type`: [vocabulary], 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public var kinds: [Int]?
  /// `tokenizer.ggml.merges`: two pieces with a space between, the first done first.
  public var merges: TextList?
  /// `tokenizer.ggml.bos_token_id`.
  public var beginningOfText: Int?
  /// `tokenizer.ggml.eos_token_id`, and those of the ends of a turn and of a message where the file has them.
  public var endOfText: [Int] = []
  /// `tokenizer.ggml.unknown_token_id`.
  public var unknown: Int?
  /// `tokenizer.ggml.add_bos_token`.
  public var addsBeginning: Bool?
  /// `tokenizer.ggml.add_eos_token`.
  public var addsEnd: Bool?
  /// `tokenizer.ggml.add_space_prefix`.
  public var addsSpacePrefix: Bool?
  /// `tokenizer.ggml.remove_extra_whitespaces`.
  public var removesExtraSpaces: Bool?
  /// `tokenizer.ggml.precompiled_charsmap`.
  public var characterMap: [UInt8]?

  /// A vocabulary of `pieces`, read from the file at `path`; the rest is set afterwards, as far as the file has it.
  public init(path: String, model: String, pieces: TextList) {
    self.path = path
    self.model = model
    self.pieces = pieces
  }
}

extension Tokenizer {
  /// A tokenizer of a GGUF file's vocabulary; throws when the table contradicts itself or asks for what is not built.
  public convenience init(_ table: VocabularyTable) throws(TokenizerProblem) {
    for (name, count) in [("scores", table.scores?.count), ("token_type", table.kinds?.count)] {
      guard let count, count != table.pieces.count else { continue }
      throw .broken(path: table.path, sentence: "\(table.pieces.count) tokens have \(count) entries in \(name)")
    }
    switch table.model {
    case "gpt2": self.init(try Self.byteLevel(table))
    case "llama": self.init(try Self.sentencePieces(table, isUnigram: false))
    case "t5": self.init(try Self.sentencePieces(table, isUnigram: true))
    default: throw .unsupported(path: table.path, part: "tokenizer.ggml.model", found: table.model)
    }
  }

  private static func sentencePieces(
    _ table: VocabularyTable, isUnigram: Bool
  ) throws(TokenizerProblem) -> Parts {
    guard let scores = table.scores else {
      throw .broken(path: table.path, sentence: "the vocabulary has no scores, by which its pieces are merged")
    }
    var source = SentencePieces(path: table.path)
    for id in table.pieces.indices {
      let kind = table.kinds.flatMap { PieceKind(rawValue: UInt8(clamping: $0[id])) }
      source.pieces.append((Array(table.pieces.bytes(at: id)), scores[id], kind ?? .normal))
    }
    source.algorithm = isUnigram ? .unigram : .merging
    source.findsLiteralSpaces = true
    source.addsInFloat = false
    source.unknown = table.unknown
    source.beginningOfText = table.beginningOfText
    source.endOfText = table.endOfText
    source.addsBeginning = table.addsBeginning ?? !isUnigram
    source.addsEnd = table.addsEnd ?? isUnigram
    source.spacePrefix = table.addsSpacePrefix ?? true ? .everyPart : .none
    source.collapsesSpaces = table.removesExtraSpaces ?? isUnigram
    source.characterMap = table.characterMap ?? []
    return try source.parts()
  }

  private static func byteLevel(_ table: VocabularyTable) throws(TokenizerProblem) -> Parts {
    let name = table.preTokenizer ?? "default"
    guard let splitting = SplittingName.named(name) else {
      throw .unsupported(path: table.path, part: "tokenizer.ggml.pre", found: name)
    }
    var builder = VocabularyBuilder(path: table.path, spelling: .byteAlphabet, expected: table.pieces.count)
    var tokens: [AddedTokens.Token] = []
    for id in table.pieces.indices {
      let kind = table.kinds.flatMap { PieceKind(rawValue: UInt8(clamping: $0[id])) } ?? .normal
      switch kind {
      case .control, .unknown, .userDefined:
        let piece = table.pieces[id]
        try builder.add(piece, id: id, kind: kind, isHidden: true)
        // An empty or endless mark cannot be written in a text.
        if piece.utf8.count <= ByteTrie.longestString {
          tokens.append(AddedTokens.Token(content: piece, id: id, isSpecial: kind != .userDefined))
        }
      case .normal, .unused, .byte:
        try builder.add(spelled: table.pieces.bytes(at: id), id: id)
      }
    }
    let vocabulary = Vocabulary(builder)
    let merges = MergeList.pairs(table.merges ?? [], in: vocabulary)
    let model = MergingModel(
      vocabulary: vocabulary, symbols: .bytes, order: .pairs(PairTable(merges)),
      takesWholeWords: splitting.takesWholeWords)
    var parts = Parts(
      vocabulary: vocabulary, model: .merging(model),
      added: try AddedTokens(tokens, normalize: { $0 }, path: table.path))
    parts.path = table.path
    parts.splitter = Splitter(try SplittingName.stages(of: splitting.patterns, path: table.path))
    if splitting.composes { parts.normalizer.steps = [.form(.composed)] }
    parts.beginningOfText = table.beginningOfText
    parts.endOfText = Set(table.endOfText)
    if table.addsBeginning ?? splitting.addsBeginning, let id = table.beginningOfText { parts.prefix = [id] }
    if table.addsEnd ?? false, let id = table.endOfText.first { parts.suffix = [id] }
    parts.completeMarks()
    return parts
  }
}
