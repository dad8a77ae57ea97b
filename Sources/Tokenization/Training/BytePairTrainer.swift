/// Learns byte-level pieces from text: the most frequent pair of neighbours becomes a piece, again and again.
///
/// Sennrich, Haddow and Birch, 2015, https://arxiv.org/abs/1508.07909; over bytes: Radford et al., 2019 (GPT-2).
/// Text is cut into words as GPT-2 cuts it, and no piece crosses from one word to the next. Of equally frequent pairs the
/// one with the smaller ids comes first, so the result is one for a text, and the same as Hugging Face's trainer's.
public struct BytePairTrainer {
  /// The mark that ends a text; it has the id 0, and where a text spells it, it is no part of a word.
  public static let endOfText = "<|endoftext|>"

  private let marks: [String]
  private let splitter: Splitter
  private var words: [[UInt8]: Int] = [:]

  /// A trainer that has seen nothing; `marks` have ids of their own behind that of the end of a text, and are no words either.
  public init(marks: [String] = []) throws(TokenizerProblem) {
    self.marks = [Self.endOfText] + marks
    splitter = Splitter(try SplittingName.stages(of: [SplittingName.wordsAndSpaces], path: "tokenizer"))
  }

  /// Counts the words of `text`.
  public mutating func add(_ text: String) {
    let state = UnsafeMutablePointer<Int>.allocate(capacity: splitter.stateCount)
    state.initialize(repeating: 0, count: splitter.stateCount)
    defer { state.deallocate() }
    for var part in marks.reduce([text], { parts, mark in parts.flatMap { $0.components(around: mark) } }) {
      part.withUTF8 { bytes in
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        var cursor = splitter.cursor(over: base, count: bytes.count, state: state)
        while let (start, end) = cursor.next() { words[Array(bytes[start..<end]), default: 0] += 1 }
      }
    }
  }

  /// A vocabulary of up to `size` pieces: the marks, the 256 bytes, and merges; pairs seen once are not merged.
  public func train(size: Int) -> BytePairVocabulary {
    var vocabulary = BytePairVocabulary(marks: marks)
    var merger = PairMerger(words.map { ($0.map { vocabulary.id(ofByte: $0) }, $1) })
    while vocabulary.pieces.count < size, let pair = merger.next() {
      merger.merge(pair, into: vocabulary.add(merging: pair.left, pair.right))
    }
    return vocabulary
  }
}

extension String {
  /// The parts of the text between occurrences of `mark`.
  fileprivate func components(around mark: String) -> [String] {
    var parts: [String] = []
    var rest = self[...]
    while let found = rest.firstRange(of: mark) {
      parts.append(String(rest[..<found.lowerBound]))
      rest = rest[found.upperBound...]
    }
    return parts + [String(rest)]
  }
}
