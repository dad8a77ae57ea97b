/// Splits text into the pieces whose probabilities multiply to the most (Viterbi's algorithm).
///
/// Kudo 2018, arXiv:1804.10959; google/sentencepiece `src/unigram_model.cc`. A character without a piece costs 10 more
/// than the least likely piece.
///
/// Of equally likely ways rounding decides, so sums are of the type that the reference has: SentencePiece adds in `Float`,
/// huggingface/tokenizers and llama.cpp in `Double`.
final class UnigramModel: Sendable {
  let vocabulary: Vocabulary
  private let scores: FrozenArray<Double>  // [count], natural logarithms
  private let trie: ByteTrie
  private let unknown: Int32?
  private let unknownScore: Double
  private let addsInFloat: Bool
  private let fallsBackToBytes: Bool

  /// The penalty of an unknown character beside the least likely piece, in nats (`kUnkPenalty` there).
  private static let unknownPenalty = 10.0

  /// `marks` are pieces that are no text, as spelled: huggingface/tokenizers, whose model knows no kinds, finds them where
  /// only normalising made them. SentencePiece finds none. Of pieces that are spelled alike the first counts, or where
  /// there are `marks` the last, as there.
  init(
    vocabulary: Vocabulary, scores: [Double], addsInFloat: Bool, unknown: Int?, fallsBackToBytes: Bool,
    marks: [(bytes: [UInt8], id: Int)]? = nil, path: String
  ) throws(TokenizerProblem) {
    self.vocabulary = vocabulary
    self.unknown = unknown.map { Int32(truncatingIfNeeded: $0) }
    self.fallsBackToBytes = fallsBackToBytes
    self.addsInFloat = addsInFloat
    var least = 0.0
    var strings: [(bytes: [UInt8], value: Int32)] = []
    for id in 0..<vocabulary.count where vocabulary.kind(of: id) == .normal {
      let bytes = vocabulary.bytes(of: id)
      guard bytes.count <= ByteTrie.longestString else {
        throw .broken(
          path: path,
          sentence: "the piece with the id \(id) has \(bytes.count) bytes; at most \(ByteTrie.longestString) are tried")
      }
      guard scores[id].isFinite else {
        throw .broken(path: path, sentence: "the piece with the id \(id) has the score \(scores[id])")
      }
      least = min(least, scores[id])
      strings.append((Array(bytes), Int32(id)))
    }
    if let marks {
      for mark in marks where mark.bytes.count <= ByteTrie.longestString && scores[mark.id].isFinite {
        least = min(least, scores[mark.id])
        strings.append((mark.bytes, Int32(truncatingIfNeeded: mark.id)))
      }
      strings.sort { $0.value > $1.value }
    }
    trie = ByteTrie(strings)
    self.scores = FrozenArray(scores)
    unknownScore = least - Self.unknownPenalty
  }

  /// Where the best way to a place comes from.
  private struct Step {
    var score: Double
    var start: Int32
    var id: Int32  // -1: an unknown character
  }

  @inline(__always)
  private func sum(_ score: Double, _ more: Double) -> Double {
    addsInFloat ? Double(Float(score) + Float(more)) : score + more
  }

  /// Appends the ids of `text`.
  func append(_ text: UnsafePointer<UInt8>, _ count: Int, findsMarks: Bool, to output: inout IDBuffer) {
    // Places are 32-bit; a longer text is cut, at a limit that no text of a person's reaches.
    var done = 0
    while count - done > 1 << 30 {
      appendPart(text + done, 1 << 30, findsMarks: findsMarks, to: &output)
      done += 1 << 30
    }
    appendPart(text + done, count - done, findsMarks: findsMarks, to: &output)
  }

  private func appendPart(
    _ text: UnsafePointer<UInt8>, _ count: Int, findsMarks: Bool, to output: inout IDBuffer
  ) {
    let steps = UnsafeMutablePointer<Step>.allocate(capacity: count + 1)
    defer { steps.deallocate() }
    steps.initialize(repeating: Step(score: -.infinity, start: -1, id: -1), count: count + 1)
    steps[0].score = 0
    var place = 0
    while place < count {
      let length = characterLength(at: place, in: text, end: count)
      let score = steps[place].score
      var hasSingle = false
      trie.forEachMatch(at: place, in: text, end: count) { end, id in
        if !findsMarks, vocabulary.kinds.base[Int(id)] != PieceKind.normal.rawValue { return }
        let sum = sum(score, scores.base[Int(id)])
        if sum > steps[end].score { steps[end] = Step(score: sum, start: Int32(truncatingIfNeeded: place), id: id) }
        if end == place + length { hasSingle = true }
      }
      let skipped = sum(score, unknownScore)
      if !hasSingle, skipped > steps[place + length].score {
        steps[place + length] = Step(score: skipped, start: Int32(truncatingIfNeeded: place), id: -1)
      }
      place += length
    }

    // The way back gives the pieces last first; `start` of each place is turned round to point to the next one's end.
    var end = count
    var next: Int32 = -1
    while end > 0 {
      let start = Int(steps[end].start)
      steps[end].start = next
      next = Int32(truncatingIfNeeded: end)
      end = start
    }
    var from = 0
    // Where a stretch of unknown characters begins: it is one unknown, or all of its bytes.
    var unknownFrom: Int?
    while next >= 0 {
      let to = Int(next)
      let id = steps[to].id
      if id >= 0, id != unknown {
        if let start = unknownFrom { appendUnknown(text, start, from, to: &output) }
        unknownFrom = nil
        output.append(id)
      } else if unknownFrom == nil, id >= 0, steps[to].start < 0 || isKnown(steps[Int(steps[to].start)].id) {
        // Spelled out, and alone.
        output.append(id)
      } else {
        unknownFrom = unknownFrom ?? from
      }
      from = to
      next = steps[to].start
    }
    if let start = unknownFrom { appendUnknown(text, start, from, to: &output) }
  }

  private func isKnown(_ id: Int32) -> Bool { id >= 0 && id != unknown }

  private func appendUnknown(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, to output: inout IDBuffer) {
    if fallsBackToBytes, (start..<end).allSatisfy({ vocabulary.fallbacks.base[Int(text[$0])] >= 0 }) {
      for place in start..<end { output.append(vocabulary.fallbacks.base[Int(text[place])]) }
    } else if let unknown {
      output.append(unknown)
    }
  }
}
