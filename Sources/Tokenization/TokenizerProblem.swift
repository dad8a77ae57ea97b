import Files

/// Why a tokenizer cannot be made from a file, or a text not be put into its ids: the facts, and one sentence from
/// them.
public enum TokenizerProblem: Error, Sendable, Equatable {
  /// A file cannot be read, or is not what its kind asks for.
  case file(FileProblem)
  /// No vocabulary of a known kind stands at this path.
  case noVocabulary(path: String, sentence: String)
  /// The file is read, and something in it contradicts itself or leaves its range.
  case broken(path: String, sentence: String)
  /// The file names a way of working that is not built here; `part` is where, `found` what it asks for.
  case unsupported(path: String, part: String, found: String)
  /// A splitting pattern holds an alternative of a shape that no splitter here follows.
  case unknownPattern(path: String, pattern: String, alternative: String)
  /// The file does not say how text is split, and the caller did not either.
  case splittingNotNamed(path: String, known: [String])
  /// A character of the text has no id in this vocabulary; `offset` counts characters from the start.
  case unknownCharacter(character: String, offset: Int)
}

extension TokenizerProblem: CustomStringConvertible {
  /// The path, what was found and what was expected.
  public var description: String {
    switch self {
    case .file(let problem):
      problem.description
    case .noVocabulary(let path, let sentence), .broken(let path, let sentence):
      "\(path): error: \(sentence)"
    case .unsupported(let path, let part, let found):
      "\(path): error: \(part) asks for \(Self.shortened(found)), which is not built here"
    case .unknownPattern(let path, let pattern, let alternative):
      pattern == alternative
        ? "\(path): error: no splitter follows the pattern \(Self.shortened(pattern))"
        : """
        \(path): error: no splitter follows the alternative \(Self.shortened(alternative)) \
        of the pattern \(Self.shortened(pattern))
        """
    case .splittingNotNamed(let path, let known):
      """
      \(path): error: the file holds pieces and ranks but not how text is split into words; \
      name it, as one of \(known.joined(separator: ", ")), or give the pattern
      """
    case .unknownCharacter(let character, let offset):
      "the character \(Self.quoted(character)) at place \(offset) has no id in this vocabulary"
    }
  }

  /// In quotes, cut where it is long: a message is one line.
  static func shortened(_ text: String) -> String {
    let scalars = text.unicodeScalars
    return scalars.count <= 400 ? "'\(text)'" : "'\(String(String.UnicodeScalarView(scalars.prefix(400))))…'"
  }

  /// The character and its number, for many look alike; the number alone where the character would not show, or move a
  /// terminal's cursor.
  static func quoted(_ character: String) -> String {
    let numbers = character.unicodeScalars.map { "U+" + Self.fourDigits($0.value) }.joined(separator: " ")
    let isHidden = character.unicodeScalars.contains { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: true
      default: false
      }
    }
    return isHidden ? numbers : "'\(character)' (\(numbers))"
  }

  private static func fourDigits(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
