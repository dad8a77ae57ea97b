import Files

/// Reads the rank files of tiktoken: on each line a piece's bytes in base64 and its rank, which is its id and says when
/// it is merged. How text is split stands nowhere in them.
enum RankFile {
  /// Whether `bytes` begin with such a line.
  static func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let line = bytes.prefix { $0 != 0x0A }.prefix(4096)
    var parsed: [UInt8] = []
    return Self.line(line, into: &parsed) != nil && !parsed.isEmpty
  }

  // The rank, or nil when the line is none.
  private static func line(_ line: Slice<UnsafeRawBufferPointer>, into piece: inout [UInt8]) -> Int? {
    guard let space = line.firstIndex(of: 0x20) else { return nil }
    var digits = line[(space + 1)...]
    if digits.last == 0x0D { digits.removeLast() }
    guard !digits.isEmpty, digits.count <= 9, Base64.decode(line[..<space], into: &piece) else { return nil }
    var rank = 0
    for digit in digits {
      guard digit &- 0x30 < 10 else { return nil }
      rank = rank * 10 + Int(digit &- 0x30)
    }
    return rank
  }

  static func parts(
    _ bytes: UnsafeRawBufferPointer, path: String, splitting: SplittingName, specialTokens: [String: Int]
  ) throws(TokenizerProblem) -> Tokenizer.Parts {
    var builder = VocabularyBuilder(path: path, spelling: .byteAlphabet, expected: bytes.count / 4)
    var piece: [UInt8] = []
    var start = 0
    var number = 1
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      defer {
        start = end + 1
        number += 1
      }
      guard end > start else { continue }
      piece.removeAll(keepingCapacity: true)
      guard let rank = line(bytes[start..<end], into: &piece) else {
        throw .broken(path: path, sentence: "line \(number) is not a piece in base64 and its rank")
      }
      guard builder.isFree(rank) else {
        throw .broken(path: path, sentence: "line \(number) gives the rank \(rank) to a second piece")
      }
      try builder.add(bytes: piece, id: rank)
    }
    var tokens: [AddedTokens.Token] = []
    for (content, id) in specialTokens.sorted(by: { $0.value < $1.value }) {
      guard builder.isFree(id) else {
        throw .broken(
          path: path, sentence: "the special token \(TokenizerProblem.shortened(content)) has the id \(id) of a piece")
      }
      try builder.add(content, id: id, kind: .control)
      tokens.append(AddedTokens.Token(content: content, id: id, isSpecial: true))
    }
    let vocabulary = Vocabulary(builder)
    let ranks = FrozenArray((0..<UInt32(vocabulary.count)))
    let model = MergingModel(
      vocabulary: vocabulary, symbols: .bytes, order: .ranks(ranks), takesWholeWords: true)
    var parts = Tokenizer.Parts(
      vocabulary: vocabulary, model: .merging(model),
      added: try AddedTokens(tokens, normalize: { $0 }, path: path))
    parts.path = path
    if splitting.composes { parts.normalizer.steps = [.form(.composed)] }
    parts.splitter = Splitter(try SplittingName.stages(of: splitting.patterns, path: path))
    parts.completeMarks()
    if splitting.addsBeginning, let id = parts.beginningOfText { parts.prefix = [id] }
    return parts
  }
}
