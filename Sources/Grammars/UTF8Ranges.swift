/// The sequences of byte ranges that are the UTF-8 of a range of scalars (as Russ Cox describes for regular expressions,
/// https://swtch.com/~rsc/regexp/regexp3.html).
enum UTF8Ranges {
  /// The sequences for `range`, which holds no surrogate; together they match just its scalars, and no two overlap.
  static func sequences(_ range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
    var result: [[ClosedRange<UInt8>]] = []
    // Scalars of one length in bytes.
    for (low, high) in [(0, 0x7F), (0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, 0x10FFFF)] as [(UInt32, UInt32)] {
      let (first, last) = (max(low, range.lowerBound), min(high, range.upperBound))
      if first <= last { split(first, last, to: &result) }
    }
    return result
  }

  private static func split(_ first: UInt32, _ last: UInt32, to result: inout [[ClosedRange<UInt8>]]) {
    if last < 0x80 {
      result.append([UInt8(first)...UInt8(last)])
      return
    }
    // Where continuation bytes run over only a part of their range, the range is cut.
    for bits in [6, 12, 18] as [UInt32] where bits < 6 * UInt32(length(last)) {
      let mask = (UInt32(1) << bits) - 1
      guard first & ~mask != last & ~mask else { continue }
      if first & mask != 0 {
        split(first, first | mask, to: &result)
        split((first | mask) + 1, last, to: &result)
        return
      }
      if last & mask != mask {
        split(first, (last & ~mask) - 1, to: &result)
        split(last & ~mask, last, to: &result)
        return
      }
    }
    result.append(zip(encoded(first), encoded(last)).map { $0...$1 })
  }

  private static func length(_ scalar: UInt32) -> Int {
    scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4
  }

  /// The UTF-8 of one scalar.
  static func encoded(_ scalar: UInt32) -> [UInt8] {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift & 0x3F)) }
    switch length(scalar) {
    case 1: return [UInt8(scalar)]
    case 2: return [UInt8(0xC0 | scalar >> 6), tail(0)]
    case 3: return [UInt8(0xE0 | scalar >> 12), tail(6), tail(0)]
    default: return [UInt8(0xF0 | scalar >> 18), tail(12), tail(6), tail(0)]
    }
  }
}
