/// The pieces of a tokenizer: bytes by id and ids by bytes.
final class Vocabulary: Sendable {
  /// How a piece's bytes are spelled for people and files.
  enum Spelling: Sendable {
    /// As UTF-8.
    case plain
    /// In the byte alphabet: a space is Ġ.
    case byteAlphabet
    /// With ▁ (U+2581) for a space.
    case spaceMark
    /// With these bytes behind a piece that ends a word, which in memory is a space.
    case wordEnd([UInt8])
  }

  /// One more than the largest id.
  let count: Int
  let spelling: Spelling
  /// Pieces that text is made of, by their bytes.
  let table: PieceTable
  /// [256]: the id of the piece that is this single byte of text, or -1.
  let singles: FrozenArray<Int32>
  /// [256]: the id of the piece `<0x…>` of a byte, or -1.
  let fallbacks: FrozenArray<Int32>
  let storage: FrozenArray<UInt8>
  let offsets: FrozenArray<Int>  // [count + 1]
  let kinds: FrozenArray<UInt8>  // [count], 0 where no piece has the id
  /// Control, unknown and byte pieces by their spelling.
  private let named: [[UInt8]: Int32]

  /// No vocabulary in use has a tenth of this; it bounds what a few bytes of a file can make this program allocate.
  static let largestCount = 1 << 22

  init(_ builder: VocabularyBuilder) {
    let storage = FrozenArray(builder.storage)
    count = builder.entries.count
    spelling = builder.spelling
    // The pieces lie in the order they came; sorted by id, the end of one is the beginning of the next.
    var offsets = [Int](repeating: 0, count: count + 1)
    var ordered: [UInt8] = []
    ordered.reserveCapacity(storage.count)
    for (id, entry) in builder.entries.enumerated() {
      offsets[id] = ordered.count
      ordered.append(contentsOf: UnsafeBufferPointer(start: storage.base + Int(entry.start), count: Int(entry.length)))
    }
    offsets[count] = ordered.count
    // Behind the last piece: what an id without a piece decodes to, and room for reading 16 bytes at once.
    ordered += [0xEF, 0xBF, 0xBD] + [UInt8](repeating: 0, count: 16)
    self.storage = FrozenArray(ordered)
    self.offsets = FrozenArray(offsets)
    kinds = FrozenArray(builder.entries.map(\.kind))

    var named: [[UInt8]: Int32] = [:]
    var text: [Int32] = []
    var fallbacks = [Int32](repeating: -1, count: 256)
    for (id, entry) in builder.entries.enumerated() {
      switch PieceKind(rawValue: entry.kind) {
      case .normal where !entry.isHidden, .userDefined where !entry.isHidden:
        text.append(Int32(id))
      case .byte:
        let byte = Int(ordered[offsets[id]])
        if fallbacks[byte] < 0 { fallbacks[byte] = Int32(id) }
        named[Array(Self.byteName(byte).utf8), default: Int32(id)] = Int32(id)
      case nil:
        break
      default:
        let bytes = Array(ordered[offsets[id]..<offsets[id + 1]])
        if named[bytes] == nil { named[bytes] = Int32(id) }
      }
    }
    self.named = named
    self.fallbacks = FrozenArray(fallbacks)
    let table = PieceTable(text, count: text.count, storage: self.storage, offsets: self.offsets)
    self.table = table
    singles = FrozenArray((0...255 as ClosedRange<UInt8>).map { table.id(of: [$0]) })
  }

  /// The bytes of text that `id` stands for; empty when no piece has the id.
  func bytes(of id: Int) -> UnsafeBufferPointer<UInt8> {
    guard hasPiece(id) else { return UnsafeBufferPointer(start: nil, count: 0) }
    let start = offsets.base[id]
    return UnsafeBufferPointer(start: storage.base + start, count: offsets.base[id + 1] - start)
  }

  /// U+FFFD, the bytes of an id without a piece.
  var replacement: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: storage.base + offsets.base[count], count: 3)
  }

  func hasPiece(_ id: Int) -> Bool { id >= 0 && id < count && kinds.base[id] != 0 }

  func kind(of id: Int) -> PieceKind? { id >= 0 && id < count ? PieceKind(rawValue: kinds.base[id]) : nil }

  /// The piece as its file spells it.
  func piece(of id: Int) -> String? {
    guard let kind = kind(of: id) else { return nil }
    let bytes = bytes(of: id)
    switch (kind, spelling) {
    case (.byte, _): return bytes.first.map { Self.byteName(Int($0)) }
    case (.normal, .byteAlphabet): return ByteAlphabet.encoded(bytes)
    case (.normal, .spaceMark): return Self.markingSpaces(bytes)
    case (.normal, .wordEnd(let suffix)):
      let ends = bytes.last == 0x20
      return String(decoding: ends ? bytes.dropLast() + suffix : Array(bytes), as: UTF8.self)
    default: return String(decoding: bytes, as: UTF8.self)
    }
  }

  /// The id of the piece that is spelled so.
  func id(of piece: String) -> Int? {
    let utf8 = Array(piece.utf8)
    if let id = named[utf8] { return Int(id) }
    let bytes: [UInt8]
    switch spelling {
    case .plain: bytes = utf8
    case .byteAlphabet: bytes = ByteAlphabet.decoded(piece) ?? utf8
    case .spaceMark: bytes = Self.withSpaces(utf8)
    case .wordEnd(let suffix): bytes = Self.withSpace(utf8, for: suffix)
    }
    let id = table.id(of: bytes)
    return id < 0 ? nil : Int(id)
  }

  static func byteName(_ byte: Int) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x" + (digits.count < 2 ? "0" : "") + digits + ">"
  }

  /// The byte that `<0x41>` names: exactly two hexadecimal digits, or it is no byte piece.
  static func byte(named piece: some Collection<UInt8>) -> UInt8? {
    let piece = Array(piece)
    guard piece.count == 6, piece.starts(with: Array("<0x".utf8)), piece[5] == UInt8(ascii: ">") else { return nil }
    guard let high = hexadecimal(piece[3]), let low = hexadecimal(piece[4]) else { return nil }
    return high << 4 | low
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }

  /// `bytes` with every ▁ turned into a space, where `marksSpaces`.
  static func withSpaces(_ bytes: [UInt8], if marksSpaces: Bool) -> [UInt8] {
    marksSpaces ? withSpaces(bytes) : bytes
  }

  /// `bytes` with a space for `suffix` at their end.
  static func withSpace(_ bytes: some BidirectionalCollection<UInt8>, for suffix: [UInt8]) -> [UInt8] {
    guard bytes.suffix(suffix.count).elementsEqual(suffix) else { return Array(bytes) }
    return bytes.dropLast(suffix.count) + [0x20]
  }

  /// `bytes` with every ▁ turned into a space.
  static func withSpaces(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for byte in bytes {
      result.append(byte)
      let end = result.count
      if byte == 0x81, end >= 3, result[end - 3] == 0xE2, result[end - 2] == 0x96 {
        result.removeLast(3)
        result.append(0x20)
      }
    }
    return result
  }

  private static func markingSpaces(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    var result: [UInt8] = []
    for byte in bytes {
      if byte == 0x20 { result += [0xE2, 0x96, 0x81] } else { result.append(byte) }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
