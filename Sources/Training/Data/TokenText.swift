import Components
import Files

/// Tokens in a row that lie in mapped files, one after the other.
public struct TokenText: Sendable {
  /// The tokens of one file.
  package struct Part: Sendable {
    let file: MappedFile
    /// Where its first token is, in bytes.
    let offset: Int
    /// Bytes of a token: 2 or 4.
    let width: Int
    let count: Int
  }

  private let parts: [Part]
  /// The first token of each part, and the number of all.
  private let starts: [Int]
  /// The tokens of all that this is.
  private let range: Range<Int>

  package init(_ parts: [Part]) {
    self.parts = parts
    starts = parts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    range = 0..<(starts.last ?? 0)
  }

  private init(_ text: TokenText, _ range: Range<Int>) {
    (parts, starts, self.range) = (text.parts, text.starts, range)
  }

  /// How many tokens there are.
  public var count: Int { range.count }

  /// The tokens in `positions`, which must be among them.
  public subscript(positions: Range<Int>) -> [Int] {
    var tokens: [Int] = []
    tokens.reserveCapacity(positions.count)
    var position = range.lowerBound + positions.lowerBound
    let end = range.lowerBound + positions.upperBound
    precondition(positions.lowerBound >= 0 && end <= range.upperBound, "tokens \(positions) of \(range.count)")
    var index = (starts.firstIndex { $0 > position } ?? starts.count) - 1
    while position < end {
      let part = parts[index]
      let last = min(end, starts[index + 1])
      for token in position - starts[index]..<last - starts[index] {
        let byte = part.offset + token * part.width
        tokens.append(
          part.width == 2
            ? Int(UInt16(littleEndian: part.file.bytes.loadUnaligned(fromByteOffset: byte, as: UInt16.self)))
            : Int(UInt32(littleEndian: part.file.bytes.loadUnaligned(fromByteOffset: byte, as: UInt32.self))))
      }
      position = last
      index += 1
    }
    return tokens
  }

  /// The tokens of `window` that begins at `start`.
  subscript(window: TextWindow, at start: Int) -> [Int] { self[start..<start + window.tokens] }

  /// The first tokens, at most `count` of them.
  public func prefix(_ count: Int) -> TokenText {
    TokenText(self, range.lowerBound..<range.lowerBound + min(range.count, max(0, count)))
  }

  /// The first tokens and the last ones, of which there are `fraction`; the last ones are for validation, as nanoGPT cuts.
  public func split(last fraction: Double) -> (first: TokenText, last: TokenText) {
    let end = range.lowerBound + Int(Double(count) * (1 - fraction))
    return (TokenText(self, range.lowerBound..<end), TokenText(self, end..<range.upperBound))
  }
}
