import Files

extension TokenizerJSON {
  mutating func readModel(
    _ model: JSONValue, added: [AddedTokens.Token]
  ) throws(TokenizerProblem) -> (Vocabulary, Tokenizer.Model) {
    // Older files leave the type out.
    let type = model["type"]?.string ?? (model["merges"] != nil ? "BPE" : model["unk_id"] != nil ? "Unigram" : "")
    switch type {
    case "BPE": return try readMerging(model, added)
    case "Unigram": return try readUnigram(model, added)
    case "WordPiece": return try readWords(model, added, prefix: model["continuing_subword_prefix"]?.string ?? "##")
    case "WordLevel": return try readWords(model, added, prefix: nil)
    default: throw unsupported("the model", type)
    }
  }

  private var spelling: Vocabulary.Spelling {
    isByteLevel ? .byteAlphabet : marksSpaces ? .spaceMark : wordEnd.map { .wordEnd(Array($0.utf8)) } ?? .plain
  }

  /// A piece's bytes in a text that is ready for the model; nil where no text has them.
  private func spelled(_ piece: String) -> [UInt8]? {
    switch spelling {
    case .plain: Array(piece.utf8)
    case .byteAlphabet: ByteAlphabet.decoded(piece)
    case .spaceMark: Vocabulary.withSpaces(Array(piece.utf8))
    case .wordEnd(let suffix): Vocabulary.withSpace(Array(piece.utf8), for: suffix)
    }
  }

  private mutating func readMerging(
    _ model: JSONValue, _ added: [AddedTokens.Token]
  ) throws(TokenizerProblem) -> (Vocabulary, Tokenizer.Model) {
    if let text = model["continuing_subword_prefix"]?.string, !text.isEmpty {
      throw unsupported("the model's continuing_subword_prefix", text)
    }
    if let text = model["end_of_word_suffix"]?.string, !text.isEmpty {
      guard !isByteLevel, !marksSpaces, root["decoder"]?["type"]?.string == "BPEDecoder" else {
        throw unsupported("the model's end_of_word_suffix", text)
      }
      wordEnd = text
    }
    if let dropout = model["dropout"]?.number, dropout > 0 { throw unsupported("the model's dropout", "\(dropout)") }
    guard let vocab = model["vocab"]?.object else { throw broken("the model has no object 'vocab'") }
    let fallsBack = model["byte_fallback"]?.bool ?? false
    let special = Dictionary(added.lazy.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var builder = VocabularyBuilder(path: path, spelling: spelling, expected: vocab.count)
    var marks: [(bytes: [UInt8], id: Int)] = []
    for (piece, id) in vocab {
      guard let id = id.integer else {
        throw broken("the piece \(TokenizerProblem.shortened(piece)) has \(id.kind) for its id")
      }
      if special[id]?.isSpecial == true || (fallsBack && Vocabulary.byte(named: piece.utf8) != nil) {
        marks += spelled(piece).map { [($0, id)] } ?? []
      }
      if fallsBack, let byte = Vocabulary.byte(named: piece.utf8) {
        try builder.add(bytes: [byte], id: id, kind: .byte)
      } else if let token = special[id], token.isSpecial, token.content.utf8.elementsEqual(piece.utf8) {
        try builder.add(bytes: shown[id] ?? Array(piece.utf8), id: id, kind: .control)
      } else {
        try builder.add(piece, id: id)
      }
    }
    try add(added, to: &builder)
    let vocabulary = Vocabulary(builder)
    let unknown = try unknown(model["unk_token"]?.string, in: vocab)
    let markTable = marks.isEmpty ? nil : MarkTable(marks)
    let merging = MergingModel(
      vocabulary: vocabulary, symbols: isByteLevel ? .bytes : .characters,
      order: .pairs(PairTable(try merges(model["merges"], in: vocabulary, markTable))),
      takesWholeWords: model["ignore_merges"]?.bool ?? false, fallsBackToBytes: fallsBack, unknown: unknown,
      fusesUnknown: model["fuse_unk"]?.bool ?? false, marksWordEnds: wordEnd != nil,
      marks: markTable)
    return (vocabulary, .merging(merging))
  }

  private func add(_ tokens: [AddedTokens.Token], to builder: inout VocabularyBuilder) throws(TokenizerProblem) {
    for token in tokens where builder.isFree(token.id) {
      try builder.add(
        bytes: shown[token.id] ?? Array(token.content.utf8), id: token.id,
        kind: token.isSpecial ? .control : .userDefined, isHidden: true)
    }
  }

  func unknown(_ piece: String?, in vocab: JSONObject) throws(TokenizerProblem) -> Int? {
    guard let piece else { return nil }
    guard let id = vocab[piece]?.integer else {
      throw broken("the unknown piece \(TokenizerProblem.shortened(piece)) is not in the vocabulary")
    }
    return id
  }

  private func merges(
    _ value: JSONValue?, in vocabulary: Vocabulary, _ marks: MarkTable?
  ) throws(TokenizerProblem) -> [(left: Int32, right: Int32, made: Int32)] {
    guard let list = value?.array else { throw broken("the model has no array 'merges'") }
    var resolver = MergeList.Resolver(vocabulary, marks: marks)
    var merges: [(left: Int32, right: Int32, made: Int32)] = []
    merges.reserveCapacity(list.count)
    for (rank, value) in list.enumerated() {
      var merge: (left: Int32, right: Int32, made: Int32)?
      if let line = value.string {
        merge = resolver.merge(line: line)
      } else if let pair = value.array, pair.count == 2, var left = pair[0].string, var right = pair[1].string {
        merge = left.withUTF8 { left in right.withUTF8 { right in resolver.merge(left, right) } }
      } else {
        throw broken("merge \(rank) is \(value.kind) and not two pieces")
      }
      guard let merge else {
        let text = value.string ?? (value.array ?? []).compactMap(\.string).joined(separator: " ")
        throw broken("merge \(rank), \(TokenizerProblem.shortened(text)), has or makes a piece without an id")
      }
      merges.append(merge)
    }
    return merges
  }

  private func readUnigram(
    _ model: JSONValue, _ added: [AddedTokens.Token]
  ) throws(TokenizerProblem) -> (Vocabulary, Tokenizer.Model) {
    guard let vocab = model["vocab"]?.array else { throw broken("the model has no array 'vocab'") }
    let fallsBack = model["byte_fallback"]?.bool ?? false
    let unknown = model["unk_id"]?.integer
    let special = Dictionary(added.lazy.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var builder = VocabularyBuilder(path: path, spelling: spelling, expected: vocab.count)
    var scores: [Double] = []
    var marks: [(bytes: [UInt8], id: Int)] = []
    for (id, entry) in vocab.enumerated() {
      guard let pair = entry.array, pair.count == 2, let piece = pair[0].string, let score = pair[1].number else {
        throw broken("entry \(id) of the vocabulary is not a piece and a score")
      }
      scores.append(score)
      if id == unknown || special[id]?.isSpecial == true || (fallsBack && Vocabulary.byte(named: piece.utf8) != nil) {
        marks += spelled(piece).map { [($0, id)] } ?? []
      }
      if fallsBack, let byte = Vocabulary.byte(named: piece.utf8) {
        try builder.add(bytes: [byte], id: id, kind: .byte)
      } else if id == unknown {
        try builder.add(piece, id: id, kind: .unknown)
      } else {
        try builder.add(piece, id: id, kind: special[id]?.isSpecial ?? false ? .control : .normal)
      }
    }
    try add(added, to: &builder)
    let vocabulary = Vocabulary(builder)
    guard unknown.map({ vocabulary.hasPiece($0) }) ?? true else {
      throw broken("the unknown piece has the id \(unknown ?? -1), which belongs to no piece")
    }
    scores += Array(repeating: 0, count: vocabulary.count - scores.count)
    return (
      vocabulary,
      .unigram(
        try UnigramModel(
          vocabulary: vocabulary, scores: scores, addsInFloat: false, unknown: unknown, fallsBackToBytes: fallsBack,
          marks: marks, path: path))
    )
  }
}
