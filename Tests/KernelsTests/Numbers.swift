import Formats
import Kernels
import Testing

extension KernelLevel: CustomTestStringConvertible {
  public var testDescription: String { name }
}

/// Repeatable numbers in −1..<1 (SplitMix64; Steele, Lea, Flood, 2014, https://doi.org/10.1145/2660193.2660195).
struct Numbers {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func bits() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func next() -> Float { Float(bits() >> 40) / Float(1 << 23) - 1 }
  mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

/// Stored weights with random contents and what they stand for.
struct SampleWeight {
  let stored: Guarded<UInt8>
  let values: [Float]  // [rows, columns]
  let matrix: WeightMatrix

  init(_ format: StorageFormat, rows: Int, columns: Int, seed: UInt64) {
    var numbers = Numbers(seed: seed)
    let count = rows * columns
    let bytes = Guarded<UInt8>(count: format.byteCount(elements: count) ?? 0, filledWith: 0)
    if format.elementsPerBlock < 256 {
      narrow(numbers.floats(count), count: count, to: format, into: bytes.base)
    } else {
      for i in 0..<bytes.count { bytes[i] = UInt8(truncatingIfNeeded: numbers.bits()) }
      let halves = format == .q6_k ? [208] : [0, 2]
      for block in stride(from: 0, to: bytes.count, by: format.bytesPerBlock) {
        for half in halves {  // ±2⁻¹⁰…2⁻⁹, so that sums stay near 1
          bytes[block + half + 1] = UInt8(numbers.bits() & 0x80) | 0x14
        }
      }
    }
    var values = [Float](repeating: 0, count: count)
    widen(format, bytes.base, count: count, into: &values)
    (stored, self.values) = (bytes, values)
    matrix = WeightMatrix(base: bytes.base, format: format, rows: rows, columns: columns)
  }
}

/// The largest |found − expected| in units of what rounding may cost: a sum of `depth` products of total size `size`
/// kept in f32 by several running sums is off by no more than (depth / 8 + 8) last bits of `size`.
func worstError(found: [Float], expected: [Double], sizes: [Double], depth: Int) -> Double {
  let unit = 0x1p-24 * (Double(depth) / 8 + 8)
  return zip(found, zip(expected, sizes)).map { found, other in
    let error = abs(Double(found) - other.0)
    return error.isNaN ? .infinity : error / (unit * (other.1 + 1e-30))
  }.max() ?? 0
}
