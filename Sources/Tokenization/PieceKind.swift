/// What a vocabulary's piece is for; the numbers are those of SentencePiece (`sentencepiece_model.proto`) and of GGUF's
/// `tokenizer.ggml.token_type`.
enum PieceKind: UInt8, Sendable {
  /// Text, found by merging or by likelihood.
  case normal = 1
  /// Stands for text that has no pieces.
  case unknown = 2
  /// Marks the text (its beginning, its end, a turn of a chat) and is not text itself.
  case control = 3
  /// Text that is always one piece.
  case userDefined = 4
  /// Has an id and never comes out.
  case unused = 5
  /// One byte of a character that has no piece: `<0x41>`.
  case byte = 6
}
