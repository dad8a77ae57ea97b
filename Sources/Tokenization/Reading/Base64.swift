/// Reads bytes written in the alphabet A–Z a–z 0–9 + / (RFC 4648, section 4).
enum Base64 {
  // [256]: the value of a digit, or -1.
  private static let values: [Int8] = {
    var values = [Int8](repeating: -1, count: 256)
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for (value, digit) in alphabet.utf8.enumerated() { values[Int(digit)] = Int8(value) }
    return values
  }()

  /// Appends the bytes that `text` stands for; false when it is no such text, with some bytes perhaps appended.
  static func decode(_ text: some Collection<UInt8>, into result: inout [UInt8]) -> Bool {
    guard text.count % 4 == 0 else { return false }
    var bits: UInt32 = 0
    var digits = 0
    var padding = 0
    for byte in text {
      if byte == UInt8(ascii: "=") {
        padding += 1
        bits <<= 6
      } else {
        let value = values[Int(byte)]
        guard value >= 0, padding == 0 else { return false }
        bits = bits << 6 | UInt32(value)
      }
      digits += 1
      if digits % 4 == 0 {
        guard padding <= 2 else { return false }
        for place in 0..<(3 - padding) { result.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - place * 8))) }
        bits = 0
      }
    }
    return true
  }

  /// The bytes that `text` stands for, or nil.
  static func decoded(_ text: String) -> [UInt8]? {
    var result: [UInt8] = []
    return decode(Array(text.utf8), into: &result) ? result : nil
  }
}
