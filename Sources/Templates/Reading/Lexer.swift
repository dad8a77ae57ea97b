/// Cuts a template into tokens and takes white space off as `trim_blocks`, `lstrip_blocks` and the marks `-` and `+` say.
///
/// Source: `jinja2/lexer.py`. A line feed behind a block's end goes; white space from the beginning of a line to a block's
/// beginning goes; `-` takes all white space, `+` keeps it. A last line feed of the template goes.
struct Lexer {
  let bytes: [UInt8]
  var place = 0
  var line = 1
  var found: [Token] = []
  /// Whether what came before the text ended with a line feed.
  private var startsLine = true

  init(_ source: String) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.utf8.count)
    var wasReturn = false
    for byte in source.utf8 {
      if byte == 0x0A, wasReturn {
        wasReturn = false
        continue
      }
      wasReturn = byte == 0x0D
      bytes.append(wasReturn ? 0x0A : byte)
    }
    if bytes.last == 0x0A { bytes.removeLast() }
    self.bytes = bytes
  }

  /// The tokens, with `.end` behind them.
  mutating func tokens() throws(TemplateFault) -> [Token] {
    while place < bytes.count {
      guard let begin = nextMark() else {
        append(text: place..<bytes.count, sign: nil, isVariable: true)
        place = bytes.count
        break
      }
      try tag(at: begin)
    }
    found.append(Token(kind: .end, line: line))
    return found
  }

  private func nextMark() -> Int? {
    var at = place
    while at + 1 < bytes.count {
      if bytes[at] == UInt8(ascii: "{"), "{%#".utf8.contains(bytes[at + 1]) { return at }
      at += 1
    }
    return nil
  }

  private mutating func tag(at begin: Int) throws(TemplateFault) {
    let kind = bytes[begin + 1]
    let sign = byte(begin + 2).flatMap { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") ? $0 : nil }
    append(text: place..<begin, sign: sign, isVariable: kind == UInt8(ascii: "{"))
    place = begin + (sign == nil ? 2 : 3)
    switch kind {
    case UInt8(ascii: "#"): try comment()
    case UInt8(ascii: "%"):
      if let end = wordTag("raw", from: place) {
        try raw(from: end)
        return
      }
      found.append(Token(kind: .blockBegin, line: line))
      try expression(endsBlock: true)
    default:
      found.append(Token(kind: .variableBegin, line: line))
      try expression(endsBlock: false)
    }
  }

  /// Adds the text before a tag.
  private mutating func append(text range: Range<Int>, sign: UInt8?, isVariable: Bool) {
    var end = range.upperBound
    if sign == UInt8(ascii: "-") {
      end = trimmedEnd(of: range)
    } else if sign == nil, !isVariable {
      let lineStart = (bytes[range].lastIndex(of: 0x0A)).map { $0 + 1 } ?? range.lowerBound
      if lineStart > range.lowerBound || startsLine, trimmedEnd(of: lineStart..<end) == lineStart { end = lineStart }
    }
    if end > range.lowerBound {
      found.append(Token(kind: .data(String(decoding: bytes[range.lowerBound..<end], as: UTF8.self)), line: line))
    }
    count(range)
  }

  private func trimmedEnd(of range: Range<Int>) -> Int {
    let kept = String(decoding: bytes[range], as: UTF8.self).pythonTrimmed(start: false)
    return range.lowerBound + kept.utf8.count
  }

  mutating func count(_ range: Range<Int>) { for at in range where bytes[at] == 0x0A { line += 1 } }

  func byte(_ at: Int) -> UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func comment() throws(TemplateFault) {
    let start = line
    var at = place
    while at + 1 < bytes.count, !(bytes[at] == UInt8(ascii: "#") && bytes[at + 1] == UInt8(ascii: "}")) { at += 1 }
    guard at + 1 < bytes.count else { throw TemplateFault("the comment is not closed", kind: .syntax, line: start) }
    let sign = at > place ? bytes[at - 1] : nil
    count(place..<at)
    place = at + 2
    close(sign: sign, trims: true)
  }

  /// Goes past what the end of a tag takes along: `sign` stands before it.
  mutating func close(sign: UInt8?, trims: Bool) {
    startsLine = false
    let start = place
    if sign == UInt8(ascii: "-") {
      skipSpace()
    } else if sign != UInt8(ascii: "+"), trims, byte(place) == 0x0A {
      place += 1
    }
    count(start..<place)
    startsLine = place > start && bytes[place - 1] == 0x0A
  }

  mutating func skipSpace() {
    while place < bytes.count {
      let length = bytes[place] < 0x80 ? 1 : bytes[place] < 0xE0 ? 2 : bytes[place] < 0xF0 ? 3 : 4
      let end = min(bytes.count, place + length)
      guard let scalar = String(decoding: bytes[place..<end], as: UTF8.self).unicodeScalars.first, scalar.isPythonSpace
      else { return }
      place = end
    }
  }

  /// The place behind `word %}` at `start`, with what its end takes along; nil when another word stands there.
  private func wordTag(_ word: String, from start: Int) -> (end: Int, sign: UInt8?)? {
    var at = start
    while let byte = byte(at), byte == 0x20 || 0x09...0x0D ~= byte { at += 1 }
    guard bytes[at...].starts(with: word.utf8) else { return nil }
    at += word.utf8.count
    while let byte = byte(at), byte == 0x20 || 0x09...0x0D ~= byte { at += 1 }
    var sign: UInt8?
    if let byte = byte(at), byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
      sign = byte
      at += 1
    }
    guard byte(at) == UInt8(ascii: "%"), byte(at + 1) == UInt8(ascii: "}") else { return nil }
    return (at + 2, sign)
  }

  private mutating func raw(from opened: (end: Int, sign: UInt8?)) throws(TemplateFault) {
    let start = line
    count(place..<opened.end)
    place = opened.end
    // The line feed behind `raw` stays, as in Jinja; only '-' takes it.
    close(sign: opened.sign, trims: false)
    var at = place
    while at + 1 < bytes.count {
      if bytes[at] == UInt8(ascii: "{"), bytes[at + 1] == UInt8(ascii: "%") {
        let sign = byte(at + 2).flatMap { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") ? $0 : nil }
        if let end = wordTag("endraw", from: at + (sign == nil ? 2 : 3)) {
          append(text: place..<at, sign: sign, isVariable: false)
          count(at..<end.end)
          place = end.end
          close(sign: end.sign, trims: true)
          return
        }
      }
      at += 1
    }
    throw TemplateFault("'raw' is not closed", kind: .syntax, line: start)
  }
}
