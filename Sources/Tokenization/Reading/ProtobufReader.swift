import Files

/// Reads the fields of a message in the protocol buffers encoding; every length is compared with what is left.
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(UnsafeRawBufferPointer)

    var bytes: UnsafeRawBufferPointer? {
      if case .bytes(let bytes) = self { bytes } else { nil }
    }

    /// A number of the type int32, whose negative values are written in 64 bits.
    var integer: Int? {
      if case .varint(let value) = self { Int(Int32(truncatingIfNeeded: value)) } else { nil }
    }

    var bool: Bool? {
      if case .varint(let value) = self { value != 0 } else { nil }
    }

    var float: Float? {
      if case .fixed32(let bits) = self { Float(bitPattern: bits) } else { nil }
    }
  }

  private var reader: ByteReader

  init(_ bytes: UnsafeRawBufferPointer, name: String) {
    reader = ByteReader(bytes, name: name)
  }

  /// The next field, or nil at the end.
  mutating func next() throws(FileProblem) -> (field: Int, value: Value)? {
    guard reader.remaining > 0 else { return nil }
    let tag = try varint()
    guard tag >> 3 > 0, tag >> 3 <= 0x1FFF_FFFF else { throw reader.problem("a field has the number \(tag >> 3)") }
    let field = Int(tag >> 3)
    switch tag & 7 {
    case 0: return (field, .varint(try varint()))
    case 1: return (field, .fixed64(try reader.read(UInt64.self)))
    case 2:
      let count = try varint()
      return (field, .bytes(try reader.bytes(count, for: "field \(field)")))
    case 5: return (field, .fixed32(try reader.read(UInt32.self)))
    default: throw reader.problem("field \(field) is of the unknown wire type \(tag & 7)")
    }
  }

  private mutating func varint() throws(FileProblem) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) as StrideTo<UInt64> {
      let byte = try reader.read(UInt8.self)
      guard shift < 63 || byte <= 1 else { break }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw reader.problem("a number is longer than 64 bits")
  }
}
