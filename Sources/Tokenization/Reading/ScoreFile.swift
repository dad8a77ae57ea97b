import Files

/// Reads the binary vocabulary of karpathy/llama2.c (`tokenizer.bin`): the longest piece's length, then for each piece
/// its score, its length and its bytes, little endian; spaces stand as such. 0 is unknown, 1 begins a text, 2 ends it.
enum ScoreFile {
  /// Whether the whole of `bytes` is such a file.
  static func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    (try? pieces(bytes, path: "")).map { $0.count >= 3 } ?? false
  }

  private static func pieces(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(FileProblem) -> [(bytes: [UInt8], score: Float)] {
    var reader = ByteReader(bytes, name: path)
    let longest = try reader.read(Int32.self)
    var result: [(bytes: [UInt8], score: Float)] = []
    while reader.remaining > 0 {
      let score = try reader.readFloat()
      let length = try reader.read(Int32.self)
      guard length >= 0, length <= longest else {
        throw reader.problem("a piece of \(length) bytes, longer than the longest")
      }
      result.append((Array(try reader.bytes(UInt64(length))), score))
      guard result.count <= Vocabulary.largestCount else { throw reader.problem("too many pieces") }
    }
    return result
  }

  static func parts(_ bytes: UnsafeRawBufferPointer, path: String) throws(TokenizerProblem) -> Tokenizer.Parts {
    let found: [(bytes: [UInt8], score: Float)]
    do { found = try pieces(bytes, path: path) } catch { throw .file(error) }
    var source = SentencePieces(path: path)
    for (id, piece) in found.enumerated() {
      let kind: PieceKind =
        switch id {
        case 0: .unknown
        case 1, 2: .control
        default: Vocabulary.byte(named: piece.bytes) != nil ? .byte : .normal
        }
      // Here the marks stand between line ends, for printing; in text they are written without.
      let isMark = kind == .control || kind == .unknown
      let content = isMark ? piece.bytes.filter { $0 != 0x0A } : Self.markingSpaces(piece.bytes)
      source.pieces.append((content, piece.score, kind))
    }
    source.beginningOfText = 1
    source.endOfText = [2]
    source.addsBeginning = true
    source.spacePrefix = .sentence
    return try source.parts()
  }

  private static func markingSpaces(_ bytes: [UInt8]) -> [UInt8] {
    bytes.flatMap { $0 == 0x20 ? [0xE2, 0x96, 0x81] : [$0] }
  }
}
