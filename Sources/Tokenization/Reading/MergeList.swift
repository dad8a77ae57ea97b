import Files

/// Merges as files list them: two pieces, the best first.
enum MergeList {
  /// The merges of lines such as `Ġ t`; a line whose pieces, or what they make, are not in the vocabulary does nothing.
  static func pairs(_ lines: TextList, in vocabulary: Vocabulary) -> [(left: Int32, right: Int32, made: Int32)] {
    var resolver = Resolver(vocabulary)
    var merges: [(left: Int32, right: Int32, made: Int32)] = []
    merges.reserveCapacity(lines.count)
    for line in lines.indices {
      // A line that does nothing keeps its rank free, which changes no order.
      if let merge = resolver.merge(line: lines.bytes(at: line)) { merges.append(merge) }
    }
    return merges
  }

  /// Finds the ids of a merge's pieces, reusing its buffers from line to line.
  struct Resolver {
    private let vocabulary: Vocabulary
    private let marks: MarkTable?
    private var bytes: [UInt8] = []

    /// `marks` are pieces that may be merged, and that merging does not make.
    init(_ vocabulary: Vocabulary, marks: MarkTable? = nil) {
      self.vocabulary = vocabulary
      self.marks = marks
    }

    private func symbol(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
      let id = vocabulary.table.id(of: bytes, count)
      return id < 0 ? marks?.id(of: bytes, count) ?? -1 : id
    }

    mutating func merge(line: String) -> (left: Int32, right: Int32, made: Int32)? {
      var line = line
      return line.withUTF8 { merge(line: $0) }
    }

    mutating func merge(line: UnsafeBufferPointer<UInt8>) -> (left: Int32, right: Int32, made: Int32)? {
      // A piece is never empty, so a space at the very front belongs to the first piece.
      guard let space = line.dropFirst().firstIndex(of: 0x20), space + 1 < line.count else { return nil }
      return merge(UnsafeBufferPointer(rebasing: line[..<space]), UnsafeBufferPointer(rebasing: line[(space + 1)...]))
    }

    mutating func merge(
      _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>
    ) -> (left: Int32, right: Int32, made: Int32)? {
      bytes.removeAll(keepingCapacity: true)
      guard spell(left) else { return nil }
      let middle = bytes.count
      guard spell(right) else { return nil }
      return bytes.withUnsafeBufferPointer { bytes in
        guard let base = bytes.baseAddress, middle > 0, middle < bytes.count else { return nil }
        let left = symbol(base, middle)
        let right = symbol(base + middle, bytes.count - middle)
        let made = vocabulary.table.id(of: base, bytes.count)
        return left >= 0 && right >= 0 && made >= 0 ? (left, right, made) : nil
      }
    }

    private mutating func spell(_ piece: UnsafeBufferPointer<UInt8>) -> Bool {
      switch vocabulary.spelling {
      case .byteAlphabet: return ByteAlphabet.decode(piece, into: &bytes)
      case .spaceMark: bytes.append(contentsOf: Vocabulary.withSpaces(piece))
      case .wordEnd(let suffix): bytes.append(contentsOf: Vocabulary.withSpace(piece, for: suffix))
      case .plain: bytes.append(contentsOf: piece)
      }
      return true
    }
  }
}
