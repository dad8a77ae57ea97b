/// Finds the matches of a splitting pattern, one walk per match.
///
/// Its alternatives lie in plain memory, and a table says for every ASCII character which of them can begin with it, so
/// the usual word costs a few comparisons.
final class SplitPattern: Sendable {
  let alternatives: [PatternAlternative]
  let view: View
  private let memory: Memory

  /// Lays out `alternatives`, at most 32 of them, in order of preference.
  init(_ alternatives: [PatternAlternative]) {
    precondition(alternatives.count <= 32, "\(alternatives.count) alternatives; a word of 32 bits marks them")
    self.alternatives = alternatives
    var ranges: [ClosedRange<UInt32>] = []
    var sets: [PackedSet] = []
    var sequences: [Range<Int32>] = []
    func add(_ exact: [ScalarSet]) -> Int32 {
      let start = Int32(sets.count)
      for set in exact { sets.append(PackedSet(set, ranges: &ranges)) }
      sequences.append(start..<Int32(sets.count))
      return Int32(sequences.count - 1)
    }
    var packed: [PackedAlternative] = []
    for alternative in alternatives {
      var result = PackedAlternative()
      result.leadUse = alternative.leadUse
      result.condition = alternative.condition
      result.lead = PackedSet(alternative.lead, ranges: &ranges)
      switch alternative.shape {
      case .exact(let exact):
        result.kind = .exact
        result.sequence = add(exact)
      case .run(let core, let count, let tail):
        result.kind = .run
        result.first = PackedSet(core, ranges: &ranges)
        result.least = count.lowerBound
        result.most = count.upperBound
        result.hasSecond = tail != nil
        result.second = PackedSet(tail ?? ScalarSet(), ranges: &ranges)
      case .twoRuns(let first, let second, let limit):
        result.kind = .twoRuns
        result.first = PackedSet(first, ranges: &ranges)
        result.second = PackedSet(second, ranges: &ranges)
        result.most = limit
      }
      let suffixes = alternative.suffixes.map { add($0) }
      result.suffixes = (suffixes.first ?? 0)..<((suffixes.last ?? -1) + 1)
      packed.append(result)
    }
    let candidates = (0..<128 as Range<UInt8>).map { byte -> UInt32 in
      var bits: UInt32 = 0
      for (place, alternative) in packed.enumerated() {
        if alternative.canBegin(with: byte, sets: sets, sequences: sequences) { bits |= 1 << UInt32(place) }
      }
      return bits
    }
    let memory = Memory(
      alternatives: FrozenArray(packed), sets: FrozenArray(sets), sequences: FrozenArray(sequences),
      ranges: FrozenArray(ranges), candidates: FrozenArray(candidates))
    self.memory = memory
    view = View(
      alternatives: memory.alternatives.base, count: packed.count, sets: memory.sets.base,
      sequences: memory.sequences.base, ranges: memory.ranges.base, candidates: memory.candidates.base,
      wordKind: Self.wordKind(alternatives, candidates: candidates))
  }

  private struct Memory: Sendable {
    let alternatives: FrozenArray<PackedAlternative>
    let sets: FrozenArray<PackedSet>
    let sequences: FrozenArray<Range<Int32>>
    let ranges: FrozenArray<ClosedRange<UInt32>>
    let candidates: FrozenArray<UInt32>
  }

  /// Whether ASCII words, with one space before them or none, can be taken without asking the alternatives.
  enum WordKind: Sendable {
    case none
    /// A word is a run of letters.
    case letters
    /// A word is a run of upper-case letters and then lower-case ones.
    case cased
    /// A word is a run of spaces and then everything up to the next space: there is nothing else.
    case spaced
  }

  /// Words of text in which only spaces count: spaces, and what follows them up to the next.
  static let spacedWords: [PatternAlternative] = {
    let space = ScalarSet.scalar(0x20)
    let other = ScalarSet(ranges: [0x20...0x20], isNegated: true)
    return [
      PatternAlternative(shape: .twoRuns(first: space, second: other, secondLimit: Int.max)),
      PatternAlternative(shape: .run(core: space, count: 1...Int.max, tail: nil)),
    ]
  }()

  private static func wordKind(_ alternatives: [PatternAlternative], candidates: [UInt32]) -> WordKind {
    if alternatives == spacedWords { return .spaced }
    let first = Int(candidates[0x61].trailingZeroBitCount)
    guard first < alternatives.count, candidates[0x20].trailingZeroBitCount == first else { return .none }
    guard (0x41...0x5A).allSatisfy({ candidates[$0].trailingZeroBitCount == first }),
      (0x61...0x7A).allSatisfy({ candidates[$0].trailingZeroBitCount == first })
    else { return .none }
    let alternative = alternatives[first]
    guard alternative.leadUse == .optional || alternative.leadUse == .possessive, alternative.lead.contains(0x20),
      alternative.condition == .none
    else { return .none }
    func among(_ set: ScalarSet, _ expected: (UInt32) -> Bool) -> Bool {
      (0..<128 as Range<UInt32>).allSatisfy { set.contains($0) == expected($0) }
    }
    func isUpper(_ value: UInt32) -> Bool { 0x41...0x5A ~= value }
    func isLower(_ value: UInt32) -> Bool { 0x61...0x7A ~= value }
    // A lead that could be a letter itself would be taken first.
    guard among(alternative.lead, { alternative.lead.contains($0) && !isUpper($0) && !isLower($0) }) else {
      return .none
    }
    switch alternative.shape {
    case .run(let core, let count, nil) where count == 1...Int.max && alternative.suffixes.isEmpty:
      return among(core, { isUpper($0) || isLower($0) }) ? .letters : .none
    case .twoRuns(let upper, let lower, Int.max):
      return among(upper, isUpper) && among(lower, isLower) ? .cased : .none
    default:
      return .none
    }
  }
}

/// A `PatternAlternative` in plain memory.
struct PackedAlternative: Sendable {
  enum Kind: UInt8 { case exact, run, twoRuns }

  var kind = Kind.exact
  var leadUse = PatternAlternative.LeadUse.none
  var condition = PatternAlternative.Condition.none
  var hasSecond = false
  var lead = PackedSet()
  var first = PackedSet()
  var second = PackedSet()
  var least = 1
  var most = Int.max
  var sequence: Int32 = 0
  var suffixes: Range<Int32> = 0..<0

  func canBegin(with byte: UInt8, sets: [PackedSet], sequences: [Range<Int32>]) -> Bool {
    if kind == .exact { return sets[Int(sequences[Int(sequence)].lowerBound)].containsASCII(byte) }
    if leadUse != .none, lead.containsASCII(byte) { return true }
    if leadUse == .required { return false }
    return first.containsASCII(byte) || kind == .twoRuns && second.containsASCII(byte)
  }
}
