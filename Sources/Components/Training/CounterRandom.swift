/// Random numbers by position: the n-th is the same however one comes to it, so nothing need be stored to go on.
///
/// The output function of SplitMix64 (Steele, Lea and Flood, 2014, https://doi.org/10.1145/2660193.2660195).
public struct CounterRandom: Sendable {
  private let key: UInt64

  /// Numbers that follow from `seed`, and from what they are for.
  public init(seed: UInt64, stream: UInt64) {
    key = Self.mix(Self.mix(seed &+ 0x9e37_79b9_7f4a_7c15) ^ (stream &* 0xbf58_476d_1ce4_e5b9))
  }

  /// Number `index`.
  public subscript(index: UInt64) -> UInt64 { Self.mix(key &+ (index &+ 1) &* 0x9e37_79b9_7f4a_7c15) }

  /// Number `index` as one of 0..<`count`, by the high half of a product (Lemire, 2018); the bias is below count / 2⁶⁴.
  public func below(_ count: Int, at index: UInt64) -> Int {
    Int(truncatingIfNeeded: self[index].multipliedFullWidth(by: UInt64(max(1, count))).high)
  }

  /// Number `index` as one from 0 up to, but not, 1.
  public func part(at index: UInt64) -> Double { Double(self[index] >> 11) * 0x1p-53 }

  // Wrapping is what the hash is defined by.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
