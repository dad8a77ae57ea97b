/// The SHA-1 hash of bytes that come in pieces (NIST FIPS 180-4, https://doi.org/10.6028/NIST.FIPS.180-4), by which git
/// names what it keeps. It tells damage, not forgery: collisions can be made.
public typealias SHA1 = BlockHash<SHA1Compression>

extension SHA1 {
  /// The hash that git gives a blob of `size` bytes, which are taken in afterwards: they come after `blob SIZE\0`.
  public init(gitBlobOfSize size: Int) {
    self.init()
    update("blob \(size)\0")
  }
}

/// What SHA-1 does with a block (FIPS 180-4, section 6.1.2).
public enum SHA1Compression: BlockCompression {
  /// FIPS 180-4, section 5.3.1.
  public static let start: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]

  /// Takes whole blocks in: five words of 32 bits, in 80 rounds a block.
  public static func compress(_ bytes: UnsafeRawBufferPointer, into state: inout [UInt32]) {
    // Additions wrap, as the standard has them; every index is below 80 or 5.
    guard bytes.count >= 64 else { return }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { w in
      for start in stride(from: 0, to: bytes.count, by: 64) {
        for i in 0..<16 {
          w[i] = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * i, as: UInt32.self))
        }
        for i in 16..<80 { w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1) }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for i in 0..<80 {
          let (f, k): (UInt32, UInt32) =
            switch i {
            case 0..<20: ((b & c) | (~b & d), 0x5a82_7999)
            case 20..<40: (b ^ c ^ d, 0x6ed9_eba1)
            case 40..<60: ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc)
            default: (b ^ c ^ d, 0xca62_c1d6)
            }
          let next = rotated(a, 5) &+ f &+ e &+ k &+ w[i]
          (e, d, c, b, a) = (d, c, rotated(b, 30), a, next)
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
      }
    }
  }
}

private func rotated(_ x: UInt32, _ count: UInt32) -> UInt32 { (x << count) | (x >> (32 - count)) }
