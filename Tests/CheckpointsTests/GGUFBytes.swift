/// Builds the bytes of a GGUF file, right or wrong as a test needs.
struct GGUFBytes {
  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  var tensorCount: UInt64?
  var keyCount: UInt64?
  private var keys: [[UInt8]] = []
  private var tensors: [[UInt8]] = []
  var data: [UInt8] = []
  var alignment = 32

  static func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  static func string(_ text: String, claiming length: UInt64? = nil) -> [UInt8] {
    number(length ?? UInt64(text.utf8.count)) + Array(text.utf8)
  }

  /// A metadata entry: key, type number and the bytes of the value.
  mutating func key(_ key: String, _ type: UInt32, _ value: [UInt8]) {
    keys.append(Self.string(key) + Self.number(type) + value)
  }

  /// A list entry.
  mutating func list(_ key: String, of type: UInt32, claiming count: UInt64, _ items: [UInt8]) {
    self.key(key, 9, Self.number(type) + Self.number(count) + items)
  }

  /// A tensor entry; `lengths` fastest first, as the file has them.
  mutating func tensor(
    _ name: String, _ lengths: [Int64], _ type: UInt32, offset: UInt64, claimingAxes axes: UInt32? = nil
  ) {
    tensors.append(
      Self.string(name) + Self.number(axes ?? UInt32(lengths.count)) + lengths.flatMap(Self.number)
        + Self.number(type) + Self.number(offset))
  }

  var header: [UInt8] {
    magic + Self.number(version) + Self.number(tensorCount ?? UInt64(tensors.count))
      + Self.number(keyCount ?? UInt64(keys.count)) + keys.joined() + tensors.joined()
  }

  var bytes: [UInt8] {
    let header = header
    guard !tensors.isEmpty else { return header + data }
    return header + [UInt8](repeating: 0, count: (alignment - header.count % alignment) % alignment) + data
  }
}
