/// What Unicode normalisation knows of single characters: how they come apart, which pairs compose, and the classes that
/// order marks (Unicode Standard, section 3.11). Characters newer than Unicode 9 are plain characters in it.
struct NormalizationTable: Sendable {
  /// What is known of a character that normalisation changes or moves.
  struct Entry: Sendable {
    /// The canonical combining class: 0 for what begins, higher for marks, which are ordered by it.
    var combiningClass: UInt8 = 0
    /// Whether some character composes with this one after it.
    var isSecond = false
    /// Whether it comes apart and, where nothing follows, composes to itself again.
    var isComposed = false
    /// The full canonical decomposition, a range of `parts`; empty where the character stays whole.
    var canonical = 0..<0
    /// The full compatible decomposition, likewise.
    var compatible = 0..<0
  }

  private var entries: [UInt32: Entry] = [:]
  /// The characters that others come apart into.
  private(set) var parts: [UInt32] = []
  private var pairs: [UInt64: UInt32] = [:]

  /// The table, which is read when a text is first normalized.
  static let shared = NormalizationTable(PackageResources.Normalization_txt)

  private static let kinds = Array("#=~!".utf8)

  /// `text` has the lines that `Tests/Interop/unicode.py` writes.
  init(_ text: [UInt8]) {
    var steps: [UInt32: [UInt32]] = [:]
    var compatible: Set<UInt32> = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let kind = line.first.flatMap { Self.kinds.contains($0) ? $0 : nil }
      if kind == UInt8(ascii: "#") { continue }
      let numbers = line.dropFirst(kind == nil ? 0 : 1).split(separator: 0x20).map { Self.hexadecimal($0) }
      guard numbers.count >= 2 else { continue }
      if kind == UInt8(ascii: "=") {
        for value in numbers[1]..<numbers[1] + numbers[2] where !ScalarCategory.isNewerThanNormalization(value) {
          entries[value, default: Entry()].combiningClass = UInt8(truncatingIfNeeded: numbers[0])
        }
        continue
      }
      let value = numbers[0]
      if ScalarCategory.isNewerThanNormalization(value) { continue }
      steps[value] = Array(numbers.dropFirst())
      if kind == UInt8(ascii: "~") { compatible.insert(value) }
      if kind == nil, numbers.count == 3 {
        pairs[UInt64(numbers[1]) << 32 | UInt64(numbers[2])] = value
        entries[numbers[2], default: Entry()].isSecond = true
        entries[value, default: Entry()].isComposed = true
      }
    }
    for value in steps.keys.sorted() {
      let canonical = Self.full(value, steps) { !compatible.contains($0) }
      if canonical != [value] { entries[value, default: Entry()].canonical = append(canonical) }
      let apart = Self.full(value, steps) { _ in true }
      entries[value, default: Entry()].compatible =
        apart == canonical ? entries[value, default: Entry()].canonical : append(apart)
    }
  }

  private mutating func append(_ characters: [UInt32]) -> Range<Int> {
    parts += characters
    return parts.count - characters.count..<parts.count
  }

  private static func full(_ value: UInt32, _ steps: [UInt32: [UInt32]], where goesOn: (UInt32) -> Bool) -> [UInt32] {
    guard goesOn(value), let step = steps[value] else { return [value] }
    return step.flatMap { full($0, steps, where: goesOn) }
  }

  private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32 {
    digits.reduce(0) { $0 << 4 | UInt32($1 & 0xF) + ($1 >= 0x41 ? 9 : 0) }
  }

  /// What is known of `value`; nil for a character that stays as it is and lets nothing pass.
  func entry(of value: UInt32) -> Entry? { entries[value] }

  /// Whether nothing before `value` composes with it or moves past it.
  func begins(_ value: UInt32) -> Bool {
    entries[value].map { $0.combiningClass == 0 && !$0.isSecond } ?? !Hangul.follows(value)
  }

  /// The character that `first` and `second` compose to (for Hangul by rule: section 3.12).
  func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if Hangul.leads ~= first, Hangul.vowels ~= second {
      return Hangul.syllables.lowerBound
        + ((first - Hangul.leads.lowerBound) * Hangul.vowelCount + second - Hangul.vowels.lowerBound) * Hangul.tailCount
    }
    if Hangul.syllables ~= first, Hangul.tails ~= second, (first - Hangul.syllables.lowerBound) % Hangul.tailCount == 0
    {
      return first + second - Hangul.tails.lowerBound + 1
    }
    return pairs[UInt64(first) << 32 | UInt64(second)]
  }
}

/// The syllables of Hangul, which come apart and compose by rule (Unicode Standard, section 3.12).
enum Hangul {
  static let leads: ClosedRange<UInt32> = 0x1100...0x1112
  static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
  static let tails: ClosedRange<UInt32> = 0x11A8...0x11C2
  static let syllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
  static let vowelCount: UInt32 = 21
  /// The tails, and none.
  static let tailCount: UInt32 = 28

  /// Whether `value` is a vowel or a tail, which composes with what stands before it.
  static func follows(_ value: UInt32) -> Bool { vowels ~= value || tails ~= value }

  /// The two or three letters of a syllable.
  static func letters(of syllable: UInt32) -> [UInt32] {
    let index = syllable - syllables.lowerBound
    let tail = index % tailCount
    let letters = [
      leads.lowerBound + index / (vowelCount * tailCount), vowels.lowerBound + index / tailCount % vowelCount,
    ]
    return tail == 0 ? letters : letters + [tails.lowerBound + tail - 1]
  }
}
