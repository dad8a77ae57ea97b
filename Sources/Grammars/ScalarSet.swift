/// A set of Unicode scalars: sorted ranges that neither meet nor touch.
struct ScalarSet: Hashable, Sendable {
  private(set) var ranges: [ClosedRange<UInt32>]

  static let largest: UInt32 = 0x10FFFF
  /// The code points of UTF-16's pairs, which no text has.
  static let surrogates: ClosedRange<UInt32> = 0xD800...0xDFFF
  /// Every character.
  static let all = ScalarSet([0...0xD7FF, 0xE000...largest])

  /// The scalars of `ranges`, which may overlap and come in any order. Surrogates stay out.
  init(_ ranges: [ClosedRange<UInt32>]) {
    var kept: [ClosedRange<UInt32>] = []
    for range in ranges {
      if range.lowerBound < 0xD800 { kept.append(range.lowerBound...min(range.upperBound, 0xD7FF)) }
      if range.upperBound > 0xDFFF {
        let low = max(range.lowerBound, 0xE000)
        if low <= min(range.upperBound, Self.largest) { kept.append(low...min(range.upperBound, Self.largest)) }
      }
    }
    kept.sort { $0.lowerBound < $1.lowerBound }
    self.ranges = []
    for range in kept {
      if let last = self.ranges.last, range.lowerBound <= last.upperBound + 1 {
        self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  init(_ scalars: [UInt32]) { self.init(scalars.map { $0...$0 }) }

  var isEmpty: Bool { ranges.isEmpty }

  func contains(_ scalar: UInt32) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(scalar)
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  /// Every character that is not in it.
  var complement: ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
      next = range.upperBound + 1
    }
    if next <= Self.largest { result.append(next...Self.largest) }
    return ScalarSet(result)
  }

  func intersection(_ other: ScalarSet) -> ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var (i, j) = (0, 0)
    while i < ranges.count, j < other.ranges.count {
      let (a, b) = (ranges[i], other.ranges[j])
      let (low, high) = (max(a.lowerBound, b.lowerBound), min(a.upperBound, b.upperBound))
      if low <= high { result.append(low...high) }
      if a.upperBound < b.upperBound { i += 1 } else { j += 1 }
    }
    return ScalarSet(result)
  }

  func subtracting(_ other: ScalarSet) -> ScalarSet { intersection(other.complement) }
}
