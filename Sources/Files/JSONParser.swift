/// Reads one JSON document (RFC 8259), strictly: no trailing commas, comments, NaN, duplicate keys or bytes after the
/// end.
public struct JSONParser {
  /// The words that Python's json module writes for numbers that JSON cannot say.
  public static let literals: [(word: String, value: Double)] = [
    ("Infinity", .infinity), ("-Infinity", -.infinity), ("NaN", .nan),
  ]

  private let bytes: UnsafeRawBufferPointer
  /// Whether those words are read, as in files that Python wrote.
  private let readsLiterals: Bool
  private let name: String
  private var at = 0
  private var depth = 0

  /// Deeper nesting is refused: recursion must end before the stack does.
  private static let maximumDepth = 128

  init(_ bytes: UnsafeRawBufferPointer, name: String, literals: Bool = false) {
    self.bytes = bytes
    self.name = name
    readsLiterals = literals
  }

  mutating func document() throws(FileProblem) -> JSONValue {
    skipSpace()
    let value = try value()
    skipSpace()
    guard at == bytes.count else { throw problem("the JSON document has ended, and more follows") }
    return value
  }

  private mutating func value() throws(FileProblem) -> JSONValue {
    guard at < bytes.count else { throw problem("the file ends where a value is expected") }
    if readsLiterals, let literal = literal() { return .number(literal) }
    switch bytes[at] {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw problem("expected a value, found \(found())")
    }
  }

  private mutating func literal() -> Double? {
    guard bytes[at] == 0x49 || bytes[at] == 0x4E || bytes[at] == 0x2D else { return nil }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
    guard let found = Self.literals.first(where: { rest.starts(with: $0.word.utf8) }) else { return nil }
    at += found.word.utf8.count
    return found.value
  }

  private mutating func object() throws(FileProblem) -> JSONValue {
    try descend()
    var object = JSONObject()
    skipSpace()
    if take("}") {
      depth -= 1
      return .object(object)
    }
    while true {
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
        throw problem("expected a key in quotes, found \(found())")
      }
      let place = at
      let key = try string()
      skipSpace()
      guard take(":") else { throw problem("expected ':' after the key, found \(found())") }
      skipSpace()
      let value = try value()
      guard object.insert(value, for: key) else {
        throw FileProblem(path: name, offset: place, sentence: "the key \(quoted(key)) appears twice in one object")
      }
      skipSpace()
      if take("}") { break }
      guard take(",") else { throw problem("expected ',' or '}', found \(found())") }
      skipSpace()
    }
    depth -= 1
    return .object(object)
  }

  private mutating func array() throws(FileProblem) -> JSONValue {
    try descend()
    var items: [JSONValue] = []
    skipSpace()
    if take("]") {
      depth -= 1
      return .array(items)
    }
    while true {
      items.append(try value())
      skipSpace()
      if take("]") { break }
      guard take(",") else { throw problem("expected ',' or ']', found \(found())") }
      skipSpace()
    }
    depth -= 1
    return .array(items)
  }

  private mutating func descend() throws(FileProblem) {
    depth += 1
    guard depth <= Self.maximumDepth else {
      throw problem("nested more than \(Self.maximumDepth) levels deep")
    }
    at += 1
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(FileProblem) -> JSONValue {
    let count = word.utf8CodeUnitCount
    guard at + count <= bytes.count, (0..<count).allSatisfy({ bytes[at + $0] == word.utf8Start[$0] }) else {
      throw problem("expected '\(word)', found \(found())")
    }
    at += count
    return value
  }

  private mutating func string() throws(FileProblem) -> String {
    let start = at + 1
    var end = start
    var ascii = true
    while end < bytes.count {
      let byte = bytes[end]
      if byte == UInt8(ascii: "\"") {
        let text = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        at = end + 1
        if !ascii { try checkUTF8(text, from: start) }
        return String(decoding: text, as: UTF8.self)
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      guard byte >= 0x20 else {
        throw FileProblem(path: name, offset: end, sentence: "a control character stands unescaped in a string")
      }
      if byte >= 0x80 { ascii = false }
      end += 1
    }
    throw problem("the string is not closed")
  }

  private mutating func escapedString(from start: Int) throws(FileProblem) -> String {
    var text: [UInt8] = []
    var next = start
    var plainFrom = start
    while next < bytes.count {
      let byte = bytes[next]
      if byte == UInt8(ascii: "\"") {
        text.append(contentsOf: bytes[plainFrom..<next])
        try checkUTF8(UnsafeRawBufferPointer(rebasing: bytes[plainFrom..<next]), from: plainFrom)
        at = next + 1
        return String(decoding: text, as: UTF8.self)
      }
      guard byte >= 0x20 else {
        throw FileProblem(path: name, offset: next, sentence: "a control character stands unescaped in a string")
      }
      guard byte == UInt8(ascii: "\\") else {
        next += 1
        continue
      }
      text.append(contentsOf: bytes[plainFrom..<next])
      try checkUTF8(UnsafeRawBufferPointer(rebasing: bytes[plainFrom..<next]), from: plainFrom)
      next = try escape(at: next, into: &text)
      plainFrom = next
    }
    throw problem("the string is not closed")
  }

  /// Decodes the escape at `place` (its backslash) and returns the place after it.
  private func escape(at place: Int, into text: inout [UInt8]) throws(FileProblem) -> Int {
    guard place + 1 < bytes.count else { throw problem("the string is not closed") }
    switch bytes[place + 1] {
    case UInt8(ascii: "\""): text.append(0x22)
    case UInt8(ascii: "\\"): text.append(0x5C)
    case UInt8(ascii: "/"): text.append(0x2F)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var value = try codeUnit(at: place + 2)
      var end = place + 6
      if 0xD800...0xDBFF ~= value, end + 1 < bytes.count, bytes[end] == 0x5C, bytes[end + 1] == UInt8(ascii: "u") {
        let low = try codeUnit(at: end + 2)
        if 0xDC00...0xDFFF ~= low {
          value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
          end += 6
        }
      }
      guard let scalar = Unicode.Scalar(value) else {
        throw FileProblem(path: name, offset: place, sentence: "half of a surrogate pair stands alone")
      }
      text.append(contentsOf: UTF8.encode(scalar)!)
      return end
    default:
      throw FileProblem(path: name, offset: place, sentence: "an unknown escape in a string")
    }
    return place + 2
  }

  private func codeUnit(at place: Int) throws(FileProblem) -> UInt32 {
    var value: UInt32 = 0
    for next in place..<place + 4 {
      guard next < bytes.count, let digit = hexadecimalDigit(bytes[next]) else {
        throw FileProblem(path: name, offset: place, sentence: "'\\u' needs four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private func checkUTF8(_ text: UnsafeRawBufferPointer, from start: Int) throws(FileProblem) {
    if let broken = firstInvalidUTF8(in: text) {
      throw FileProblem(path: name, offset: start + broken, sentence: "a string is not valid UTF-8")
    }
  }

  private mutating func number() throws(FileProblem) -> JSONValue {
    let start = at
    var end = at
    func isDigit(_ place: Int) -> Bool { place < bytes.count && bytes[place] &- 0x30 < 10 }
    if bytes[end] == UInt8(ascii: "-") { end += 1 }
    guard isDigit(end) else { throw problem("expected a digit after '-'") }
    let leadingZero = bytes[end] == 0x30
    let firstDigit = end
    while isDigit(end) { end += 1 }
    if leadingZero, end > firstDigit + 1 { throw problem("a number begins with a needless 0") }
    var whole = true
    if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
      whole = false
      end += 1
      guard isDigit(end) else { throw problem("expected a digit after the point of a number") }
      while isDigit(end) { end += 1 }
    }
    if end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "e") {
      whole = false
      end += 1
      if end < bytes.count, bytes[end] == UInt8(ascii: "+") || bytes[end] == UInt8(ascii: "-") { end += 1 }
      guard isDigit(end) else { throw problem("expected a digit in the exponent of a number") }
      while isDigit(end) { end += 1 }
    }
    at = end
    // "-0" is the number -0.0: an integer would lose its sign.
    if whole, let value = integer(start..<end), value != 0 || bytes[start] != UInt8(ascii: "-") {
      return .integer(value)
    }
    let text = String(decoding: bytes[start..<end], as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw FileProblem(path: name, offset: start, sentence: "the number is too large for 64 bits")
    }
    return .number(value)
  }

  private func integer(_ range: Range<Int>) -> Int? {
    let negative = bytes[range.lowerBound] == UInt8(ascii: "-")
    var value = 0
    for place in range.dropFirst(negative ? 1 : 0) {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      // Downwards, for the smallest integer has no positive twin.
      let (sum, overflow2) = tens.subtractingReportingOverflow(Int(bytes[place] - 0x30))
      if overflow || overflow2 { return nil }
      value = sum
    }
    if negative { return value }
    return value == .min ? nil : -value
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x0A, 0x0D, 0x09: at += 1
      default: return
      }
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private func found() -> String {
    guard at < bytes.count else { return "the end of the file" }
    let byte = bytes[at]
    return 0x21...0x7E ~= byte ? "'\(Character(Unicode.Scalar(byte)))'" : "the byte 0x" + String(byte, radix: 16)
  }

  /// The key, cut where it is long: a message is one line.
  private func quoted(_ key: String) -> String {
    key.count <= 60 ? "'\(key)'" : "'\(key.prefix(60))…'"
  }

  private func problem(_ sentence: String) -> FileProblem {
    FileProblem(path: name, offset: at, sentence: sentence)
  }
}
