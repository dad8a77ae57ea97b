/// A token of text as the bytes that it is shown as.
public struct ShownToken: Sendable {
  /// The id.
  public let id: Int
  /// What is shown of it behind other text.
  public let bytes: [UInt8]
  /// What is shown of it where it begins a text.
  public let firstBytes: [UInt8]
  /// Whether a space is shown behind it as soon as another token follows.
  public let endsWord: Bool
}

extension Tokenizer {
  /// Every token that is text, with what decoding shows of it. Marks, and ids without a piece, are none of them.
  public var shownTokens: [ShownToken] {
    let vocabulary = parts.vocabulary
    let isShownAlike = parts.leadingSpace == .kept && parts.firstShown.isEmpty && !parts.marksWordEnds
    return (0..<count).compactMap { id in
      switch vocabulary.kind(of: id) {
      case .normal, .userDefined, .byte: break
      case .unknown, .control, .unused, nil: return nil
      }
      let plain = Array(vocabulary.bytes(of: id))
      if isShownAlike { return ShownToken(id: id, bytes: plain, firstBytes: plain, endsWord: false) }
      var (behind, first) = ([] as [UInt8], [] as [UInt8])
      var decoder = StreamDecoder(self, startsText: false)
      decoder.appendBytes(of: id, to: &behind)
      var firstDecoder = StreamDecoder(self, startsText: true)
      firstDecoder.appendBytes(of: id, to: &first)
      return ShownToken(
        id: id, bytes: behind, firstBytes: first, endsWord: parts.marksWordEnds && behind.count < plain.count)
    }
  }
}
