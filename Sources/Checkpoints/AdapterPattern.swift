import Components

/// A pattern of an adapter's configuration: a regular expression in Python's spelling, compared with names of modules.
///
/// Most are plain names, in which a dot is any character. Patterns are strangers' input: those with which a match could
/// take forever, a repeated group or many repetitions, are refused.
struct AdapterPattern {
  private let text: String
  private let expression: Regex<AnyRegexOutput>?

  /// Reads `text`; throws when it is no expression, or one that is refused.
  init(_ text: String) throws(Problem) {
    self.text = text
    if text.utf8.allSatisfy(Self.isPlain) {
      expression = nil
      return
    }
    let repeats = text.count { "*+{".contains($0) }
    let repeatsGroup = zip(text, text.dropFirst()).contains { $0 == ")" && "*+{".contains($1) }
    guard text.utf8.count <= 4096, repeats <= 4, !repeatsGroup else {
      throw Problem("'\(text.prefix(60))' repeats groups, or too often, for a pattern of modules", at: nil)
    }
    do { expression = try Regex(text) } catch {
      throw Problem("'\(text.prefix(60))' is no regular expression", at: nil)
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// Whether all of `name` is what the pattern says: Python's `re.fullmatch`.
  func fits(_ name: some StringProtocol) -> Bool {
    guard let expression else {
      return name.utf8.count == text.utf8.count
        && zip(name.utf8, text.utf8).allSatisfy { $0 == $1 || $1 == UInt8(ascii: ".") }
    }
    return (try? expression.wholeMatch(in: String(name))) != nil
  }

  /// Whether `name`, or what follows one of its dots, is what the pattern says: PEFT's `(.*\.)?(pattern)$`.
  func fitsEnd(of name: String) -> Bool {
    if fits(name) { return true }
    return name.indices.contains { name[$0] == "." && fits(name[name.index(after: $0)...]) }
  }
}
