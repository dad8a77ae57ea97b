/// Pre-tokenizers one after the other, each of which cuts and changes every piece of the one before by itself.
///
/// This is the general way, with an array for each piece. Chains that come to cutting the text at places, as nearly all
/// published ones do, are a `Splitter`'s stages instead.
struct PieceChain: Sendable {
  enum Step: Sendable {
    /// Cuts a piece.
    case split(Splitter)
    /// Writes ▁ for spaces, and one before a piece that has none, as `prepends` says; `splits` cuts before each.
    case markSpaces(prepends: Prepends, splits: Bool)
    /// Puts a space before a piece that begins with none.
    case prependSpace
    /// Spells the bytes of a piece in the byte alphabet, as what later steps see.
    case spellBytes
  }

  enum Prepends: Sendable { case never, first, always }

  var steps: [Step] = []

  private static let mark: [UInt8] = [0xE2, 0x96, 0x81]
  private static let cutBeforeMarks = Splitter([.literal("▁", .mergedWithNext)])

  /// The pieces of `text`, a part between added tokens, in the bytes that a vocabulary of this kind has. `isFirst` says that
  /// nothing stands before it.
  func pieces(of text: UnsafeBufferPointer<UInt8>, isFirst: Bool) -> [[UInt8]] {
    // Of each piece, whether it begins where the whole text does.
    var pieces = text.isEmpty ? [] : [(bytes: Array(text), isFirst: isFirst)]
    var (spellsBytes, marksSpaces) = (false, false)
    for step in steps {
      switch step {
      case .split(let splitter):
        pieces = pieces.flatMap { Self.cut($0, by: splitter) }
      case .markSpaces(let prepends, let splits):
        marksSpaces = true
        for index in pieces.indices {
          var bytes = Self.marked(pieces[index].bytes)
          let isDue = prepends == .always || (prepends == .first && pieces[index].isFirst)
          if isDue, !bytes.starts(with: Self.mark) { bytes = Self.mark + bytes }
          pieces[index].bytes = bytes
        }
        if splits { pieces = pieces.flatMap { Self.cut($0, by: Self.cutBeforeMarks) } }
      case .prependSpace:
        for index in pieces.indices where pieces[index].bytes.first != 0x20 { pieces[index].bytes.insert(0x20, at: 0) }
      case .spellBytes:
        spellsBytes = true
        for index in pieces.indices { pieces[index].bytes = Array(ByteAlphabet.encoded(pieces[index].bytes).utf8) }
      }
    }
    return pieces.map { piece in
      if marksSpaces { return Vocabulary.withSpaces(piece.bytes) }
      guard spellsBytes else { return piece.bytes }
      var bytes: [UInt8] = []
      return piece.bytes.withUnsafeBufferPointer { ByteAlphabet.decode($0, into: &bytes) } ? bytes : piece.bytes
    }
  }

  private static func cut(
    _ piece: (bytes: [UInt8], isFirst: Bool), by splitter: Splitter
  ) -> [(bytes: [UInt8], isFirst: Bool)] {
    var result: [(bytes: [UInt8], isFirst: Bool)] = []
    piece.bytes.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return }
      withUnsafeTemporaryAllocation(of: Int.self, capacity: splitter.stateCount) { state in
        guard let memory = state.baseAddress else { return }
        var cursor = splitter.cursor(over: base, count: text.count, state: memory)
        while let (start, end) = cursor.next() {
          result.append((Array(text[start..<end]), piece.isFirst && start == 0))
        }
      }
    }
    return result
  }

  private static func marked(_ bytes: [UInt8]) -> [UInt8] {
    bytes.contains(0x20) ? bytes.flatMap { $0 == 0x20 ? mark : [$0] } : bytes
  }
}
