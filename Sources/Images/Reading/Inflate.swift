/// Decompresses a zlib stream (Deutsch, RFC 1950 and 1951, 1996) into memory that was taken before.
///
/// Nothing is believed: a code that is no code, a distance before the start and a stream that ends early are errors,
/// and no more is written than there is room for.
struct Inflate {
  private let input: UnsafeRawBufferPointer
  private let output: UnsafeMutablePointer<UInt8>
  private let room: Int
  private var at = 0
  private var written = 0
  // The bits that were read and not yet used, the next one lowest.
  private var bits: UInt64 = 0
  private var count = 0

  private var literals = PrefixCode()
  private var distances = PrefixCode()

  private init(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableBufferPointer<UInt8>, start: UnsafeMutablePointer<UInt8>
  ) {
    self.input = input
    self.output = start
    room = output.count
  }

  /// Fills `output` with the content of `input`; what the stream holds beyond is passed over.
  static func fill(
    _ output: UnsafeMutableBufferPointer<UInt8>, from input: UnsafeRawBufferPointer
  ) throws(PictureProblem) {
    guard let start = output.baseAddress else { return }
    var inflate = Inflate(input, output, start: start)
    try inflate.stream()
  }

  private static let ended = PictureProblem("its compressed data end early")
  private static let damaged = PictureProblem("its compressed data are damaged")

  private mutating func stream() throws(PictureProblem) {
    let (method, flags) = (try take(8), try take(8))
    guard method & 15 == 8, method >> 4 <= 7, (method << 8 | flags) % 31 == 0, flags & 32 == 0 else {
      throw PictureProblem("its compressed data are no zlib stream")
    }
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      let hasRoom: Bool
      switch try take(2) {
      case 0: hasRoom = try stored()
      case 1:
        try setFixedCodes()
        hasRoom = try compressed()
      case 2:
        try readCodes()
        hasRoom = try compressed()
      default: throw Self.damaged
      }
      // What follows would belong to no row.
      if !hasRoom { return }
    }
    if written == room { return try checkSum() }
    throw PictureProblem("its data hold \(written) bytes, and its size needs \(room)")
  }

  private mutating func checkSum() throws(PictureProblem) {
    _ = try take(count & 7)
    var (a, b): (UInt32, UInt32) = (1, 0)
    var place = 0
    while place < written {
      // 5552 is the longest run without an overflow of 32 bits.
      let end = min(place + 5552, written)
      while place < end {
        a += UInt32(output[place])
        b += a
        place += 1
      }
      a %= 65521
      b %= 65521
    }
    var stored: UInt32 = 0
    for _ in 0..<4 { stored = stored << 8 | UInt32(try take(8)) }
    guard stored == b << 16 | a else { throw PictureProblem("its compressed data do not match their checksum") }
  }

  // One block; false where it holds more than there is room for.
  private mutating func stored() throws(PictureProblem) -> Bool {
    _ = try take(count & 7)
    let (length, complement) = (try take(16), try take(16))
    guard length ^ complement == 0xFFFF else { throw Self.damaged }
    for _ in 0..<length {
      let byte = try take(8)
      guard written < room else { return false }
      output[written] = UInt8(byte)
      written += 1
    }
    return true
  }

  private mutating func compressed() throws(PictureProblem) -> Bool {
    while true {
      let symbol = try symbol(of: literals)
      if symbol < 256 {
        guard written < room else { return false }
        output[written] = UInt8(symbol)
        written += 1
        continue
      }
      if symbol == 256 { return true }
      guard symbol <= 285 else { throw Self.damaged }
      let length = Self.lengths[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
      let code = try self.symbol(of: distances)
      guard code < 30 else { throw Self.damaged }
      let distance = Self.distances[code] + (try take(Self.distanceBits[code]))
      guard distance <= written else { throw Self.damaged }
      // One byte after another: a run may repeat what it writes itself.
      let hasRoom = length <= room - written
      for _ in 0..<min(length, room - written) {
        output[written] = output[written - distance]
        written += 1
      }
      if !hasRoom { return false }
    }
  }

  private mutating func readCodes() throws(PictureProblem) {
    let (literalCount, distanceCount, orderCount) = (try take(5) + 257, try take(5) + 1, try take(4) + 4)
    guard literalCount <= 286, distanceCount <= 30 else { throw Self.damaged }
    var lengths = [UInt8](repeating: 0, count: 19)
    for place in Self.order.prefix(orderCount) { lengths[place] = UInt8(try take(3)) }
    var lengthCode = PrefixCode()
    guard lengthCode.set(lengths[...], allowsOne: false) else { throw Self.damaged }
    var all: [UInt8] = []
    all.reserveCapacity(literalCount + distanceCount)
    while all.count < literalCount + distanceCount {
      let symbol = try symbol(of: lengthCode)
      if symbol < 16 {
        all.append(UInt8(symbol))
        continue
      }
      var repeated: UInt8 = 0
      if symbol == 16 {
        guard let last = all.last else { throw Self.damaged }
        repeated = last
      }
      let times = symbol == 16 ? 3 + (try take(2)) : symbol == 17 ? 3 + (try take(3)) : 11 + (try take(7))
      guard all.count + times <= literalCount + distanceCount else { throw Self.damaged }
      for _ in 0..<times { all.append(repeated) }
    }
    guard all[256] > 0, literals.set(all[..<literalCount], allowsOne: true),
      distances.set(all[literalCount...], allowsOne: true)
    else { throw Self.damaged }
  }

  private mutating func setFixedCodes() throws(PictureProblem) {
    let lengths = (0..<288).map { UInt8($0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8) }
    guard literals.set(lengths[...], allowsOne: true),
      distances.set([UInt8](repeating: 5, count: 32)[...], allowsOne: true)
    else { throw Self.damaged }
  }

  @inline(__always)
  private mutating func refill() {
    while count <= 56, at < input.count {
      bits |= UInt64(input[at]) << UInt64(count)
      at += 1
      count += 8
    }
  }

  @inline(__always)
  private mutating func take(_ wanted: Int) throws(PictureProblem) -> Int {
    if count < wanted {
      refill()
      guard count >= wanted else { throw Self.ended }
    }
    let value = Int(bits & (1 << UInt64(wanted) - 1))
    bits >>= UInt64(wanted)
    count -= wanted
    return value
  }

  @inline(__always)
  private mutating func symbol(of code: borrowing PrefixCode) throws(PictureProblem) -> Int {
    if count < 15 { refill() }
    let entry = Int(code.table[Int(bits & code.mask)])
    let length = entry & 15
    guard length > 0 else { throw count < 15 ? Self.ended : Self.damaged }
    guard length <= count else { throw Self.ended }
    bits >>= UInt64(length)
    count -= length
    return entry >> 4
  }

  private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
  static let lengths = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  static let lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
  static let distances = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
  ]
  static let distanceBits = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
  ]
}

/// A prefix code as one table that the next bits index: symbol · 16 + length, 0 where no code begins so.
struct PrefixCode {
  private(set) var table: [UInt16] = [0]  // [2 ^ longest length]
  private(set) var mask: UInt64 = 0

  /// Takes the code whose symbols have `lengths` (0: none); false where these make no code.
  ///
  /// A code of a single symbol is incomplete and allowed where `allowsOne`, as zlib allows it; so is none at all.
  mutating func set(_ lengths: ArraySlice<UInt8>, allowsOne: Bool) -> Bool {
    var counts = [Int](repeating: 0, count: 16)
    for length in lengths { counts[Int(length)] += 1 }
    counts[0] = 0
    let longest = counts.lastIndex { $0 > 0 } ?? 0
    var left = 1
    for length in 1...15 {
      left = left * 2 - counts[length]
      if left < 0 { return false }
    }
    guard left == 0 || allowsOne && longest <= 1 else { return false }
    var next = [Int](repeating: 0, count: 16)
    for length in 1..<15 { next[length + 1] = (next[length] + counts[length]) << 1 }
    table = [UInt16](repeating: 0, count: 1 << longest)
    mask = UInt64(table.count - 1)
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let length = Int(length)
      // Codes are sent from their highest bit, the rest of the stream from the lowest.
      var (code, reversed) = (next[length], 0)
      next[length] += 1
      for _ in 0..<length {
        reversed = reversed << 1 | code & 1
        code >>= 1
      }
      var place = reversed
      while place < table.count {
        table[place] = UInt16(symbol << 4 | length)
        place += 1 << length
      }
    }
    return true
  }
}
