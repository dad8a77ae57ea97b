import Files

extension Tokenizer {
  /// A tokenizer from a folder, or from one file: `tokenizer.json`, `vocab.json` with `merges.txt`, `encoder.json` with
  /// `vocab.bpe`, a SentencePiece `.model`, a tiktoken rank file, llama2.c's `tokenizer.bin`, or a JSON object or array
  /// of characters. The kind is seen from the content, not from the name.
  ///
  /// `splitting` is a way's name, as GGUF and tiktoken have them, or a pattern; only rank files need it, unless they
  /// are called by a known name, and `vocab.json` with `merges.txt` follows it. `specialTokens` are the marks of a rank
  /// file.
  public static func load(
    from path: String, splitting: String? = nil, specialTokens: [String: Int] = [:]
  ) throws(TokenizerProblem) -> Tokenizer {
    switch kind(ofPath: path) {
    case .nothing:
      throw .noVocabulary(path: path, sentence: "no such file or folder")
    case .folder:
      for name in ["tokenizer.json", "tokenizer.model", "vocab.json", "encoder.json", "tokenizer.bin"] {
        guard kind(ofPath: path + "/" + name) == .file else { continue }
        return try file(path + "/" + name, folder: path, splitting: splitting, specialTokens: specialTokens)
      }
      let candidates = try names(in: path).filter { name in
        name.hasSuffix(".tiktoken") || name.hasSuffix(".model") || name.hasPrefix("vocab") && name.hasSuffix(".json")
          || name.hasPrefix("tok") && name.hasSuffix(".bin")
      }
      guard candidates.count == 1 else {
        throw .noVocabulary(
          path: path,
          sentence: candidates.isEmpty
            ? "the folder has no vocabulary: no tokenizer.json, tokenizer.model, vocab.json or encoder.json"
            : "the folder has several vocabularies (\(candidates.joined(separator: ", "))); name one")
      }
      return try file(path + "/" + candidates[0], folder: path, splitting: splitting, specialTokens: specialTokens)
    case .file, .other:
      let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
      return try file(path, folder: folder, splitting: splitting, specialTokens: specialTokens)
    }
  }

  private static func names(in folder: String) throws(TokenizerProblem) -> [String] {
    do { return try namesInFolder(folder) } catch { throw .file(error) }
  }

  private static func file(
    _ path: String, folder: String, splitting: String?, specialTokens: [String: Int]
  ) throws(TokenizerProblem) -> Tokenizer {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    return try withExtendedLifetime(file) { () throws(TokenizerProblem) in
      let bytes = file.bytes
      let first = bytes.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
      if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
        return try json(bytes, path: path, folder: folder, splitting: splitting)
      }
      if bytes.starts(with: Array("GGUF".utf8)) {
        throw .unsupported(path: path, part: "the vocabulary", found: "GGUF; open the file as a model")
      }
      // Only a file of a model's own folder is described by the files beside it; a single file of a collection is too,
      // where they stand there.
      let companions = try CompanionFiles(folder: folder)
      if RankFile.matches(bytes) {
        let stem = stem(of: path)
        guard let found = splitting.map({ SplittingName.find($0) }) ?? SplittingName.named(stem) else {
          throw .splittingNotNamed(path: path, known: SplittingName.examples)
        }
        return Tokenizer(
          try RankFile.parts(bytes, path: path, splitting: found, specialTokens: specialTokens))
      }
      if SentencePieceFile.matches(bytes) {
        var parts = try SentencePieceFile.parts(bytes, path: path, companions)
        companions.apply(to: &parts)
        parts.completeMarks()
        return Tokenizer(parts)
      }
      if ScoreFile.matches(bytes) { return Tokenizer(try ScoreFile.parts(bytes, path: path)) }
      throw .noVocabulary(
        path: path,
        sentence:
          "not a vocabulary of a known kind (tokenizer.json, SentencePiece, tiktoken ranks, llama2.c, characters)")
    }
  }

  private static func json(
    _ bytes: UnsafeRawBufferPointer, path: String, folder: String, splitting: String?
  ) throws(TokenizerProblem) -> Tokenizer {
    let root: JSONValue
    do { root = try JSONValue(parsing: bytes, name: path) } catch { throw .file(error) }
    if let list = root.array {
      let pieces = list.enumerated().map { ($0.element.string ?? "", $0.offset) }
      return Tokenizer(try PieceListFiles.characters(pieces, path: path))
    }
    if root["model"]?.object != nil {
      var reader = TokenizerJSON(root, path: path)
      return Tokenizer(try reader.parts(try CompanionFiles(folder: folder)))
    }
    guard let vocab = root.object, !vocab.isEmpty, vocab.values.allSatisfy({ $0.integer != nil }) else {
      throw .noVocabulary(path: path, sentence: "the JSON is neither a tokenizer nor an object of pieces and ids")
    }
    if PieceListFiles.areCharacters(vocab) {
      return Tokenizer(
        try PieceListFiles.characters(vocab.map { ($0, $1.integer ?? -1) }, path: path))
    }
    for name in ["merges.txt", "vocab.bpe"] where kind(ofPath: folder + "/" + name) == .file {
      let splitting =
        splitting.map { SplittingName.find($0) } ?? SplittingName(patterns: [SplittingName.wordsAndSpaces])
      return Tokenizer(
        try PieceListFiles.byteLevel(
          vocab, path: path, merges: folder + "/" + name, splitting: splitting, try CompanionFiles(folder: folder)))
    }
    throw .noVocabulary(
      path: path, sentence: "the pieces have no merges: neither merges.txt nor vocab.bpe stands beside them")
  }

  // "cl100k_base" for ".../cl100k_base.tiktoken".
  private static func stem(of path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    return String(name.split(separator: ".").first ?? "")
  }
}
