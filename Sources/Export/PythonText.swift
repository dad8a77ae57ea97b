/// Python as the formatters write it: lines of at most 88 columns, broken at brackets.
enum PythonText {
  static let columns = 88

  private static let keywords: Set<String> = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield", "None", "True", "False", "match", "type",
  ]

  /// Whether no variable can be called `word`: it is the language's own, or a number.
  static func isKeyword(_ word: String) -> Bool { keywords.contains(word) || word.first?.isNumber == true }

  /// Whether no attribute can be called `word`, which then is a key.
  static func isKey(_ word: String) -> Bool { isKeyword(word) && word != "match" && word != "type" }

  /// The attribute at `words`: `self.embed.tokens`, and `self.embed["class"]` for a word that none can be called.
  static func place(_ words: [String]) -> String {
    words.dropFirst().reduce(words.first ?? "") { isKey($1) ? "\($0)[\"\($1)\"]" : "\($0).\($1)" }
  }

  /// The statement `text` at an indentation of `indent` columns, on as many lines as it needs.
  static func wrapped(_ text: String, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    guard indent + text.count > columns, !text.hasPrefix("#") else { return [margin + text] }
    // A comment behind a statement that is too long stands before it.
    if !text.contains("\""), let mark = text.firstRange(of: "  # ") {
      return [margin + text[mark.lowerBound...].dropFirst(2)]
        + wrapped(String(text[..<mark.lowerBound]), indent: indent)
    }
    if let (head, value) = assigned(text), let operands = operands(of: value) {
      let isWhole = indent + 4 + value.count <= columns
      return [margin + head + "("] + (isWhole ? [value] : operands).map { margin + "    " + $0 } + [margin + ")"]
    }
    guard let (open, close) = brackets(text) else { return [margin + text] }
    let characters = Array(text)
    let head = String(characters[...open])
    let inner = String(characters[(open + 1)..<close])
    let tail = String(characters[close...])
    let parts = split(inner)
    // A comma behind the last argument keeps one on each line; without it they may stand on one.
    let isComprehension = parts.count == 1 && inner.contains(" for ")
    if indent + 4 + inner.count <= columns, parts.count == 1 || !inner.hasSuffix(",") {
      return [margin + head, margin + "    " + inner] + [margin + tail]
    }
    let lines = parts.flatMap { part in
      let comma = isComprehension || parts.count == 1 && !"{[".contains(head.last ?? "(") ? "" : ","
      var lines = wrapped(part + comma, indent: indent + 4)
      if lines.count > 1, comma == "," {
        let alone = wrapped(part, indent: indent + 4)
        // What the comma alone makes too long is broken with it.
        if alone.count > 1 { lines = alone.dropLast() + [alone[alone.count - 1] + ","] }
      }
      return lines
    }
    return [margin + head] + lines + [margin + tail]
  }

  /// What `text` gives or returns, and what stands before it.
  private static func assigned(_ text: String) -> (head: String, value: String)? {
    if text.hasPrefix("return ") { return ("return ", String(text.dropFirst(7))) }
    guard let sign = text.firstRange(of: " = "), !text[..<sign.lowerBound].contains("(") else { return nil }
    return (String(text[..<sign.upperBound]), String(text[sign.upperBound...]))
  }

  /// The operands of a sum, or of a product, each with the operator before it; nil where `text` is neither.
  private static func operands(of text: String) -> [String]? {
    for signs in [["+", "-"], ["*", "/", "//", "@"]] {
      var parts: [String] = []
      var depth = 0
      for word in text.split(separator: " ", omittingEmptySubsequences: false) {
        if depth == 0, signs.contains(String(word)), !parts.isEmpty {
          parts.append(String(word))
        } else if parts.isEmpty {
          parts.append(String(word))
        } else {
          parts[parts.count - 1] += " " + word
        }
        depth += word.count { "([{".contains($0) } - word.count { ")]}".contains($0) }
      }
      if parts.count > 1 { return parts }
    }
    return nil
  }

  /// The outermost bracket to break at: the last one of a statement that holds something.
  private static func brackets(_ text: String) -> (open: Int, close: Int)? {
    var stack: [Int] = []
    var outer: [(Int, Int)] = []
    var quote: Character?
    for (index, character) in text.enumerated() {
      if let open = quote {
        if character == open { quote = nil }
        continue
      }
      switch character {
      case "\"": quote = character
      case "(", "[", "{": stack.append(index)
      case ")", "]", "}":
        guard let open = stack.popLast() else { return nil }
        if stack.isEmpty { outer.append((open, index)) }
      default: break
      }
    }
    return outer.last { $0.1 - $0.0 > 1 }.map { ($0.0, $0.1) }
  }

  /// The parts of `text` between commas that stand in no bracket.
  private static func split(_ text: String) -> [String] {
    var parts: [String] = []
    var part = ""
    var depth = 0
    var quote: Character?
    for character in text {
      if let open = quote {
        part.append(character)
        if character == open { quote = nil }
        continue
      }
      switch character {
      case "\"": quote = character
      case "(", "[", "{": depth += 1
      case ")", "]", "}": depth -= 1
      case "," where depth == 0 && !(part.contains("lambda ") && !part.contains(":")):
        parts.append(part.trimmed)
        part = ""
        continue
      default: break
      }
      part.append(character)
    }
    if !part.trimmed.isEmpty { parts.append(part.trimmed) }
    return parts
  }

  /// `text` in lines of at most 88 columns at this indentation, broken at spaces.
  static func filled(_ text: String, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent + line.count + 1 + word.count > columns {
        lines.append(margin + line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    if !line.isEmpty { lines.append(margin + line) }
    return lines
  }
}

extension String {
  fileprivate var trimmed: String { String(trimming(self[...])) }

  private func trimming(_ text: Substring) -> Substring {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }
}
