extension Lexer {
  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";",
  ].map { ($0, Array($0.utf8)) }

  /// Reads words until the tag's end. Braces, brackets and parentheses are balanced: `}}` inside braces is no end.
  mutating func expression(endsBlock: Bool) throws(TemplateFault) {
    let start = line
    var open: [UInt8] = []
    while place < bytes.count {
      if open.isEmpty, let sign = tagEnd(endsBlock) {
        found.append(Token(kind: endsBlock ? .blockEnd : .variableEnd, line: line))
        close(sign: sign, trims: endsBlock)
        return
      }
      let before = place
      skipSpace()
      if place > before {
        count(before..<place)
        continue
      }
      let byte = bytes[place]
      if isDigit(byte) {
        try number()
      } else if isNamePart(byte) {
        while place < bytes.count, isNamePart(bytes[place]) { place += 1 }
        found.append(Token(kind: .name(String(decoding: bytes[before..<place], as: UTF8.self)), line: line))
      } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        try string(quote: byte)
      } else {
        try symbol(&open)
      }
    }
    throw TemplateFault(
      "'\(endsBlock ? "{%" : "{{")' is not closed by '\(endsBlock ? "%}" : "}}")'", kind: .syntax, line: start)
  }

  /// The sign before the end of the tag, or 0, when the tag ends here; the place is then behind it.
  private mutating func tagEnd(_ isBlock: Bool) -> UInt8? {
    let first = isBlock ? UInt8(ascii: "%") : UInt8(ascii: "}")
    if bytes[place] == first, byte(place + 1) == UInt8(ascii: "}") {
      place += 2
      return 0
    }
    let sign = bytes[place]
    guard sign == UInt8(ascii: "-") || isBlock && sign == UInt8(ascii: "+"), byte(place + 1) == first,
      byte(place + 2) == UInt8(ascii: "}")
    else { return nil }
    place += 3
    return sign
  }

  private func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

  private func isNamePart(_ byte: UInt8) -> Bool {
    0x61...0x7A ~= byte | 0x20 || byte == 0x5F || isDigit(byte)
      || byte >= 0x80
  }

  private mutating func symbol(_ open: inout [UInt8]) throws(TemplateFault) {
    guard
      let (text, length) = Self.symbols.first(where: { bytes[place...].starts(with: $0.1) }).map({ ($0.0, $0.1.count) })
    else {
      let text = String(decoding: bytes[place..<min(bytes.count, place + 4)], as: UTF8.self)
      throw TemplateFault("'\(text.prefix(1))' is no part of an expression", kind: .syntax, line: line)
    }
    let byte = bytes[place]
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["): open.append(byte + 2)
    case UInt8(ascii: "("): open.append(byte + 1)
    case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"):
      guard open.popLast() == byte else { throw TemplateFault("'\(text)' closes nothing", kind: .syntax, line: line) }
    default: break
    }
    found.append(Token(kind: .symbol(text), line: line))
    place += length
  }

  /// An integer or a float; digits may be grouped by `_`.
  private mutating func number() throws(TemplateFault) {
    let start = place
    if bytes[place] == 0x30, let mark = byte(place + 1), let radix = [0x78: 16, 0x6F: 8, 0x62: 2][mark | 0x20] {
      place += 2
      let digits = digitRun { Int(String(UnicodeScalar($0)), radix: radix) != nil }
      guard let value = Int(digits, radix: radix) else { throw tooLarge() }
      found.append(Token(kind: .integer(value), line: line))
      return
    }
    var text = digitRun(isDigit)
    var isFloat = false
    // Behind a point stands an index, as in `items.0.1`.
    if start == 0 || bytes[start - 1] != UInt8(ascii: ".") {
      if byte(place) == UInt8(ascii: "."), let next = byte(place + 1), isDigit(next) {
        place += 1
        text += "." + digitRun(isDigit)
        isFloat = true
      }
      if let mark = byte(place), mark | 0x20 == 0x65 {
        let sign = byte(place + 1).flatMap { $0 == 0x2B || $0 == 0x2D ? $0 : nil }
        let first = place + (sign == nil ? 1 : 2)
        if let digit = byte(first), isDigit(digit) {
          place = first
          text += "e" + (sign == 0x2D ? "-" : "") + digitRun(isDigit)
          isFloat = true
        }
      }
    }
    if isFloat {
      found.append(Token(kind: .float(Double(text) ?? .infinity), line: line))
    } else {
      guard let value = Int(text) else { throw tooLarge() }
      found.append(Token(kind: .integer(value), line: line))
    }
  }

  private func tooLarge() -> TemplateFault {
    TemplateFault("an integer is too large for 64 bits", kind: .syntax, line: line)
  }

  private mutating func digitRun(_ isDigit: (UInt8) -> Bool) -> String {
    var digits = ""
    while let byte = byte(place) {
      if byte == 0x5F, let next = self.byte(place + 1), isDigit(next) {
        place += 1
        continue
      }
      guard isDigit(byte) else { break }
      digits.unicodeScalars.append(UnicodeScalar(byte))
      place += 1
    }
    return digits
  }

  /// A string with Python's escapes; an unknown escape stays as it is.
  private mutating func string(quote: UInt8) throws(TemplateFault) {
    let (start, first) = (line, place)
    place += 1
    var text: [UInt8] = []
    while let byte = byte(place) {
      if byte == quote {
        place += 1
        count(first..<place)
        found.append(Token(kind: .string(String(decoding: text, as: UTF8.self)), line: start))
        return
      }
      if byte == UInt8(ascii: "\\") {
        try escape(into: &text)
      } else {
        text.append(byte)
        place += 1
      }
    }
    throw TemplateFault("the string is not closed", kind: .syntax, line: start)
  }

  private mutating func escape(into text: inout [UInt8]) throws(TemplateFault) {
    guard let mark = byte(place + 1) else {
      place += 1
      return
    }
    place += 2
    let plain: [UInt8: UInt8] = [
      0x6E: 0x0A, 0x74: 0x09, 0x72: 0x0D, 0x62: 0x08, 0x66: 0x0C, 0x76: 0x0B, 0x61: 0x07, 0x5C: 0x5C, 0x27: 0x27,
      0x22: 0x22,
    ]
    if let byte = plain[mark] {
      text.append(byte)
      return
    }
    switch mark {
    case 0x0A: return
    case UInt8(ascii: "x"): try code(digits: 2, radix: 16, into: &text)
    case UInt8(ascii: "u"): try code(digits: 4, radix: 16, into: &text)
    case UInt8(ascii: "U"): try code(digits: 8, radix: 16, into: &text)
    case UInt8(ascii: "N"):
      throw TemplateFault("characters by name, '\\N{…}', are not read", kind: .syntax, line: line)
    case 0x30...0x37:
      place -= 1
      var value: UInt32 = 0
      var length = 0
      while length < 3, let digit = byte(place), 0x30...0x37 ~= digit {
        value = value * 8 + UInt32(digit - 0x30)
        place += 1
        length += 1
      }
      text += Array(String(Character(UnicodeScalar(value) ?? "\u{FFFD}")).utf8)
    default: text += [UInt8(ascii: "\\"), mark]
    }
  }

  private mutating func code(digits: Int, radix: Int, into text: inout [UInt8]) throws(TemplateFault) {
    let end = min(bytes.count, place + digits)
    guard end == place + digits, let value = UInt32(String(decoding: bytes[place..<end], as: UTF8.self), radix: radix),
      let scalar = UnicodeScalar(value)
    else { throw TemplateFault("an escape of a string is no character", kind: .syntax, line: line) }
    place = end
    text += Array(String(Character(scalar)).utf8)
  }
}
