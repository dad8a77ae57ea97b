import Files

/// Gathers the pieces of a vocabulary while its file is read.
struct VocabularyBuilder {
  struct Entry {
    var start: UInt32 = 0
    var length: UInt32 = 0
    var kind: UInt8 = 0
    /// Has an id, and is never found in text.
    var isHidden = false
  }

  let path: String
  let spelling: Vocabulary.Spelling
  private(set) var storage: [UInt8] = []
  private(set) var entries: [Entry] = []

  // Ids from here on are refused: a file of a few bytes must not ask for a table of millions.
  private let limit: Int

  /// Gathers about `expected` pieces, which need not have the ids from 0 on, only be no tiny part of them.
  init(path: String, spelling: Vocabulary.Spelling, expected: Int) {
    self.path = path
    self.spelling = spelling
    limit = min(Vocabulary.largestCount, max(1 << 18, 4 * min(expected, Vocabulary.largestCount)))
  }

  var count: Int { entries.count }

  /// Whether no piece has the id; an id out of range is refused when a piece is added.
  func isFree(_ id: Int) -> Bool { !entries.indices.contains(id) || entries[id].kind == 0 }

  /// Gives `id` to the piece that is spelled so: a normal piece in the vocabulary's spelling, others as UTF-8.
  mutating func add(
    _ piece: String, id: Int, kind: PieceKind = .normal, isHidden: Bool = false
  ) throws(TokenizerProblem) {
    guard kind == .normal else { return try add(bytes: piece.utf8, id: id, kind: kind, isHidden: isHidden) }
    try reserve(id)
    let start = storage.count
    var piece = piece
    piece.withUTF8 { appendSpelled($0) }
    place(id, start: start, kind: kind, isHidden: isHidden)
  }

  /// Gives `id` to the normal piece that has `bytes` in the vocabulary's spelling.
  mutating func add(spelled bytes: UnsafeBufferPointer<UInt8>, id: Int) throws(TokenizerProblem) {
    try reserve(id)
    let start = storage.count
    appendSpelled(bytes)
    place(id, start: start, kind: .normal, isHidden: false)
  }

  private mutating func appendSpelled(_ bytes: UnsafeBufferPointer<UInt8>) {
    switch spelling {
    case .byteAlphabet where ByteAlphabet.decode(bytes, into: &storage): break
    case .spaceMark: storage.append(contentsOf: Vocabulary.withSpaces(bytes))
    case .wordEnd(let suffix): storage.append(contentsOf: Vocabulary.withSpace(bytes, for: suffix))
    default: storage.append(contentsOf: bytes)
    }
  }

  /// Gives `id` to the piece of these bytes of text.
  mutating func add(
    bytes: some Collection<UInt8>, id: Int, kind: PieceKind = .normal, isHidden: Bool = false
  ) throws(TokenizerProblem) {
    try reserve(id)
    let start = storage.count
    storage.append(contentsOf: bytes)
    place(id, start: start, kind: kind, isHidden: isHidden)
  }

  private mutating func reserve(_ id: Int) throws(TokenizerProblem) {
    guard id >= 0, id < limit else {
      throw .broken(path: path, sentence: "a piece has the id \(id); ids go from 0 to \(limit - 1)")
    }
    guard storage.count <= Int32.max else {
      throw .broken(path: path, sentence: "its pieces are longer than 2 GiB together")
    }
    if id >= entries.count { entries.append(contentsOf: repeatElement(Entry(), count: id + 1 - entries.count)) }
  }

  private mutating func place(_ id: Int, start: Int, kind: PieceKind, isHidden: Bool) {
    // `reserve` has seen to it that the start fits; a piece of 2 GiB, which might not, is not in a file this program reads.
    entries[id] = Entry(
      start: UInt32(start), length: UInt32(clamping: storage.count - start), kind: kind.rawValue, isHidden: isHidden)
  }
}
