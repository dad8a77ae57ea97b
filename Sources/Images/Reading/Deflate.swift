/// Compresses bytes as a zlib stream (Deutsch, RFC 1950 and 1951, 1996): repetitions by the fixed code.
///
/// The same bytes always become the same stream, whatever is installed, so that files made from a seed are equal
/// everywhere. Real pictures become larger than by zlib, flat drawings hardly.
struct Deflate {
  private var output: [UInt8] = [0x78, 0x01]
  private var bits: UInt64 = 0
  private var count: UInt64 = 0

  /// The stream of `bytes`.
  static func stream(of bytes: [UInt8]) -> [UInt8] {
    var deflate = Deflate()
    deflate.compress(bytes)
    return deflate.output
  }

  private static let window = 1 << 15
  private static let longest = 258
  /// Earlier places that are tried for each repetition.
  private static let tries = 32

  private mutating func compress(_ bytes: [UInt8]) {
    put(0b011, 3)  // the last block, by the fixed code
    var heads = [Int](repeating: -1, count: Self.window)
    var previous = [Int](repeating: -1, count: bytes.count)
    func hash(_ at: Int) -> Int {
      ((Int(bytes[at]) << 16 | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])) &* 0x9E37_79B1) >> 12 & (Self.window - 1)
    }
    var at = 0
    while at < bytes.count {
      var (length, distance) = (0, 0)
      if at + 3 <= bytes.count {
        let most = min(Self.longest, bytes.count - at)
        var (candidate, tries) = (heads[hash(at)], Self.tries)
        while candidate >= 0, at - candidate <= Self.window, tries > 0, length < most {
          var same = 0
          while same < most, bytes[candidate + same] == bytes[at + same] { same += 1 }
          if same > length { (length, distance) = (same, at - candidate) }
          candidate = previous[candidate]
          tries -= 1
        }
      }
      let taken = length < 3 ? 1 : length
      if length < 3 { literal(Int(bytes[at])) } else { repetition(length, distance) }
      for place in at..<max(at, min(at + taken, bytes.count - 2)) {
        previous[place] = heads[hash(place)]
        heads[hash(place)] = place
      }
      at += taken
    }
    literal(256)
    put(0, (8 - count % 8) % 8)
    let sum = Self.adler(bytes)
    for shift in [24, 16, 8, 0] { output.append(UInt8(sum >> UInt32(shift) & 255)) }
  }

  /// Adler's checksum of `bytes`.
  private static func adler(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    return b << 16 | a
  }

  private mutating func literal(_ symbol: Int) {
    switch symbol {
    case 0..<144: put(code: 0x30 + symbol, 8)
    case 144..<256: put(code: 0x190 + symbol - 144, 9)
    case 256..<280: put(code: symbol - 256, 7)
    default: put(code: 0xC0 + symbol - 280, 8)
    }
  }

  private mutating func repetition(_ length: Int, _ distance: Int) {
    let long = Inflate.lengths.lastIndex { $0 <= length } ?? 0
    literal(257 + long)
    put(length - Inflate.lengths[long], UInt64(Inflate.lengthBits[long]))
    let far = Inflate.distances.lastIndex { $0 <= distance } ?? 0
    put(code: far, 5)
    put(distance - Inflate.distances[far], UInt64(Inflate.distanceBits[far]))
  }

  // Codes stand in the stream from their highest bit, numbers from their lowest.
  private mutating func put(code: Int, _ length: UInt64) {
    for bit in (0..<length).reversed() { put(code >> Int(bit) & 1, 1) }
  }

  private mutating func put(_ value: Int, _ length: UInt64) {
    bits |= UInt64(value) << count
    count += length
    while count >= 8 {
      output.append(UInt8(bits & 255))
      bits >>= 8
      count -= 8
    }
  }
}
