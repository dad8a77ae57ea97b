/// Words as the longest pieces that fit, from the left: the first is a piece, and those behind it are pieces that go on a
/// word. A word that does not come out is unknown as a whole.
///
/// Wu et al. 2016, arXiv:1609.08144; google-research/bert `tokenization.py`. With no pieces that go on a word a word is one
/// piece or unknown, as in a vocabulary of words.
final class WordPieceModel: Sendable {
  private let beginnings: ByteTrie
  private let continuations: ByteTrie
  private let unknown: Int32?
  private let longestWord: Int
  private let takesWholeWords: Bool
  private let marks: Set<Int32>

  /// `pieces` are the pieces by id, as spelled; those that begin with `prefix` also go on a word without it. Words of more
  /// than `longestWord` characters are unknown. Without a prefix only whole words are pieces. `marks` are those pieces that
  /// are no text where marks are not looked for.
  init(
    pieces: [(spelled: [UInt8], id: Int)], prefix: [UInt8]?, unknown: Int?, longestWord: Int, marks: Set<Int32>,
    path: String
  ) throws(TokenizerProblem) {
    if let long = pieces.first(where: { $0.spelled.count > ByteTrie.longestString }) {
      throw .broken(
        path: path,
        sentence: """
          the piece with the id \(long.id) has \(long.spelled.count) bytes; at most \(ByteTrie.longestString) are tried
          """)
    }
    let filled = pieces.lazy.filter { !$0.spelled.isEmpty }
    beginnings = ByteTrie(filled.map { (bytes: $0.spelled, value: Int32(truncatingIfNeeded: $0.id)) })
    continuations = ByteTrie(
      filled.compactMap { piece in
        guard let prefix, piece.spelled.starts(with: prefix), piece.spelled.count > prefix.count else { return nil }
        return (bytes: Array(piece.spelled.dropFirst(prefix.count)), value: Int32(truncatingIfNeeded: piece.id))
      })
    self.unknown = unknown.map { Int32(truncatingIfNeeded: $0) }
    self.longestWord = longestWord
    takesWholeWords = prefix == nil
    self.marks = marks
  }

  /// Appends the ids of one word.
  func append(_ word: UnsafePointer<UInt8>, _ count: Int, findsMarks: Bool, to output: inout IDBuffer) {
    let before = output.count
    if characterCount(word, count) <= longestWord {
      var place = 0
      while place < count {
        let trie = place == 0 ? beginnings : continuations
        let match = trie.longestMatch(at: place, in: word, end: count, where: { findsMarks || !marks.contains($0) })
        guard let match, !takesWholeWords || match.end == count else { break }
        output.append(match.value)
        place = match.end
      }
      if place == count { return }
      output.truncate(to: before)
    }
    if let unknown { output.append(unknown) }
  }

  private func characterCount(_ word: UnsafePointer<UInt8>, _ count: Int) -> Int {
    (0..<count).reduce(0) { $0 + (word[$1] & 0xC0 == 0x80 ? 0 : 1) }
  }
}
