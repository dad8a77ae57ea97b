/// Byte-pair encoding: a word begins as its bytes or characters, and the best pair of neighbours is merged until none
/// is left. Of equally good pairs the leftmost comes first.
///
/// Sennrich, Haddow and Birch 2016, arXiv:1508.07909; on bytes Radford et al. 2019. Which pair is best is either a list
/// of merges (`pairs`) or the rank of the piece that two neighbours make together (`ranks`), as in tiktoken and
/// SentencePiece.
final class MergingModel: Sendable {
  /// What a word is made of before the first merge.
  enum Symbols: Sendable {
    case bytes
    case characters
  }

  /// How the best pair is found.
  enum Order: Sendable {
    /// By a list of merges.
    case pairs(PairTable)
    /// [count]: by the rank of the merged piece.
    case ranks(FrozenArray<UInt32>)
  }

  let vocabulary: Vocabulary
  let symbols: Symbols
  let order: Order
  /// A word that is a piece is that piece, whatever merging would make of it.
  let takesWholeWords: Bool
  /// Whether characters without a piece become the pieces of their bytes.
  let fallsBackToBytes: Bool
  /// The id of characters without a piece and without bytes; without it they are left out.
  let unknown: Int32?
  /// Neighbouring unknown characters are one unknown.
  let fusesUnknown: Bool
  /// Whether a word's last character is one symbol with the space behind it, which stands for the end of a word.
  let marksWordEnds: Bool
  /// Pieces that merging does not make, by their spelling: marks, and the pieces of bytes. A word or a symbol that is
  /// spelled so is one, as in huggingface/tokenizers, whose model knows no kinds.
  let marks: MarkTable?

  init(
    vocabulary: Vocabulary, symbols: Symbols, order: Order, takesWholeWords: Bool = false,
    fallsBackToBytes: Bool = false, unknown: Int? = nil, fusesUnknown: Bool = false,
    marksWordEnds: Bool = false, marks: MarkTable? = nil
  ) {
    self.vocabulary = vocabulary
    self.symbols = symbols
    self.order = order
    self.takesWholeWords = takesWholeWords
    self.fallsBackToBytes = fallsBackToBytes
    self.unknown = unknown.map { Int32(truncatingIfNeeded: $0) }
    self.fusesUnknown = fusesUnknown
    self.marksWordEnds = marksWordEnds
    self.marks = marks
  }

  /// Whether no piece but those that begin with spaces holds one behind another character, so that merging never
  /// crosses from a word to the space behind it.
  var keepsToWords: Bool {
    for id in 0..<vocabulary.count where vocabulary.kinds.base[id] == PieceKind.normal.rawValue {
      let bytes = vocabulary.bytes(of: id)
      var wasText = false
      for byte in bytes {
        if byte == 0x20, wasText { return false }
        wasText = wasText || byte != 0x20
      }
    }
    return true
  }

  /// Whether there is a character that would be left out: no unknown piece, and no piece for some byte.
  var mayLeaveOut: Bool {
    guard unknown == nil else { return false }
    let isComplete = (0..<256).allSatisfy { byte in
      (symbols == .bytes && vocabulary.singles.base[byte] >= 0)
        || (fallsBackToBytes && vocabulary.fallbacks.base[byte] >= 0)
    }
    return !isComplete
  }

  /// The characters of one word that are left out, wholly or a part of them.
  func leftOut(of word: UnsafePointer<UInt8>, _ count: Int) -> LeftOut? {
    if takesWholeWords, vocabulary.table.id(of: word, count) >= 0 || (marks?.id(of: word, count) ?? -1) >= 0 {
      return nil
    }
    var found: LeftOut?
    var place = 0
    while place < count {
      let (value, length) = scalar(at: place, in: word, end: count)
      // The last character of a word may have a piece of its own, with the space behind it.
      var isLeftOut = leavesOut(word + place, length)
      if isLeftOut, marksWordEnds, place + length == count {
        let ending = UnsafeBufferPointer(start: word + place, count: length) + [0x20]
        isLeftOut = vocabulary.table.id(of: Array(ending)) < 0
      }
      if isLeftOut, let scalar = Unicode.Scalar(value) {
        found = LeftOut.joined(found, LeftOut(first: scalar, count: 1))
      }
      place += length
    }
    return found
  }

  private func leavesOut(_ bytes: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    let width = symbols == .bytes ? 1 : length
    return stride(from: 0, to: length, by: width).contains { start in
      symbol(at: bytes + start, width) < 0 && (marks?.id(of: bytes + start, width) ?? -1) < 0
        && !hasFallback(bytes + start, width)
    }
  }

  // The piece of one byte or character, or -1.
  @inline(__always)
  private func symbol(at bytes: UnsafePointer<UInt8>, _ length: Int) -> Int32 {
    length == 1 ? vocabulary.singles.base[Int(bytes[0])] : vocabulary.table.id(of: bytes, length)
  }

  private func hasFallback(_ bytes: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    fallsBackToBytes && (0..<length).allSatisfy { vocabulary.fallbacks.base[Int(bytes[$0])] >= 0 }
  }

  /// Appends the ids of one word, which `isPadded` says can be read 16 bytes far.
  @inline(__always)
  func append(
    _ word: UnsafePointer<UInt8>, _ count: Int, isPadded: Bool, findsMarks: Bool, to output: inout IDBuffer,
    _ scratch: EncodingScratch
  ) {
    guard count <= WordCache.longestWord else {
      _ = appendSlowly(word, count, findsMarks: findsMarks, to: &output, scratch)
      return
    }
    let key = WordCache.Key(word, count, isPadded: isPadded)
    if scratch.cache.appendIDs(of: key, to: &output) { return }
    let before = output.count
    let hasMarks = appendSlowly(word, count, findsMarks: findsMarks, to: &output, scratch)
    // What has marks is one thing where they are looked for, and another where they are not.
    if hasMarks { return }
    let added = output.count - before
    if added >= 1, added <= WordCache.mostIDs { scratch.cache.insert(key, output.base + before, added) }
  }

  // Returns whether there is a mark in it.
  @inline(never)
  private func appendSlowly(
    _ word: UnsafePointer<UInt8>, _ count: Int, findsMarks: Bool, to output: inout IDBuffer,
    _ scratch: EncodingScratch
  ) -> Bool {
    var hasMarks = false
    if takesWholeWords {
      let id = vocabulary.table.id(of: word, count)
      if id >= 0 {
        output.append(id)
        return false
      }
      if let mark = marks?.id(of: word, count), mark >= 0 {
        hasMarks = true
        if findsMarks {
          output.append(mark)
          return true
        }
      }
    }
    // A word has at most as many symbols as bytes: an unknown character is one, or a piece for each byte.
    if count <= EncodingScratch.shortWord {
      let symbolCount = fillSymbols(
        word, count, ids: scratch.ids, starts: scratch.starts, findsMarks: findsMarks, &hasMarks)
      mergeShort(word, count: symbolCount, to: &output, scratch)
    } else {
      mergeLong(word, count, findsMarks: findsMarks, &hasMarks, to: &output)
    }
    return hasMarks
  }

  // Writes the symbols of the word and, behind the last start, the end. Returns their number.
  func fillSymbols(
    _ word: UnsafePointer<UInt8>, _ count: Int, ids: UnsafeMutablePointer<Int32>, starts: UnsafeMutablePointer<Int32>,
    findsMarks: Bool, _ hasMarks: inout Bool
  ) -> Int {
    // Where the order looks at the text of two neighbours, a symbol without a piece may still be part of one, and is
    // settled at the end; a list of merges knows only pieces.
    let settlesNow = if case .pairs = order { true } else { false }
    var made = 0
    var place = 0
    var lastWasUnknown = false
    func put(_ id: Int32, _ start: Int) {
      ids[made] = id
      starts[made] = Int32(truncatingIfNeeded: start)
      made += 1
    }
    while place < count {
      var length = symbols == .bytes ? 1 : characterLength(at: place, in: word, end: count)
      if marksWordEnds, place + length == count - 1 { length += 1 }
      var id = symbol(at: word + place, length)
      if id < 0, let mark = marks?.id(of: word + place, length), mark >= 0 {
        hasMarks = true
        if findsMarks { id = mark }
      }
      if id >= 0 || !settlesNow {
        put(id, place)
        lastWasUnknown = false
      } else if hasFallback(word + place, length) {
        for offset in 0..<length { put(vocabulary.fallbacks.base[Int(word[place + offset])], place + offset) }
        lastWasUnknown = false
      } else if let unknown {
        if !(lastWasUnknown && fusesUnknown) { put(unknown, place) }
        lastWasUnknown = true
      }
      place += length
    }
    starts[made] = Int32(truncatingIfNeeded: count)
    return made
  }

  /// `rank << 32 | id` of what two neighbours make, or `PairTable.none`.
  @inline(__always)
  func merge(
    _ left: Int32, _ right: Int32, _ word: UnsafePointer<UInt8>, _ start: Int32, _ end: Int32
  ) -> UInt64 {
    switch order {
    case .pairs(let table):
      return table.merge(left, right)
    case .ranks(let ranks):
      let id = vocabulary.table.id(of: word + Int(start), Int(end - start))
      if id < 0 { return PairTable.none }
      return UInt64(ranks.base[Int(id)]) << 32 | UInt64(UInt32(bitPattern: id))
    }
  }

  private func mergeShort(
    _ word: UnsafePointer<UInt8>, count: Int, to output: inout IDBuffer, _ scratch: EncodingScratch
  ) {
    let ids = scratch.ids
    let starts = scratch.starts
    let merges = scratch.merges
    var count = count
    for place in 0..<max(0, count - 1) {
      merges[place] = merge(ids[place], ids[place + 1], word, starts[place], starts[place + 2])
    }
    while count > 1 {
      var best = 0
      var bestRank = merges[0] >> 32
      for place in 1..<max(1, count - 1) where merges[place] >> 32 < bestRank {
        best = place
        bestRank = merges[place] >> 32
      }
      if merges[best] == PairTable.none { break }
      ids[best] = Int32(truncatingIfNeeded: merges[best])
      // The right neighbour leaves; `starts` has one entry more, the end.
      let behind = count - best - 2
      (ids + best + 1).update(from: ids + best + 2, count: behind)
      (starts + best + 1).update(from: starts + best + 2, count: behind + 1)
      if behind > 0 { (merges + best + 1).update(from: merges + best + 2, count: behind - 1) }
      count -= 1
      if best > 0 {
        merges[best - 1] = merge(ids[best - 1], ids[best], word, starts[best - 1], starts[best + 1])
      }
      if best + 1 < count {
        merges[best] = merge(ids[best], ids[best + 1], word, starts[best], starts[best + 2])
      }
    }
    var lastWasUnknown = false
    for place in 0..<count {
      settle(ids[place], word, Int(starts[place]), Int(starts[place + 1]), &lastWasUnknown, to: &output)
    }
  }

  /// Appends a symbol's id, or what stands for a symbol without one.
  @inline(__always)
  func settle(
    _ id: Int32, _ word: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ lastWasUnknown: inout Bool,
    to output: inout IDBuffer
  ) {
    if id >= 0 {
      output.append(id)
      lastWasUnknown = false
    } else if hasFallback(word + start, end - start) {
      for place in start..<end { output.append(vocabulary.fallbacks.base[Int(word[place])]) }
      lastWasUnknown = false
    } else if let unknown {
      if !(lastWasUnknown && fusesUnknown) { output.append(unknown) }
      lastWasUnknown = true
    }
  }
}
