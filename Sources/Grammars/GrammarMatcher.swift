/// Follows one text through a grammar, token by token.
public final class GrammarMatcher {
  private let grammar: TokenGrammar
  private let handle: Int
  /// Whether the next token begins the text.
  private var isFirst: Bool
  /// Whether the last token's word has ended, which is a space as soon as another token follows.
  private var owesSpace = false
  /// The last bytes, for messages.
  private var tail: [UInt8] = []

  init(_ grammar: TokenGrammar, handle: Int, atStart: Bool) {
    self.grammar = grammar
    self.handle = handle
    isFirst = atStart
  }

  deinit { grammar.release(handle) }

  /// Another matcher that has come as far.
  public func copy() -> GrammarMatcher {
    let copy = GrammarMatcher(grammar, handle: grammar.copy(handle), atStart: isFirst)
    copy.owesSpace = owesSpace
    copy.tail = tail
    return copy
  }

  /// Whether the text may end here.
  public var mayEnd: Bool { grammar.state(handle).mayEnd }

  /// Whether nothing can follow: the text is complete.
  public var isFinished: Bool {
    let state = grammar.state(handle)
    return state.mayEnd && !state.mayContinue
  }

  /// The tokens of text that may come next. What ends a text is not among them: it may come where `mayEnd`.
  ///
  /// Throws `GrammarProblem.ambiguous`, and `noToken` where the grammar goes on and no token does.
  public func mask() throws(GrammarProblem) -> TokenMask {
    let behind: [UInt8] = owesSpace ? [0x20] : []
    guard let mask = grammar.mask(handle, behind: behind, isFirst: isFirst && !owesSpace) else {
      throw .ambiguous(after: shownTail)
    }
    if mask.isEmpty, !mayEnd { throw .noToken(after: shownTail, wanted: wanted) }
    return mask
  }

  /// Whether the token `id` may come next; it is quicker than a mask.
  ///
  /// Throws `GrammarProblem.ambiguous`.
  public func allows(_ id: Int) throws(GrammarProblem) -> Bool {
    let bytes = bytes(of: id)
    if bytes.isEmpty { return false }
    // Whether the space behind a word can come is looked up in the mask.
    if grammar.vocabulary.wordEnds[id] { return try mask()[id] }
    guard let isAllowed = grammar.advance(handle, by: bytes, isTrial: true) else { throw .ambiguous(after: shownTail) }
    return isAllowed
  }

  /// Takes the token `id` as the next; false, and nothing changes, where the grammar does not have it.
  ///
  /// Throws `GrammarProblem.ambiguous`.
  public func accept(_ id: Int) throws(GrammarProblem) -> Bool {
    let bytes = bytes(of: id)
    if bytes.isEmpty { return false }
    guard let isAccepted = grammar.advance(handle, by: bytes) else { throw .ambiguous(after: shownTail) }
    if isAccepted {
      isFirst = false
      owesSpace = grammar.vocabulary.wordEnds[id]
      tail = Array((tail + bytes).suffix(24))
    }
    return isAccepted
  }

  private func bytes(of id: Int) -> [UInt8] {
    let vocabulary = grammar.vocabulary
    guard id >= 0, id < vocabulary.count else { return [] }
    if isFirst, let first = vocabulary.firstBytes[id] { return first }
    let bytes = vocabulary.bytes[id]
    return owesSpace && !bytes.isEmpty ? [0x20] + bytes : bytes
  }

  private var shownTail: String {
    tail.isEmpty
      ? "the beginning" : "'\(String(decoding: tail, as: UTF8.self).debugDescription.dropFirst().dropLast())'"
  }

  private var wanted: String {
    let bytes = grammar.nextBytes(handle)
    let shown = bytes.prefix(8).map { byte in
      byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
    }
    return shown.joined(separator: " or ") + (bytes.count > 8 ? " or \(bytes.count - 8) others" : "")
  }
}
