/// SentencePiece's precompiled table of characters: the longest entry that fits is replaced.
///
/// A little-endian length, a double-array trie of that many bytes (S. Yata's darts-clone), and the replacements, each
/// ended by a zero byte; google/sentencepiece `src/normalizer.cc`. In a unit of the trie the low byte is the label, bit
/// 8 says that an entry ends here, bits 10 and up are the way to the children, times 256 when bit 9 is set.
final class CharacterMap: Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]

  /// Nil when the lengths do not fit the bytes.
  init?(_ table: some RandomAccessCollection<UInt8>) {
    let table = Array(table)
    guard table.count >= 4 else { return nil }
    let size = (0..<4).reduce(0) { $0 | Int(table[$1]) << ($1 * 8) }
    guard size % 4 == 0, size >= 4, size <= table.count - 4 else { return nil }
    units = stride(from: 4, to: 4 + size, by: 4).map { start in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(table[start + $1]) << UInt32($1 * 8) }
    }
    replacements = Array(table[(4 + size)...])
  }

  func mapped(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    text.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return }
      var place = 0
      while place < text.count {
        if let (length, start) = longestEntry(at: place, in: text) {
          var next = start
          while next < replacements.count, replacements[next] != 0 {
            result.append(replacements[next])
            next += 1
          }
          place += length
        } else {
          let length = characterLength(at: place, in: base, end: text.count)
          result.append(contentsOf: text[place..<place + length])
          place += length
        }
      }
    }
    return result
  }

  // The length of the longest entry at `place` and where its replacement begins. Places come from the file: each is
  // checked.
  private func longestEntry(at place: Int, in text: UnsafeBufferPointer<UInt8>) -> (Int, Int)? {
    var found: (Int, Int)?
    var node = offset(units[0])
    var next = place
    while next < text.count {
      node ^= Int(text[next])
      guard node < units.count else { break }
      let unit = units[node]
      guard unit & 0x8000_00FF == UInt32(text[next]) else { break }
      next += 1
      node ^= offset(unit)
      guard node < units.count else { break }
      if unit >> 8 & 1 == 1 { found = (next - place, Int(units[node] & 0x7FFF_FFFF)) }
    }
    return found
  }

  private func offset(_ unit: UInt32) -> Int {
    Int(unit >> 10) << (unit & 1 << 9 == 0 ? 0 : 8)
  }
}
