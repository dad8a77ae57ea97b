import Components
import Files
import Formats

/// How numbers are read that no kernel computes with: F64 rounded to f32, and the two formats of eight bits exactly, as bf16.
///
/// Numbers of eight bits come with scales, which they are multiplied by: one, one for each row, or one for each block of
/// rows and columns, whose sides are powers of two. Then they are f32. E4M3 is that of OCP's 8-bit specification, 2023, without
/// infinities (`float8_e4m3fn`); E5M2 is the upper half of f16.
struct WidenedTensor: Sendable {
  let stored: StoredTensorEntry
  /// What its numbers are multiplied by.
  let scales: StoredTensorEntry?

  /// The names of types that are read so, in a file's own words.
  static let types: Set<String> = ["F64", "F8_E4M3", "F8_E5M2"]
  /// How a file names the scales of `X.weight`; the first is that of DeepSeek-V3, which multiplies in spite of its name.
  static let scaleNames = ["weight_scale_inv", "weight_scale"]

  /// The format that the numbers become.
  var format: StorageFormat { stored.typeName == "F64" || scales != nil ? .f32 : .bf16 }

  /// What is wrong with the scales, as a sentence; nil when nothing is.
  var problem: String? {
    guard let scales else { return nil }
    if scales.format != nil, scales.format?.elementsPerBlock == 1, blocks != nil { return nil }
    return "'\(scales.name)' \(scales.shape) \(scales.typeName) are no scales of '\(stored.name)' \(stored.shape)"
  }

  /// Rows and columns of a block that has one scale.
  private var blocks: (rows: Int, columns: Int)? {
    guard let scales else { return nil }
    let lengths = scales.shape.filter { $0 != 1 }
    let (rows, columns) = (stored.shape.first ?? 1, stored.elementCount / max(1, stored.shape.first ?? 1))
    if lengths.isEmpty { return (max(1, rows), max(1, columns)) }
    if scales.shape.first == rows, scales.elementCount == rows { return (1, max(1, columns)) }
    guard stored.shape.count == 2, scales.shape.count == 2 else { return nil }
    func side(_ length: Int, _ count: Int) -> Int? {
      guard count > 0 else { return nil }
      var side = 1
      while side * count < length { side *= 2 }
      return (length + side - 1) / side == count ? side : nil
    }
    guard let height = side(rows, scales.shape[0]), let width = side(columns, scales.shape[1]) else { return nil }
    return (height, width)
  }

  /// The numbers in memory of their own; throws when there is none, and for a number that f32 cannot hold.
  func make() throws(Problem) -> StoredTensor {
    let (count, format) = (stored.elementCount, format)
    guard let buffer = TensorBuffer(byteCount: count * format.bytesPerBlock) else {
      throw Problem(
        "'\(stored.name)' needs \(count * format.bytesPerBlock) bytes of memory, which the system has not", at: nil)
    }
    let bytes = stored.bytes
    if stored.typeName == "F64" {
      let target = buffer.bytes.bindMemory(to: Float.self)
      for i in 0..<count {
        let value = Double(
          bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)))
        target[i] = Float(value)
        if value.isFinite, !target[i].isFinite {
          throw Problem("'\(stored.name)' has the number \(value), which f32 cannot hold", at: nil)
        }
      }
    } else {
      let table = (0...UInt8.max).map { stored.typeName == "F8_E4M3" ? Self.e4m3($0) : Self.e5m2($0) }
      if let scales, let blocks {
        let (target, factors) = (buffer.bytes.bindMemory(to: Float.self), try Self.numbers(of: scales))
        let columns = count / max(1, stored.shape.first ?? 1)
        let across = (columns + blocks.columns - 1) / max(1, blocks.columns)
        for i in 0..<count {
          let (row, column) = (i / max(1, columns), i % max(1, columns))
          target[i] = table[Int(bytes[i])] * factors[row / blocks.rows * across + column / blocks.columns]
        }
      } else {
        let target = buffer.bytes.bindMemory(to: UInt16.self)
        for i in 0..<count { target[i] = UInt16(table[Int(bytes[i])].bitPattern >> 16) }
      }
    }
    return withExtendedLifetime((stored.file, scales?.file)) {
      StoredTensor(
        name: stored.name, shape: stored.shape, format: format, bytes: UnsafeRawBufferPointer(buffer.bytes),
        owner: buffer)
    }
  }

  private static func numbers(of entry: StoredTensorEntry) throws(Problem) -> [Float] {
    let wide: StoredTensor
    do { wide = try StoredTensor(entry, named: entry.name).stored(as: .f32) } catch {
      throw Problem("'\(entry.name)' cannot be read: \(error)", at: nil)
    }
    return withExtendedLifetime((wide.owner, entry.file)) {
      (0..<entry.elementCount).map { wide.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  /// Four bits of exponent, biased by 7, and three of fraction; all ones is NaN, and nothing is infinite.
  static func e4m3(_ byte: UInt8) -> Float {
    let sign: Float = byte & 0x80 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(byte >> 3 & 15), Float(byte & 7))
    if byte & 0x7F == 0x7F { return .nan }
    if exponent == 0 { return sign * fraction * 0x1p-9 }
    return sign * Float(sign: .plus, exponent: exponent - 7, significand: 1 + fraction / 8)
  }

  /// Five bits of exponent, biased by 15, and two of fraction.
  static func e5m2(_ byte: UInt8) -> Float {
    let sign: Float = byte & 0x80 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(byte >> 2 & 31), Float(byte & 3))
    if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
    if exponent == 0 { return sign * fraction * 0x1p-16 }
    return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 4)
  }
}
