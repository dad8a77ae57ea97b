/// Tokens that are found in the text before it is split: marks of a chat, and words that are never cut.
final class AddedTokens: Sendable {
  struct Token: Sendable {
    var content: String
    var id: Int
    /// A mark and not text: found only when the caller asks for it, left out of decoded text when the caller asks for
    /// that.
    var isSpecial = false
    /// Takes the white space before it along.
    var stripsLeft = false
    /// Takes the white space behind it along.
    var stripsRight = false
    /// Only where it touches no other word.
    var isSingleWord = false
    /// Found in the text as normalised, not as written.
    var isNormalized = false
  }

  let tokens: [Token]
  /// The contents by id.
  let contents: [Int: String]
  private let trie: ByteTrie
  private let normalizedTrie: ByteTrie

  /// `normalize` is the tokenizer's normalisation, which the content of normalised tokens goes through as text does.
  init(_ tokens: [Token], normalize: ([UInt8]) -> [UInt8], path: String) throws(TokenizerProblem) {
    for token in tokens where token.content.utf8.count > ByteTrie.longestString {
      throw .broken(
        path: path,
        sentence: """
          the added token with the id \(token.id) has \(token.content.utf8.count) bytes; at most \
          \(ByteTrie.longestString) are looked for
          """)
    }
    self.tokens = tokens
    contents = Dictionary(tokens.map { ($0.id, $0.content) }) { first, _ in first }
    func trie(normalized: Bool) -> ByteTrie {
      ByteTrie(
        tokens.enumerated().filter { $0.element.isNormalized == normalized }.map { place, token in
          let bytes = Array(token.content.utf8)
          return (bytes: normalized ? normalize(bytes) : bytes, value: Int32(place))
        })
    }
    self.trie = trie(normalized: false)
    normalizedTrie = trie(normalized: true)
  }

  /// Whether nothing is looked for in the text as written (or, in the text as normalised).
  func isEmpty(normalized: Bool) -> Bool { (normalized ? normalizedTrie : trie).isEmpty }

  /// Cuts `text` at the tokens in it: `body` is called in order with stretches of text and, between them, ids.
  func forEachPart(
    of text: UnsafeBufferPointer<UInt8>, normalized: Bool, includingSpecial: Bool,
    _ body: (_ part: Range<Int>, _ id: Int?) -> Void
  ) {
    let trie = normalized ? normalizedTrie : trie
    guard let base = text.baseAddress, !trie.isEmpty else {
      if !text.isEmpty { body(0..<text.count, nil) }
      return
    }
    var start = 0
    var place = 0
    while place < text.count {
      guard trie.begins(with: base[place]),
        let match = trie.longestMatch(
          at: place, in: base, end: text.count, where: { includingSpecial || !tokens[Int($0)].isSpecial })
      else {
        place += 1
        continue
      }
      let token = tokens[Int(match.value)]
      if token.isSingleWord, touchesWord(place, match.end, base, text.count) {
        place = match.end
        continue
      }
      var left = place
      var right = match.end
      if token.stripsLeft {
        while left > start {
          let before = characterStart(before: left, base)
          guard isSpace(before, base, text.count) else { break }
          left = before
        }
      }
      if token.stripsRight {
        while right < text.count, isSpace(right, base, text.count) {
          right += characterLength(at: right, in: base, end: text.count)
        }
      }
      if left > start { body(start..<left, nil) }
      body(left..<right, token.id)
      start = right
      place = right
    }
    if start < text.count { body(start..<text.count, nil) }
  }

  private func touchesWord(_ start: Int, _ end: Int, _ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    func isWord(_ place: Int) -> Bool {
      !ScalarCategory.of(scalar(at: place, in: text, end: count).value).isDisjoint(with: .widerWord)
    }
    return start > 0 && isWord(characterStart(before: start, text)) || end < count && isWord(end)
  }

  private func characterStart(before place: Int, _ text: UnsafePointer<UInt8>) -> Int {
    var start = place - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }

  private func isSpace(_ place: Int, _ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    ScalarCategory.of(scalar(at: place, in: text, end: count).value).contains(.space)
  }
}
