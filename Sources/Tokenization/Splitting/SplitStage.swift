/// One way of cutting text; a `Splitter` applies several, each to the pieces of the one before.
struct SplitStage: Sendable {
  /// What becomes of a match and of the text between matches.
  enum Behavior: UInt8, Sendable {
    /// Each match is a piece, and so is each stretch between.
    case isolated
    /// Matches are left out of the text.
    case removed
    /// Matches that touch are one piece.
    case contiguous
    /// A match belongs to the stretch before it.
    case mergedWithPrevious
    /// A match belongs to the stretch behind it.
    case mergedWithNext
  }

  enum Finder: Sendable {
    case pattern(SplitPattern)
    /// [256]: whether the byte matches, for stages that see bytes and not characters.
    case bytes(FrozenArray<Bool>)
  }

  var finder: Finder
  var behavior = Behavior.isolated
  /// What lies between matches counts as the match.
  var isInverted = false

  /// Matches of the pattern text, which is given by this program and known to be readable.
  static func known(_ pattern: String, _ behavior: Behavior = .isolated, isInverted: Bool = false) -> SplitStage {
    do {
      let alternatives = try PatternReader.alternatives(of: pattern)
      return SplitStage(finder: .pattern(SplitPattern(alternatives)), behavior: behavior, isInverted: isInverted)
    } catch {
      preconditionFailure("the built-in pattern \(pattern) has an unreadable alternative \(error.alternative)")
    }
  }

  /// Matches of `text` as it stands.
  static func literal(_ text: String, _ behavior: Behavior, isInverted: Bool = false) -> SplitStage {
    let sets = text.unicodeScalars.map { ScalarSet.scalar($0.value) }
    let pattern = SplitPattern(sets.isEmpty ? [] : [PatternAlternative(shape: .exact(sets))])
    return SplitStage(finder: .pattern(pattern), behavior: behavior, isInverted: isInverted)
  }

  /// Runs of digits, or single ones, in text that an earlier stage has turned into the byte alphabet.
  ///
  /// There a byte shows as the character with its number, and ², ³, ¹, ¼, ½ and ¾ are numbers: whatever character these
  /// bytes are part of, a tokenizer built so cuts it there (`pre_tokenizers/digits.rs` behind `byte_level.rs`).
  static func digitsOfBytes(individually: Bool) -> SplitStage {
    let digits = (0...255 as ClosedRange<UInt8>).map { byte in
      0x30...0x39 ~= byte || [0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE].contains(byte)
    }
    return SplitStage(finder: .bytes(FrozenArray(digits)), behavior: individually ? .isolated : .contiguous)
  }
}
