/// The tokens of a vocabulary as the bytes of text that they are shown as.
public struct TokenVocabulary: Sendable {
  /// One token.
  public struct Token: Sendable {
    let id: Int
    let bytes: [UInt8]
    let firstBytes: [UInt8]
    let endsWord: Bool

    /// The token `id` that is shown as `bytes`, and as `first` where it begins a text. `endsWord` says that a space is
    /// shown behind it as soon as another token follows.
    public init(id: Int, bytes: [UInt8], first: [UInt8]? = nil, endsWord: Bool = false) {
      self.id = id
      self.bytes = bytes
      firstBytes = first ?? bytes
      self.endsWord = endsWord
    }
  }

  /// One more than the largest id.
  public let count: Int
  /// Tokens with at most this many bytes, by their bytes, and the longer ones.
  let short: TokenTrie
  let long: TokenTrie
  /// The tokens at the beginning of a text, where they are shown otherwise there.
  let first: TokenTrie?
  /// [id]: the bytes; empty where a token is no text.
  let bytes: [[UInt8]]
  let firstBytes: [Int: [UInt8]]
  /// The tokens behind which a space is owed; empty where there is none.
  let wordEnds: TokenMask
  let hasWordEnds: Bool

  static let longToken = 32

  /// A vocabulary of `count` ids, of which `tokens` are text; the others are never allowed.
  public init(count: Int, _ tokens: [Token]) {
    let tokens = tokens.filter { $0.id >= 0 && $0.id < count }
    self.count = count
    short = TokenTrie(tokens.filter { $0.bytes.count <= Self.longToken }.map { ($0.id, $0.bytes) })
    long = TokenTrie(
      tokens.filter { $0.bytes.count > Self.longToken && $0.bytes.count < 1 << 15 }.map { ($0.id, $0.bytes) })
    let differing = tokens.filter { $0.bytes != $0.firstBytes }
    firstBytes = Dictionary(differing.map { ($0.id, $0.firstBytes) }, uniquingKeysWith: { $1 })
    first =
      differing.isEmpty
      ? nil : TokenTrie(tokens.filter { $0.firstBytes.count < 1 << 15 }.map { ($0.id, $0.firstBytes) })
    var bytes = Array(repeating: [UInt8](), count: count)
    var wordEnds = TokenMask(count: count)
    for token in tokens {
      bytes[token.id] = token.bytes
      if token.endsWord { wordEnds[token.id] = true }
    }
    self.bytes = bytes
    self.wordEnds = wordEnds
    hasWordEnds = !wordEnds.isEmpty
  }
}
