/// The alphabet in which byte-level vocabularies spell bytes: every byte is one printable character.
///
/// Printable Latin-1 bytes stand for themselves; the 68 others (controls, space, DEL to NBSP, soft hyphen) take the
/// characters from U+0100 on, so a space shows as Ġ. Radford et al. 2019, `bytes_to_unicode` in openai/gpt-2
/// `encoder.py`.
enum ByteAlphabet {
  /// [256]: the scalar that spells a byte.
  static let scalars: [UInt32] = {
    var next: UInt32 = 0x100
    return (0...255 as ClosedRange<UInt32>).map { byte in
      if 0x21...0x7E ~= byte || 0xA1...0xAC ~= byte || 0xAE...0xFF ~= byte { return byte }
      defer { next += 1 }
      return next
    }
  }()

  /// [0x144]: the byte that a scalar spells, or -1.
  static let bytes: [Int16] = {
    var result = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { result[Int(scalar)] = Int16(byte) }
    return result
  }()

  /// Appends the bytes that `piece` spells; nothing is appended, and false returned, when it holds a foreign character.
  static func decode(_ piece: UnsafeBufferPointer<UInt8>, into result: inout [UInt8]) -> Bool {
    guard let text = piece.baseAddress else { return true }
    let start = result.count
    return bytes.withUnsafeBufferPointer { bytes in
      var place = 0
      while place < piece.count {
        let (value, length) = scalar(at: place, in: text, end: piece.count)
        guard value < 0x144, bytes[Int(value)] >= 0 else {
          result.removeSubrange(start...)
          return false
        }
        result.append(UInt8(truncatingIfNeeded: bytes[Int(value)]))
        place += length
      }
      return true
    }
  }

  /// The bytes that `piece` spells, or nil when it holds a foreign character.
  static func decoded(_ piece: String) -> [UInt8]? {
    var piece = piece
    var result: [UInt8] = []
    return piece.withUTF8 { decode($0, into: &result) } ? result : nil
  }

  /// The spelling of `bytes`.
  static func encoded(_ bytes: some Sequence<UInt8>) -> String {
    var result = String.UnicodeScalarView()
    for byte in bytes {
      if let scalar = Unicode.Scalar(scalars[Int(byte)]) { result.append(scalar) }
    }
    return String(result)
  }
}
