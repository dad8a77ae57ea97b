/// Reads a regular expression as JSON Schema has them (ECMA-262), but for what is not regular or looks around.
///
/// A careful reader's mistake: a pattern is searched for anywhere in a string; only `^` and `$` bind it to the ends.
struct PatternReader {
  struct Problem: Error {
    let sentence: String
  }

  /// A part of a pattern: an expression, or an end of the text.
  private indirect enum Part {
    case expression(Expression)
    case start
    case end
    case sequence([Part])
    case choice([Part])
  }

  let text: [Unicode.Scalar]
  var at = 0
  private var depth = 0
  private static let depthLimit = 60

  private init(_ text: String) { self.text = Array(text.unicodeScalars) }

  /// What strings `pattern` is found in.
  static func expression(_ pattern: String) throws(Problem) -> Expression {
    guard pattern.utf8.count <= 100_000 else { throw Problem(sentence: "the pattern has more than 100000 bytes") }
    var reader = PatternReader(pattern)
    let part = try reader.alternatives()
    guard reader.at == reader.text.count else { throw Problem(sentence: "there is a ')' too many") }
    let any = Expression.repeated(.scalars(.all), minimum: 0, maximum: nil)
    var choices: [Expression] = []
    for alternative in try ends(of: part) {
      var parts = [alternative.expression]
      if !alternative.isStart { parts.insert(any, at: 0) }
      if !alternative.isEnd { parts.append(any) }
      choices.append(parts.count == 1 ? parts[0] : .sequence(parts))
    }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  /// The alternatives of `part`, and whether each is bound to the start and to the end of the text.
  private static func ends(of part: Part) throws(Problem) -> [(isStart: Bool, expression: Expression, isEnd: Bool)] {
    switch part {
    case .expression(let expression): return [(false, expression, false)]
    case .start: return [(true, .empty, false)]
    case .end: return [(false, .empty, true)]
    case .choice(let parts):
      var result: [(isStart: Bool, expression: Expression, isEnd: Bool)] = []
      for part in parts { result += try ends(of: part) }
      return result
    case .sequence(let parts):
      guard parts.contains(where: binds) else { return [(false, .sequence(try parts.map(plain)), false)] }
      // Of the first and the last part each alternative may be bound; between them nothing is.
      let edges = (parts.firstIndex { !isStart($0) } ?? parts.count, parts.lastIndex { !isEnd($0) } ?? -1)
      let (startsBound, endsBound) = (edges.0 > 0, edges.1 < parts.count - 1)
      guard edges.0 <= edges.1 else { return [(startsBound, .empty, endsBound)] }
      let inner = parts[edges.0...edges.1]
      if !inner.contains(where: binds) { return [(startsBound, .sequence(try inner.map(plain)), endsBound)] }
      if inner.count == 1 {
        return try ends(of: inner[inner.startIndex]).map {
          ($0.isStart || startsBound, $0.expression, $0.isEnd || endsBound)
        }
      }
      let middle = try inner.dropFirst().dropLast().map(plain)
      var result: [(isStart: Bool, expression: Expression, isEnd: Bool)] = []
      for first in try ends(of: inner[edges.0]) {
        for last in try ends(of: inner[edges.1]) {
          guard !first.isEnd, !last.isStart else { throw misplaced }
          result.append(
            (
              first.isStart || startsBound, .sequence([first.expression] + middle + [last.expression]),
              last.isEnd || endsBound
            ))
          guard result.count <= 256 else { throw misplaced }
        }
      }
      return result
    }
  }

  private static let misplaced = Problem(
    sentence: "'^' and '$' are supported at the ends of a pattern and of its alternatives only")

  private static func isStart(_ part: Part) -> Bool { if case .start = part { true } else { false } }
  private static func isEnd(_ part: Part) -> Bool { if case .end = part { true } else { false } }

  private static func binds(_ part: Part) -> Bool {
    switch part {
    case .expression: false
    case .start, .end: true
    case .sequence(let parts), .choice(let parts): parts.contains(where: binds)
    }
  }

  /// The expression of a part in which nothing is bound to an end.
  private static func plain(_ part: Part) throws(Problem) -> Expression {
    switch part {
    case .expression(let expression): return expression
    case .start, .end: throw misplaced
    case .sequence(let parts): return .sequence(try parts.map(plain))
    case .choice(let parts): return .choice(try parts.map(plain))
    }
  }

  private mutating func alternatives() throws(Problem) -> Part {
    var parts = [try sequence()]
    while take("|") { parts.append(try sequence()) }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func sequence() throws(Problem) -> Part {
    var parts: [Part] = []
    while at < text.count, text[at] != "|", text[at] != ")" {
      let scalar = text[at]
      switch scalar {
      case "^":
        at += 1
        parts.append(.start)
        continue
      case "$":
        at += 1
        parts.append(.end)
        continue
      default: break
      }
      let item = try item()
      parts.append(try repeated(item))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func item() throws(Problem) -> Part {
    let scalar = text[at]
    at += 1
    switch scalar {
    case ".": return .expression(.scalars(ScalarSet([0x0A, 0x0D, 0x2028, 0x2029]).complement))
    case "[": return .expression(.scalars(try characterClass()))
    case "(": return try group()
    case "\\": return .expression(.scalars(try escape(inClass: false)))
    case "*", "+", "?": throw Problem(sentence: "'\(scalar)' repeats what stands before it, and nothing does")
    default: return .expression(.scalars(ScalarSet([scalar.value])))
    }
  }

  private mutating func group() throws(Problem) -> Part {
    depth += 1
    guard depth <= Self.depthLimit else { throw Problem(sentence: "groups are more than \(Self.depthLimit) deep") }
    if take("?") {
      if take("=") || take("!") || take("<=") || take("<!") {
        throw Problem(sentence: "looking ahead or behind, as (?=…) does, is not supported")
      }
      if take("<") || take("P<") {
        while at < text.count, text[at] != ">" { at += 1 }
        guard take(">") else { throw Problem(sentence: "the name of a group does not end") }
      } else if !take(":") {
        throw Problem(sentence: "groups are written (…), (?:…) or (?<name>…)")
      }
    }
    let inner = try alternatives()
    guard take(")") else { throw Problem(sentence: "a group does not end") }
    depth -= 1
    return inner
  }

  private mutating func repeated(_ item: Part) throws(Problem) -> Part {
    guard at < text.count else { return item }
    var bounds: (Int, Int?)
    switch text[at] {
    case "*": bounds = (0, nil)
    case "+": bounds = (1, nil)
    case "?": bounds = (0, 1)
    case "{":
      // A brace that begins no count is a character.
      guard let braces = braces() else { return item }
      guard let minimum = braces.minimum else { throw Problem(sentence: "at most 1000000000 repetitions are counted") }
      bounds = (minimum, braces.maximum)
      at = braces.end - 1
      if let maximum = bounds.1, maximum < minimum { throw Problem(sentence: "a count has its larger number first") }
    default: return item
    }
    at += 1
    // Reluctant or not, the same strings are found.
    _ = take("?")
    if at < text.count, "*+".unicodeScalars.contains(text[at]) {
      throw Problem(sentence: "'\(text[at])' stands behind another repetition")
    }
    return .expression(.repeated(try Self.plain(item), minimum: bounds.0, maximum: bounds.1))
  }

  /// A count in braces at this place: nil when it is none, no minimum when it is too large.
  private func braces() -> (minimum: Int?, maximum: Int?, end: Int)? {
    var place = at + 1
    func digits() -> String {
      var digits = ""
      while place < text.count, text[place].isDigit {
        digits.unicodeScalars.append(text[place])
        place += 1
      }
      return digits
    }
    let first = digits()
    var second = first
    var isOpen = false
    if place < text.count, text[place] == "," {
      place += 1
      second = digits()
      isOpen = second.isEmpty
    }
    guard !first.isEmpty, place < text.count, text[place] == "}" else { return nil }
    guard let minimum = Int(first), minimum <= 1_000_000_000 else { return (nil, nil, place + 1) }
    if isOpen { return (minimum, nil, place + 1) }
    guard let maximum = Int(second), maximum <= 1_000_000_000 else { return (nil, nil, place + 1) }
    return (minimum, maximum, place + 1)
  }

  mutating func take(_ word: String) -> Bool {
    guard text[min(at, text.count)...].starts(with: word.unicodeScalars) else { return false }
    at += word.unicodeScalars.count
    return true
  }
}
