/// The SHA-1 hash of bytes that come in pieces (NIST FIPS 180-4, https://doi.org/10.6028/NIST.FIPS.180-4), by which git
/// names what it keeps. It tells damage, not forgery: collisions can be made.
public struct SHA1: Sendable {
  private var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
  private var pending: [UInt8] = []
  private var count: UInt64 = 0

  /// The hash of nothing yet.
  public init() {}

  /// The hash that git gives a blob of `size` bytes, which are taken in afterwards: they come after `blob SIZE\0`.
  public init(gitBlobOfSize size: Int) { update("blob \(size)\0") }

  /// Takes `bytes` in.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    count += UInt64(bytes.count)
    var rest = bytes[...]
    if !pending.isEmpty {
      let taken = rest.prefix(64 - pending.count)
      pending.append(contentsOf: taken)
      rest = rest.dropFirst(taken.count)
      guard pending.count == 64 else { return }
      let block = pending
      block.withUnsafeBytes { compress($0) }
      pending.removeAll(keepingCapacity: true)
    }
    let whole = rest.count / 64 * 64
    compress(UnsafeRawBufferPointer(rebasing: rest.prefix(whole)))
    pending.append(contentsOf: rest.dropFirst(whole))
  }

  /// Takes the bytes of `text` in.
  public mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// The hash of everything taken in, as 40 hexadecimal digits.
  public func hexadecimal() -> String {
    var last = self
    let bits = count * 8
    var padding: [UInt8] = [0x80]
    padding += [UInt8](repeating: 0, count: (119 - Int(count % 64)) % 64)
    for shift in stride(from: 56, through: 0, by: -8) {
      padding.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    padding.withUnsafeBytes { last.update($0) }
    return last.state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  // Additions wrap, as the standard has them; every index is below 80 or 5.
  private mutating func compress(_ bytes: UnsafeRawBufferPointer) {
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
