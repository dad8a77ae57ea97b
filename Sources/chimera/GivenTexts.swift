import Files

/// Texts that a command line gives: as its arguments, or as the lines of the only file that it names.
struct GivenTexts {
  /// The texts, in order.
  let texts: [String]

  /// The texts of `arguments`; `-` alone is standard input, with a text on each line. Throws where there are none, or the
  /// file cannot be read.
  init(_ arguments: [String]) throws {
    guard arguments.count == 1, arguments[0] == "-" || kind(ofPath: arguments[0]) == .file else {
      if arguments.contains("-") {
        throw Failure(.usage, "'-' stands alone: standard input has a text on each line")
      }
      texts = arguments
      return
    }
    if arguments[0] != "-" {
      texts = try PromptFile(path: arguments[0]).prompts
      return
    }
    texts = try StandardInput.text().split(whereSeparator: \.isNewline).map(String.init)
    if texts.isEmpty { throw Failure(.invalid, "there is no text on standard input") }
  }
}
