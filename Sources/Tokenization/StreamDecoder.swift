/// Turns ids into text as they come, and never gives out a part of a character.
///
/// Bytes that may still become a character wait for the next id; bytes that cannot become one are U+FFFD. What all
/// calls return, put together, is what `Tokenizer.decode` makes of all ids.
public struct StreamDecoder: Sendable {
  private let tokenizer: Tokenizer
  private let skipsSpecialTokens: Bool
  // Whether the next byte is the first of the text.
  private(set) var isAtStart: Bool
  private var waiting: [UInt8] = []
  // Whether a word has ended, which is a space as soon as another follows.
  private var owesSpace = false

  /// A decoder of this tokenizer's ids; `startsText` false means that text stands before the first id already.
  public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = false, startsText: Bool = true) {
    self.tokenizer = tokenizer
    skipsSpecialTokens = skipSpecialTokens
    isAtStart = startsText
  }

  /// The text that is complete with this id; empty while its last character is not.
  public mutating func append(_ id: Int) -> String {
    var bytes = waiting
    appendBytes(of: id, to: &bytes)
    let complete = bytes.count - Self.incompleteTail(of: bytes)
    waiting = Array(bytes[complete...])
    return String(decoding: bytes[..<complete], as: UTF8.self)
  }

  /// What is left when no id follows: the beginning of a character shows as U+FFFD.
  public mutating func finish() -> String {
    defer { waiting = [] }
    return String(decoding: waiting, as: UTF8.self)
  }

  mutating func appendBytes(of id: Int, to bytes: inout [UInt8]) {
    if skipsSpecialTokens, tokenizer.isSpecial(id) { return }
    let vocabulary = tokenizer.parts.vocabulary
    var piece = vocabulary.hasPiece(id) ? vocabulary.bytes(of: id) : vocabulary.replacement
    if isAtStart, piece.count > 0 {
      let leadingSpace = tokenizer.parts.leadingSpace
      isAtStart = false
      if leadingSpace == .firstPieceStripped {
        bytes += tokenizer.parts.firstShown[id] ?? piece.filter { $0 != 0x20 }
        return
      }
      let isByte = leadingSpace == .oneMarkStripped && vocabulary.kind(of: id) == .byte
      if leadingSpace != .kept, !isByte, piece[0] == 0x20 {
        piece = UnsafeBufferPointer(rebasing: piece.dropFirst())
        isAtStart = piece.isEmpty && leadingSpace == .allStripped
      }
    }
    guard tokenizer.parts.marksWordEnds, !piece.isEmpty else {
      bytes.append(contentsOf: piece)
      return
    }
    if owesSpace { bytes.append(0x20) }
    owesSpace = piece[piece.count - 1] == 0x20 && vocabulary.kind(of: id) == .normal
    bytes.append(contentsOf: owesSpace ? UnsafeBufferPointer(rebasing: piece.dropLast()) : piece)
  }

  /// How many of the last bytes begin a character that is not finished: 0 to 3 (Unicode Standard, table 3-7).
  private static func incompleteTail(of bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let lead = bytes[bytes.count - length]
      if lead & 0xC0 == 0x80 { continue }
      let needed =
        lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 1
      guard needed > length else { return 0 }
      if length == 1 { return 1 }
      // A second byte that cannot follow this lead will never become a character.
      let second = bytes[bytes.count - length + 1]
      let allowed: ClosedRange<UInt8> =
        switch lead {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
      return allowed.contains(second) ? length : 0
    }
    return 0
  }
}
