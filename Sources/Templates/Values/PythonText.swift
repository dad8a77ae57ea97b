extension Unicode.Scalar {
  /// What Python's `str.isspace` takes for white space.
  var isPythonSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// Where Python's `str.splitlines` cuts.
  var endsPythonLine: Bool {
    switch value {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  /// What Python's `repr` writes as it is.
  var isPythonPrintable: Bool {
    if value == 0x20 { return true }
    if value < 0x7F { return value > 0x20 }
    return switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
      false
    default: true
    }
  }
}

extension String {
  /// Whether both have the same bytes; Swift's `==` takes two spellings of "é" for one.
  func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }

  init(_ scalars: some Sequence<Unicode.Scalar>) {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    self.init(view)
  }

  /// Without white space, or the characters of `characters`, at the front and at the back.
  func pythonTrimmed(start: Bool = true, end: Bool = true, _ characters: String? = nil) -> String {
    let set = characters.map { Set($0.unicodeScalars) }
    func goes(_ scalar: Unicode.Scalar) -> Bool { set.map { $0.contains(scalar) } ?? scalar.isPythonSpace }
    let scalars = unicodeScalars
    var (first, last) = (scalars.startIndex, scalars.endIndex)
    if start { while first < last, goes(scalars[first]) { first = scalars.index(after: first) } }
    if end {
      while first < last {
        let before = scalars.index(before: last)
        if !goes(scalars[before]) { break }
        last = before
      }
    }
    return String(scalars[first..<last])
  }

  /// The places, as scalars, at which `part` stands, one behind the other, at most `limit`.
  private func offsets(of part: [UInt8], in bytes: [UInt8], limit: Int) -> [Int] {
    var found: [Int] = []
    var at = 0
    while found.count < limit, at + part.count <= bytes.count {
      if bytes[at] == part[0], bytes[at..<at + part.count].elementsEqual(part) {
        found.append(at)
        at += part.count
      } else {
        at += 1
      }
    }
    return found
  }

  /// With every `old`, at most `limit` of them, replaced; an empty one stands between all characters, as in Python.
  func pythonReplacing(_ old: String, with new: String, limit: Int = .max) -> String {
    if old.isEmpty {
      var result = ""
      var left = limit
      for scalar in unicodeScalars {
        if left > 0 {
          result += new
          left -= 1
        }
        result.unicodeScalars.append(scalar)
      }
      return left > 0 ? result + new : result
    }
    let (bytes, part) = (Array(utf8), Array(old.utf8))
    let places = offsets(of: part, in: bytes, limit: limit)
    if places.isEmpty { return self }
    var result: [UInt8] = []
    var from = 0
    for place in places {
      result += bytes[from..<place]
      result += new.utf8
      from = place + part.count
    }
    return String(decoding: result + bytes[from...], as: UTF8.self)
  }

  /// The parts between the places where `separator` stands, which is not empty; at most `limit` cuts.
  func pythonSplit(_ separator: String, limit: Int = .max) -> [String] {
    let (bytes, part) = (Array(utf8), Array(separator.utf8))
    var parts: [String] = []
    var from = 0
    for place in offsets(of: part, in: bytes, limit: limit) {
      parts.append(String(decoding: bytes[from..<place], as: UTF8.self))
      from = place + part.count
    }
    return parts + [String(decoding: bytes[from...], as: UTF8.self)]
  }

  /// The same from the back.
  func pythonSplitFromEnd(_ separator: String, limit: Int) -> [String] {
    let flipped = String(unicodeScalars.reversed()).pythonSplit(
      String(separator.unicodeScalars.reversed()), limit: limit)
    return flipped.reversed().map { String($0.unicodeScalars.reversed()) }
  }

  /// The words between white space; at most `limit` cuts, from the front or the back.
  func pythonWords(limit: Int = .max, fromEnd: Bool = false) -> [String] {
    if fromEnd {
      return String(unicodeScalars.reversed()).pythonWords(limit: limit).reversed()
        .map { String($0.unicodeScalars.reversed()) }
    }
    var words: [String] = []
    var rest = unicodeScalars[...]
    while true {
      rest = rest.drop { $0.isPythonSpace }
      if rest.isEmpty { return words }
      if words.count >= limit { return words + [String(rest)] }
      let word = rest.prefix { !$0.isPythonSpace }
      words.append(String(word))
      rest = rest[word.endIndex...]
    }
  }

  /// The lines, without what ends them, or with it.
  func pythonLines(keepsEnds: Bool = false) -> [String] {
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var scalars = unicodeScalars.makeIterator()
    var held = scalars.next()
    while let scalar = held {
      held = scalars.next()
      guard scalar.endsPythonLine else {
        line.append(scalar)
        continue
      }
      if keepsEnds { line.append(scalar) }
      if scalar == "\r", held == "\n" {
        if keepsEnds { line.append("\n") }
        held = scalars.next()
      }
      lines.append(String(line))
      line = .init()
    }
    return line.isEmpty ? lines : lines + [String(line)]
  }

  /// Python's `str.lower`, with the sigma that ends a word.
  var pythonLowercased: String {
    guard unicodeScalars.contains("Σ") else { return lowercased() }
    let scalars = Array(unicodeScalars)
    var result = ""
    for (place, scalar) in scalars.enumerated() {
      guard scalar == "Σ" else {
        result += scalar.properties.lowercaseMapping
        continue
      }
      let before = scalars[..<place].last { !$0.properties.isCaseIgnorable }
      let after = scalars[(place + 1)...].first { !$0.properties.isCaseIgnorable }
      result += before?.properties.isCased == true && after?.properties.isCased != true ? "ς" : "σ"
    }
    return result
  }

  /// Python's `str.title`: a letter behind what is no letter is a capital.
  var pythonTitled: String {
    var result = ""
    var wasCased = false
    for scalar in unicodeScalars {
      let properties = scalar.properties
      result += wasCased ? properties.lowercaseMapping : properties.titlecaseMapping
      wasCased = properties.isCased
    }
    return result
  }

  /// Python's `str.capitalize`.
  var pythonCapitalized: String {
    guard let first = unicodeScalars.first else { return "" }
    return first.properties.titlecaseMapping + String(unicodeScalars.dropFirst()).pythonLowercased
  }

  /// Escaped for HTML, as MarkupSafe escapes.
  var htmlEscaped: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "'": result += "&#39;"
      case "\"": result += "&#34;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Python's `repr` of the string.
  var pythonRepr: String {
    let quote: Unicode.Scalar = unicodeScalars.contains("'") && !unicodeScalars.contains("\"") ? "\"" : "'"
    var result = String(Character(quote))
    for scalar in unicodeScalars {
      switch scalar {
      case quote, "\\": result += "\\" + String(Character(scalar))
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.isPythonPrintable: result.unicodeScalars.append(scalar)
      default:
        let digits = String(scalar.value, radix: 16)
        let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        result += "\\" + mark + String(repeating: "0", count: width - digits.count) + digits
      }
    }
    return result + String(Character(quote))
  }
}

extension Double {
  /// Python's `repr` of the number: the shortest digits that say it, with an exponent below 1e-4 and from 1e16.
  var pythonRepr: String {
    if isNaN { return "nan" }
    if isInfinite { return self < 0 ? "-inf" : "inf" }
    let size = magnitude
    if size == 0 || size >= 1e-4 && size < 1e16 {
      let text = "\(self)"
      if !text.contains("e") { return text }
    }
    // Swift and Python choose the same digits; only where the exponent begins differs.
    var text = "\(self)"
    if !text.contains("e") {
      let sign = text.hasPrefix("-") ? "-" : ""
      var digits = text.filter { $0.isNumber }
      if text.hasSuffix(".0") { digits.removeLast() }
      let exponent = digits.count - 1
      while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
      let first = digits.removeFirst()
      text = sign + String(first) + (digits.isEmpty ? "" : "." + digits) + "e+\(exponent)"
    }
    guard let mark = text.firstIndex(of: "e") else { return text }
    var mantissa = String(text[..<mark])
    if mantissa.hasSuffix(".0") { mantissa.removeLast(2) }
    let exponent = Int(text[text.index(after: mark)...]) ?? 0
    let digits = "\(exponent.magnitude)"
    return mantissa + "e" + (exponent < 0 ? "-" : "+") + (digits.count < 2 ? "0" + digits : digits)
  }
}
