import Essentials

/// Numbers from the standard normal distribution, the same for the same seed and name on every machine.
///
/// SplitMix64 (Steele, Lea and Flood, 2014) and the polar method (Marsaglia, 1964).
struct NormalGenerator {
  private var state: UInt64
  private var spare: Double?

  /// A generator that starts from `seed` and the FNV-1a hash of `name`.
  init(seed: UInt64, name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    state = hash ^ (seed &* 0x9e37_79b9_7f4a_7c15)
  }

  // Wrapping is what these hashes are defined by.
  private mutating func bits() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// The next number from 0 up to 1, all equally likely.
  mutating func uniform() -> Double { Double(bits() >> 11) * 0x1p-53 }

  /// The next number.
  mutating func next() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    while true {
      let (u, v) = (2 * uniform() - 1, 2 * uniform() - 1)
      let s = u * u + v * v
      if s > 0, s < 1 {
        let scale = (-2 * log(s) / s).squareRoot()
        spare = v * scale
        return u * scale
      }
    }
  }
}
