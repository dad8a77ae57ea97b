import Components

extension Problem {
  /// What libyaml could not read, in a sentence that says what to do about it.
  init(_ failure: YAMLEvents.Failure, in text: SourceText, reader: YAMLReader) {
    // libyaml finds the end of a text on a line after its last; a person looks for it where the text stops.
    let end = text.end
    let isAtEnd = failure.mark.line > end.line
    let place = reader.place(
      line: isAtEnd ? end.line : failure.mark.line, column: isAtEnd ? end.column : failure.mark.column)
    let begin = reader.place(line: failure.contextMark.line, column: failure.contextMark.column)
    let since = "begins at \(begin.line):\(begin.column)"
    let line = text.line(failure.mark.line)
    let placeholder = line.contains("{i}") || line.contains("{layer}") || line.contains("{}")
    let bracket = failure.problem.contains("'}'") ? "}" : "]"
    let flowHint =
      placeholder
      ? "the number of a layer or an expert is written '*'"
      : isAtEnd || failure.mark.line > failure.contextMark.line
        ? "is a '\(bracket)' missing before this?" : "quote a text that holds any of , [ ] { } : or #"
    switch failure.problem {
    case "mapping values are not allowed in this context":
      self.init(
        "a key and ':' cannot stand here, inside or under a value", at: place,
        hint: "indent the line like its neighbours, or quote a text that holds ':'")
    case "did not find expected ',' or '}'":
      self.init("',' or '}' is expected here, in the group that \(since)", at: place, hint: flowHint)
    case "did not find expected ',' or ']'":
      self.init("',' or ']' is expected here, in the list that \(since)", at: place, hint: flowHint)
    case "did not find expected key":
      self.init(
        "a key is expected here, in the group that \(since)", at: place,
        hint: "indent the line like the keys beside it")
    case "did not find expected '-' indicator":
      self.init(
        "'-' is expected here, in the list that \(since)", at: place, hint: "indent the line like the items beside it")
    case "could not find expected ':'":
      self.init("the text that \(since) is no key: no ':' follows it on its line", at: begin)
    case "found unexpected end of stream":
      self.init("the quoted text that begins here does not end", at: begin, hint: "close the quotes")
    case "found character that cannot start any token":
      let character = text.character(failure.mark.line, failure.mark.column)
      self.init(
        character == "\t" ? "a tab cannot stand here" : "a value cannot begin with '\(character)'", at: place,
        hint: character == "\t" ? "YAML is indented by spaces" : "quote the text")
    case "found unexpected ':'":
      self.init("a ':' cannot stand here in a text without quotes", at: place, hint: "quote the text")
    case "did not find expected node content":
      self.init("a value is expected here", at: place)
    case "block sequence entries are not allowed in this context":
      self.init(
        "an item of a list ('- ') cannot begin here", at: place,
        hint: "put it on its own line, or write the list as [a, b]")
    case "did not find expected <document start>":
      self.init(
        "the text goes on here, after what it describes is complete", at: place,
        hint: "is a bracket or an indentation wrong?")
    case "found unknown escape character":
      self.init(
        "this escape is not known in double quotes", at: place,
        hint: "'\\\\' is a backslash; in single quotes a backslash is itself")
    case "found undefined tag handle":
      self.init("the tag that begins here means nothing", at: place, hint: "quote a text that begins with '!'")
    case "did not find expected alphabetic or numeric character":
      self.init(
        "a name of letters and digits is expected after '*' or '&'", at: place,
        hint: "quote a text that begins with '*' or '&'")
    case "found a tab character where an indentation space is expected":
      self.init("a tab indents this line", at: place, hint: "YAML is indented by spaces")
    default:
      let context = failure.context.map { ", \($0)" } ?? ""
      self.init("this is not YAML: \(failure.problem)\(context)", at: place)
    }
  }
}

extension SourceText {
  /// The line counted from 0, without its end; empty past the last.
  func line(_ number: Int) -> String {
    var start = 0
    for _ in 0..<number {
      guard let end = bytes[start...].firstIndex(of: 0x0A) else { return "" }
      start = end + 1
    }
    let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.endIndex
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// The line and column, counted from 0, after the last character that is not a space or a line break.
  var end: (line: Int, column: Int) {
    let body = bytes[..<((bytes.lastIndex { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D } ?? -1) + 1)]
    let line = body.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
    let start = body.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    return (line, String(decoding: body[start...], as: UTF8.self).unicodeScalars.count)
  }

  /// The character at a line and column counted from 0; a space past the end.
  func character(_ line: Int, _ column: Int) -> Character {
    let scalars = self.line(line).unicodeScalars
    return scalars.dropFirst(column).first.map(Character.init) ?? " "
  }
}
