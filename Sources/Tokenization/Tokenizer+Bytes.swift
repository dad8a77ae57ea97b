import Files

extension Tokenizer {
  /// The vocabulary of the 256 bytes, each its own id: every text has ids, and nothing is learned.
  public static func ofBytes() throws(TokenizerProblem) -> Tokenizer {
    let pieces = (UInt8.min ... .max).map { ByteAlphabet.encoded([$0]) }
    // Byte-level pieces without any merge.
    return try Tokenizer(VocabularyTable(path: "bytes", model: "gpt2", pieces: TextList(pieces)))
  }
}
