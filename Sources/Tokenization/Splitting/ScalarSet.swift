/// A set of Unicode scalars as a pattern writes it: `\p{L}`, `[^\s\p{L}\p{N}]`, `[a-z]`.
struct ScalarSet: Equatable, Sendable {
  var categories: ScalarCategory = []
  var ranges: [ClosedRange<UInt32>] = []
  /// Categories whose complement is in the set: `\S` inside brackets.
  var outside: [ScalarCategory] = []
  var isNegated = false

  static let space = ScalarSet(categories: .space)
  static func scalar(_ value: UInt32) -> ScalarSet { ScalarSet(ranges: [value...value]) }

  func contains(_ scalar: UInt32) -> Bool {
    let category = ScalarCategory.of(scalar)
    let inside =
      !categories.isDisjoint(with: category) || ranges.contains { $0.contains(scalar) }
      || outside.contains { $0.isDisjoint(with: category) }
    return inside != isNegated
  }

  /// Also holds the other cases of its letters, one step deep ("s" brings "S" and "ſ").
  var ignoringCase: ScalarSet {
    var result = self
    for range in ranges where range.count <= 64 {
      for value in range { result.ranges += Self.otherCases(of: value).map { $0...$0 } }
    }
    return result
  }

  // Simple case folding brings together s, S and U+017F, k, K and U+212A; every other ASCII letter has two forms.
  private static func otherCases(of value: UInt32) -> [UInt32] {
    guard let scalar = Unicode.Scalar(value) else { return [] }
    var cases: [UInt32] = []
    for text in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
      if text.unicodeScalars.count == 1, let other = text.unicodeScalars.first, other != scalar {
        cases.append(other.value)
      }
    }
    if value == 0x73 || value == 0x53 { cases.append(0x17F) }
    if value == 0x6B || value == 0x4B { cases.append(0x212A) }
    return cases
  }
}

/// A `ScalarSet` laid out for the inner loops: plain memory, nothing to count references of.
struct PackedSet: Sendable {
  // Bit b of `low`, bit b - 64 of `high`: whether ASCII character b is in the set.
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  private var categories: UInt16 = 0
  private var isNegated = false
  private var firstRange: Int32 = 0
  private var rangeCount: Int32 = 0

  /// An empty set.
  init() {}

  /// Lays `set` out, its ranges at the end of `ranges`.
  init(_ set: ScalarSet, ranges: inout [ClosedRange<UInt32>]) {
    for value in 0..<64 as Range<UInt32> {
      if set.contains(value) { low |= 1 << UInt64(value) }
      if set.contains(value + 64) { high |= 1 << UInt64(value) }
    }
    categories = set.categories.rawValue
    let wide = set.ranges.filter { $0.upperBound >= 0x80 } + Self.ranges(outside: set.outside)
    isNegated = set.isNegated
    firstRange = Int32(ranges.count)
    rangeCount = Int32(wide.count)
    ranges += wide
  }

  // The complement of a category cannot be said with category bits; it is written out as ranges of scalars.
  private static func ranges(outside: [ScalarCategory]) -> [ClosedRange<UInt32>] {
    guard !outside.isEmpty else { return [] }
    var result: [ClosedRange<UInt32>] = []
    for value in 0x80...0x10FFFF as ClosedRange<UInt32> {
      let category = ScalarCategory.of(value)
      guard outside.contains(where: { $0.isDisjoint(with: category) }) else { continue }
      if let last = result.last, last.upperBound + 1 == value {
        result[result.count - 1] = last.lowerBound...value
      } else {
        result.append(value...value)
      }
    }
    return result
  }

  @inline(__always)
  func containsASCII(_ byte: UInt8) -> Bool {
    // The shift is masked to 6 bits, so both halves are defined for every byte below 128.
    let bits = byte < 64 ? low : high
    return (bits &>> UInt64(byte)) & 1 != 0
  }

  func containsWide(_ scalar: UInt32, _ ranges: UnsafePointer<ClosedRange<UInt32>>) -> Bool {
    var inside = ScalarCategory.of(scalar).rawValue & categories != 0
    if !inside, rangeCount > 0 {
      for place in Int(firstRange)..<Int(firstRange) + Int(rangeCount) where ranges[place].contains(scalar) {
        inside = true
        break
      }
    }
    return inside != isNegated
  }
}
