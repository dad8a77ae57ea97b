import Files

/// Reads a vocabulary that is a JSON object of pieces and ids, with its merges in a text file beside it, or of single
/// characters without merges.
enum PieceListFiles {
  /// Byte-level pieces and their merges: `vocab.json` and `merges.txt`, or `encoder.json` and `vocab.bpe`.
  static func byteLevel(
    _ vocab: JSONObject, path: String, merges mergesPath: String, splitting: SplittingName, _ companions: CompanionFiles
  ) throws(TokenizerProblem) -> Tokenizer.Parts {
    var builder = VocabularyBuilder(path: path, spelling: .byteAlphabet, expected: vocab.count)
    var tokens = companions.added
    let special = Set(companions.added.lazy.filter(\.isSpecial).map(\.id))
    for (piece, id) in vocab {
      guard let id = id.integer else {
        throw .broken(path: path, sentence: "the piece \(TokenizerProblem.shortened(piece)) has \(id.kind) for its id")
      }
      // What is written like a mark is one: these files do not say it otherwise.
      let isMark =
        SpecialNames.ends.contains(piece) || SpecialNames.beginnings.contains(piece)
        || special.contains(id)
      try builder.add(piece, id: id, kind: isMark ? .control : .normal)
      if isMark, !tokens.contains(where: { $0.id == id }) {
        tokens.append(AddedTokens.Token(content: piece, id: id, isSpecial: true))
      }
    }
    for token in companions.added where builder.isFree(token.id) {
      try builder.add(
        bytes: Array(token.content.utf8), id: token.id, kind: token.isSpecial ? .control : .userDefined, isHidden: true)
    }
    let vocabulary = Vocabulary(builder)
    let merges = try readMerges(mergesPath, in: vocabulary)
    let model = MergingModel(
      vocabulary: vocabulary, symbols: .bytes, order: .pairs(PairTable(merges)),
      takesWholeWords: splitting.takesWholeWords)
    var parts = Tokenizer.Parts(
      vocabulary: vocabulary, model: .merging(model),
      added: try AddedTokens(tokens, normalize: { $0 }, path: path))
    parts.path = path
    if splitting.composes { parts.normalizer.steps = [.form(.composed)] }
    parts.splitter = Splitter(try SplittingName.stages(of: splitting.patterns, path: path))
    companions.apply(to: &parts)
    parts.completeMarks()
    return parts
  }

  private static func readMerges(
    _ path: String, in vocabulary: Vocabulary
  ) throws(TokenizerProblem) -> [(left: Int32, right: Int32, made: Int32)] {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    var resolver = MergeList.Resolver(vocabulary)
    var merges: [(left: Int32, right: Int32, made: Int32)] = []
    for (number, line) in file.bytes.split(separator: 0x0A).enumerated() {
      let text = String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
      // The first line says the format's version.
      if number == 0, text.hasPrefix("#version") || text.isEmpty { continue }
      guard let merge = resolver.merge(line: text) else {
        throw .broken(
          path: path,
          sentence: """
            line \(number + 1), \(TokenizerProblem.shortened(text)), is not a merge of two pieces of the vocabulary
            """)
      }
      merges.append(merge)
    }
    return merges
  }

  /// Whether every key is one character, as in the vocabularies of small models.
  static func areCharacters(_ vocab: JSONObject) -> Bool {
    !vocab.isEmpty && vocab.keys.allSatisfy { $0.unicodeScalars.count == 1 }
  }

  static func characters(_ pieces: [(String, Int)], path: String) throws(TokenizerProblem) -> Tokenizer.Parts {
    var builder = VocabularyBuilder(path: path, spelling: .plain, expected: pieces.count)
    for (piece, id) in pieces {
      guard piece.unicodeScalars.count == 1 else {
        throw .broken(path: path, sentence: "\(TokenizerProblem.shortened(piece)) is not one character")
      }
      guard builder.isFree(id) else {
        throw .broken(path: path, sentence: "the id \(id) belongs to two characters")
      }
      try builder.add(piece, id: id)
    }
    let vocabulary = Vocabulary(builder)
    var parts = Tokenizer.Parts(
      vocabulary: vocabulary, model: .characters(CharacterModel(vocabulary: vocabulary, unknown: nil)),
      added: try AddedTokens([], normalize: { $0 }, path: path))
    parts.path = path
    return parts
  }
}

extension Tokenizer {
  /// A vocabulary of single characters, which have the ids 0, 1, 2 … in this order; throws when one comes twice.
  public convenience init(characters: some Sequence<Unicode.Scalar>) throws(TokenizerProblem) {
    let pieces = characters.enumerated().map { (String(Character($0.element)), $0.offset) }
    let parts = try PieceListFiles.characters(pieces, path: "characters")
    guard let twice = Self.firstTwice(pieces.map(\.0)) else {
      self.init(parts)
      return
    }
    throw .broken(path: "characters", sentence: "the character \(TokenizerProblem.quoted(twice)) comes twice")
  }

  private static func firstTwice(_ pieces: [String]) -> String? {
    var seen: Set<[UInt8]> = []
    return pieces.first { !seen.insert(Array($0.utf8)).inserted }
  }
}
