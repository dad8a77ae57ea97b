/// The merges of a vocabulary: two neighbouring ids, the rank of their merge (0 is done first) and the id it makes.
final class PairTable: Sendable {
  /// No merge: larger than every rank.
  static let none = UInt64.max

  private let slots: FrozenArray<UInt64>  // [size × 2]: left << 32 | right, or all ones; rank << 32 | id
  private let mask: Int
  private let seed: UInt64

  /// Of merges of the same pair the last counts, as in the dictionaries that other readers build.
  init(_ merges: [(left: Int32, right: Int32, made: Int32)]) {
    var size = 16
    while size * 3 < merges.count * 5 { size *= 2 }
    let mask = size - 1
    let seed = UInt64.random(in: .min ... .max)
    slots = FrozenArray(repeating: UInt64.max, count: size * 2) { slots in
      for (rank, merge) in merges.enumerated() {
        let key = Self.key(merge.left, merge.right)
        var slot = Int(truncatingIfNeeded: mixBits(key, seed)) & mask
        while slots[2 * slot] != .max, slots[2 * slot] != key { slot = (slot + 1) & mask }
        slots[2 * slot] = key
        slots[2 * slot + 1] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: merge.made))
      }
    }
    self.mask = mask
    self.seed = seed
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// `rank << 32 | id` of the merge of `left` and `right`, or `none`. Negative ids merge with nothing.
  @inline(__always)
  func merge(_ left: Int32, _ right: Int32) -> UInt64 {
    let key = Self.key(left, right)
    var slot = Int(truncatingIfNeeded: mixBits(key, seed)) & mask
    while true {
      let found = slots.base[2 * slot]
      if found == key { return slots.base[2 * slot + 1] }
      if found == .max { return Self.none }
      slot = (slot + 1) & mask
    }
  }
}
