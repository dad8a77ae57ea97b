import Components

/// The bytes of one source, known to be UTF-8 without control characters, cut into lines.
///
/// What libyaml would report late or not at all is found here: a byte that is not UTF-8 (with its offset), a NUL, a tab
/// that indents.
struct SourceText {
  /// How large a source may be, in bytes.
  static let byteLimit = 1 << 20

  /// The bytes, without a byte order mark.
  let bytes: [UInt8]
  /// The lines, counted from 0, that a tab indents, with the tab's column, counted from 0.
  let tabIndentedLines: [(line: Int, column: Int)]

  /// Checks `bytes`, read from `source`.
  init(_ bytes: [UInt8], place: (_ line: Int, _ column: Int, _ length: Int) -> Place) throws(Problem) {
    guard bytes.count <= Self.byteLimit else {
      throw Problem(
        "the text has \(bytes.count) bytes, and a specification has at most \(Self.byteLimit)", at: place(0, 0, 1))
    }
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    self.bytes = hasMark ? Array(bytes.dropFirst(3)) : bytes
    let skipped = hasMark ? 3 : 0
    var tabs: [(line: Int, column: Int)] = []
    var line = 0
    var column = 0
    var indents = true
    var firstTab: Int?
    var index = 0
    while index < self.bytes.count {
      let byte = self.bytes[index]
      // What most of a text is, and begins nothing.
      if byte > 0x20, byte < 0x7F, !indents {
        index += 1
        column += 1
        continue
      }
      guard let (length, scalar) = Self.character(in: self.bytes, at: index) else {
        throw Problem(
          "the byte 0x\(hex(byte)) at offset \(index + skipped) is not UTF-8", at: place(line, column, 1),
          hint: "save the file as UTF-8")
      }
      if scalar == 0 {
        throw Problem(
          "there is a NUL byte at offset \(index + skipped); this is not a text file", at: place(line, column, 1))
      }
      if Self.isRefused(scalar) {
        throw Problem(
          "there is a control character (U+\(hex(scalar))) at offset \(index + skipped)", at: place(line, column, 1),
          hint: "write it as an escape in double quotes")
      }
      index += length
      if scalar == 0x0A || scalar == 0x0D && (index >= self.bytes.count || self.bytes[index] != 0x0A) {
        (line, column, indents, firstTab) = (line + 1, 0, true, nil)
        continue
      }
      if indents, scalar == 0x09 {
        firstTab = firstTab ?? column
      } else if indents, scalar != 0x20, scalar != 0x0D {
        indents = false
        if let firstTab, scalar != UInt32(UInt8(ascii: "#")) { tabs.append((line, firstTab)) }
      }
      column += 1
    }
    tabIndentedLines = tabs
  }

  /// The length in bytes and the value of the character at `index`; nil where the bytes are not UTF-8.
  private static func character(in bytes: [UInt8], at index: Int) -> (length: Int, scalar: UInt32)? {
    let first = bytes[index]
    if first < 0x80 { return (1, UInt32(first)) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    guard first >= 0xC2, first <= 0xF4, index + length <= bytes.count else { return nil }
    var scalar = UInt32(first) & (0x7F >> UInt32(length))
    for offset in 1..<length {
      let next = bytes[index + offset]
      guard next & 0xC0 == 0x80 else { return nil }
      scalar = scalar << 6 | UInt32(next & 0x3F)
    }
    // Longer than needed, a surrogate, or past the last character.
    let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
    return scalar >= least && Unicode.Scalar(scalar) != nil ? (length, scalar) : nil
  }

  /// Whether YAML 1.2 (§5.1) leaves the character out of what may be printed.
  private static func isRefused(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09, 0x0A, 0x0D, 0x85: false
    case 0..<0x20, 0x7F..<0xA0, 0xFEFF, 0xFFFE, 0xFFFF: true
    default: false
    }
  }
}

/// `value` in two or more hexadecimal digits.
func hex(_ value: some BinaryInteger) -> String {
  let digits = String(value, radix: 16, uppercase: true)
  return digits.count < 2 ? "0" + digits : digits
}
