/// Reads the text of a splitting pattern into alternatives that hand-written code matches in linear time.
///
/// This is no regular expression engine: a pattern whose alternatives have other shapes than `PatternAlternative`'s is
/// refused with the alternative's text. The patterns in use are in `tokenizer.json` files, in openai/tiktoken
/// (`tiktoken_ext/openai_public.py`) and in ggml-org/llama.cpp (`src/llama-vocab.cpp`).
struct PatternReader {
  /// Why a pattern is refused: the alternative that no splitter follows.
  struct Refusal: Error {
    let alternative: String
  }

  /// A set with the number of times it is taken, or a group of sequences.
  enum Item {
    case set(ScalarSet, ClosedRange<Int>, isPossessive: Bool)
    case group([[Item]], isOptional: Bool)
    case condition(PatternAlternative.Condition)
  }

  private let scalars: [Unicode.Scalar]
  private var at = 0

  private init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

  /// The alternatives of `pattern` in order: the first that fits wins.
  static func alternatives(of pattern: String) throws(Refusal) -> [PatternAlternative] {
    var reader = PatternReader(pattern)
    var result: [PatternAlternative] = []
    repeat {
      let start = reader.at
      // A mistake in the middle of an alternative is reported with the rest of the pattern.
      guard let sequence = reader.sequence(ignoresCase: false, depth: 0), let found = classified(sequence) else {
        throw Refusal(alternative: reader.alternativeText(from: start))
      }
      result += found
    } while reader.take("|")
    guard reader.at == reader.scalars.count, !result.isEmpty, result.count <= 32 else {
      throw Refusal(alternative: pattern)
    }
    return result
  }

  private func alternativeText(from start: Int) -> String {
    var end = start
    var depth = 0
    while end < scalars.count, depth > 0 || scalars[end] != "|" {
      if scalars[end] == "\\" {
        end += 1
      } else if scalars[end] == "[" || scalars[end] == "(" {
        depth += 1
      } else if scalars[end] == "]" || scalars[end] == ")" {
        depth -= 1
      }
      end += 1
    }
    return String(String.UnicodeScalarView(scalars[start..<min(end, scalars.count)]))
  }

  private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

  private mutating func take(_ text: String) -> Bool {
    guard scalars[at...].starts(with: text.unicodeScalars) else { return false }
    at += text.unicodeScalars.count
    return true
  }

  // Up to `|`, `)` or the end; nil where something is not understood.
  private mutating func sequence(ignoresCase: Bool, depth: Int) -> [Item]? {
    var items: [Item] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if take("(?!\\S)") {
        items.append(.condition(.beforeSpace))
      } else if take("$") {
        items.append(.condition(.atEnd))
      } else if scalar == "(" {
        guard depth < 2, let group = group(ignoresCase: ignoresCase, depth: depth) else { return nil }
        items.append(group)
      } else {
        guard let set = atom(ignoresCase: ignoresCase), let (count, isPossessive) = quantifier() else { return nil }
        items.append(.set(set, count, isPossessive: isPossessive))
      }
    }
    return items.isEmpty ? nil : items
  }

  private mutating func group(ignoresCase: Bool, depth: Int) -> Item? {
    var ignoresCase = ignoresCase
    if take("(?i:") { ignoresCase = true } else if !take("(?:") { return nil }
    var sequences: [[Item]] = []
    repeat {
      guard let inner = sequence(ignoresCase: ignoresCase, depth: depth + 1) else { return nil }
      sequences.append(inner)
    } while take("|")
    guard take(")"), let (count, _) = quantifier(), count.upperBound == 1 else { return nil }
    return .group(sequences, isOptional: count.lowerBound == 0)
  }

  private mutating func quantifier() -> (ClosedRange<Int>, isPossessive: Bool)? {
    var count = 1...1
    if take("?") {
      count = 0...1
    } else if take("*") {
      count = 0...Int.max
    } else if take("+") {
      count = 1...Int.max
    } else if take("{") {
      guard let least = number(), least <= 1024 else { return nil }
      count = least...least
      if take(",") {
        let most = next == "}" ? Int.max : number() ?? -1
        guard most >= least else { return nil }
        count = least...most
      }
      guard take("}") else { return nil }
    } else {
      return (count, false)
    }
    // A lazy quantifier would take as few as it can: no splitter here does.
    guard next != "?" else { return nil }
    return (count, take("+"))
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, "0"..."9" ~= scalar, (value ?? 0) < 10_000 {
      value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
      at += 1
    }
    return value
  }

  private mutating func atom(ignoresCase: Bool) -> ScalarSet? {
    guard let scalar = next else { return nil }
    at += 1
    var set: ScalarSet?
    switch scalar {
    case "[": set = bracketed()
    case "\\": set = escaped()
    case ".", "^", "*", "+", "?", "{", "}", "]", ")": set = nil
    default: set = .scalar(scalar.value)
    }
    return ignoresCase ? set?.ignoringCase : set
  }

  private mutating func bracketed() -> ScalarSet? {
    var set = ScalarSet()
    set.isNegated = take("^")
    while let scalar = next, scalar != "]" {
      at += 1
      // Sets within sets and intersections exist in some engines; no splitting pattern has them.
      if scalar == "[" || scalar == "&" && next == "&" { return nil }
      guard let single = scalar == "\\" ? escaped() : .scalar(scalar.value) else { return nil }
      guard let low = single.ranges.first?.lowerBound, next == "-", at + 1 < scalars.count, scalars[at + 1] != "]"
      else {
        if single.isNegated {
          set.outside.append(single.categories)
        } else {
          set.categories.formUnion(single.categories)
        }
        set.ranges += single.ranges
        continue
      }
      at += 1
      guard let end = next else { return nil }
      at += 1
      guard let high = (end == "\\" ? escaped() : .scalar(end.value))?.ranges.first?.lowerBound, low <= high else {
        return nil
      }
      set.ranges.append(low...high)
    }
    return take("]") ? set : nil
  }

  // Behind a backslash.
  private mutating func escaped() -> ScalarSet? {
    guard let scalar = next else { return nil }
    at += 1
    switch scalar {
    case "s": return .space
    case "S": return ScalarSet(categories: .space, isNegated: true)
    case "d": return ScalarSet(categories: .decimal)
    case "D": return ScalarSet(categories: .decimal, isNegated: true)
    case "w": return ScalarSet(categories: .word)
    case "W": return ScalarSet(categories: .word, isNegated: true)
    case "r": return .scalar(0x0D)
    case "n": return .scalar(0x0A)
    case "t": return .scalar(0x09)
    case "f": return .scalar(0x0C)
    case "v": return .scalar(0x0B)
    case "x", "u": return hexadecimal(digits: scalar == "x" ? 2 : 4)
    case "p", "P": return property().map { ScalarSet(categories: $0, isNegated: scalar == "P") }
    case "a"..."z", "A"..."Z", "0"..."9": return nil
    default: return .scalar(scalar.value)
    }
  }

  private mutating func hexadecimal(digits: Int) -> ScalarSet? {
    let text: ArraySlice<Unicode.Scalar>
    if take("{") {
      guard let close = scalars[at...].firstIndex(of: "}") else { return nil }
      text = scalars[at..<close]
      at = close + 1
    } else {
      guard at + digits <= scalars.count else { return nil }
      text = scalars[at..<at + digits]
      at += digits
    }
    return UInt32(String(String.UnicodeScalarView(text)), radix: 16).map { .scalar($0) }
  }

  private mutating func property() -> ScalarCategory? {
    guard take("{"), let close = scalars[at...].firstIndex(of: "}") else { return nil }
    defer { at = close + 1 }
    return switch String(String.UnicodeScalarView(scalars[at..<close])) {
    case "L": .letter
    case "Lu": .upper
    case "Ll": .lower
    case "Lt": .title
    case "Lm": .modifier
    case "Lo": .otherLetter
    case "M": .mark
    case "N": .number
    case "Nd": .decimal
    case "P": .punctuation
    case "S": .symbol
    default: nil
    }
  }
}
