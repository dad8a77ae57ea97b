import Formats
import Kernels

/// `count` random numbers around zero with this standard deviation, stored in `format`: whole blocks, the same for the
/// same seed. For measuring speed, where the values do not matter but their size does.
///
/// A number is the sum of four uniform ones, near enough to normal. The K-quants, which take long to fit, are
/// made of uniform quants under equal scales.
public func randomBlocks(_ format: StorageFormat, count: Int, deviation: Float, seed: UInt64) -> [UInt8] {
  precondition(count >= 0, "\(count) numbers")
  guard let bytes = format.byteCount(elements: count) else {
    preconditionFailure("\(count) elements are not whole blocks of \(format.rawValue)")
  }
  var generator = Generator(state: seed)
  if format.elementsPerBlock == 256 { return superblocks(format, bytes: bytes, deviation: deviation, &generator) }
  let numbers = [Float](unsafeUninitializedCapacity: count) { numbers, initialized in
    for i in 0..<count { numbers[i] = generator.next() * deviation }
    initialized = count
  }
  return [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initialized in
    if let base = buffer.baseAddress { narrow(numbers, count: count, to: format, into: base) }
    initialized = bytes
  }
}

/// Blocks of 256 numbers, `d · s · (q − middle)` with one `s` for all; laid out as ggml-common.h says.
private func superblocks(
  _ format: StorageFormat, bytes: Int, deviation: Float, _ generator: inout Generator
) -> [UInt8] {
  // Scales 32 and minima 30 (of 4 bits) or 31 (of 5), six bits each: eight of both packed into twelve bytes.
  let scales: [UInt8]
  // Uniform quants of n steps deviate by √((n² − 1) / 12).
  let d: Float
  switch format {
  case .q4_k:
    scales = [0xA0, 0xA0, 0xA0, 0xA0, 0x5E, 0x5E, 0x5E, 0x5E, 0xE0, 0xE0, 0xE0, 0xE0]
    d = deviation / (32 * 4.61)
  case .q5_k:
    scales = [0xA0, 0xA0, 0xA0, 0xA0, 0x5F, 0x5F, 0x5F, 0x5F, 0xF0, 0xF0, 0xF0, 0xF0]
    d = deviation / (32 * 9.23)
  default:
    scales = Array(repeating: 16, count: 16)
    d = deviation / (16 * 18.5)
  }
  let half = halfBytes(d)
  let minimum = halfBytes(d * (format == .q4_k ? 8 : 16))  // 32 · 7.5 = 30 · 8, 32 · 15.5 = 31 · 16
  var blocks = [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initialized in
    for i in 0..<bytes { buffer[i] = generator.byte() }
    initialized = bytes
  }
  for block in stride(from: 0, to: bytes, by: format.bytesPerBlock) {
    let header = format == .q6_k ? scales + half : half + minimum + scales
    let offset = format == .q6_k ? block + format.bytesPerBlock - header.count : block
    blocks.replaceSubrange(offset..<offset + header.count, with: header)
  }
  return blocks
}

private func halfBytes(_ value: Float) -> [UInt8] {
  var value = value
  return [UInt8](unsafeUninitializedCapacity: 2) { buffer, initialized in
    if let base = buffer.baseAddress { narrow(&value, count: 1, to: .f16, into: base) }
    initialized = 2
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
private struct Generator {
  var state: UInt64

  // Wrapping is what the generator is defined by.
  private mutating func bits() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: bits()) }

  /// Four uniform numbers of 16 bits: their sum deviates by √(4 / 12) of their range.
  mutating func next() -> Float {
    let all = bits()
    let sum = (all & 0xFFFF) + (all >> 16 & 0xFFFF) + (all >> 32 & 0xFFFF) + all >> 48
    return (Float(sum) - 131070) / 37837
  }
}
