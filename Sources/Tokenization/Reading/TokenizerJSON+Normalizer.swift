import Files

extension TokenizerJSON {
  func appendSteps(of part: JSONValue?, to steps: inout [TextNormalizer.Step]) throws(TokenizerProblem) {
    guard let part, !part.isNull else { return }
    guard let type = part["type"]?.string else { throw broken("a normalizer has no 'type'") }
    switch type {
    case "Sequence":
      for inner in part["normalizers"]?.array ?? [] { try appendSteps(of: inner, to: &steps) }
    case "NFC", "NFD", "NFKC", "NFKD":
      if let form = UnicodeForm(rawValue: type) { steps.append(.form(form)) }
    case "Lowercase":
      steps.append(.lowercase)
    case "Strip":
      steps.append(.strip(left: part["strip_left"]?.bool ?? true, right: part["strip_right"]?.bool ?? true))
    case "StripAccents":
      steps.append(.stripAccents)
    case "BertNormalizer":
      let lowers = part["lowercase"]?.bool ?? true
      if part["clean_text"]?.bool ?? true { steps.append(.clean) }
      if part["handle_chinese_chars"]?.bool ?? true { steps.append(.spaceIdeographs) }
      if part["strip_accents"]?.bool ?? lowers { steps += [.form(.decomposed), .stripNonspacing] }
      if lowers { steps.append(.lowercase) }
    case "Prepend":
      guard let text = part["prepend"]?.string else { throw broken("the normalizer Prepend has no 'prepend'") }
      steps.append(.prepend(unmarked(text)))
    case "Replace":
      guard let content = part["content"]?.string else { throw broken("the normalizer Replace has no 'content'") }
      let stage = try stage(part["pattern"], .isolated, isInverted: false, of: "the normalizer Replace")
      guard case .pattern(let pattern) = stage.finder else { return }
      // In memory a space and its mark are one.
      if marksSpaces, !keepsMarks, part["pattern"]?["String"]?.string == " ", content == "▁" { return }
      steps.append(.replace(pattern, content: unmarked(content)))
    case "Precompiled":
      guard let text = part["precompiled_charsmap"]?.string, let table = Base64.decoded(text),
        let map = CharacterMap(table)
      else { throw broken("the normalizer Precompiled has no readable 'precompiled_charsmap'") }
      steps.append(.characterMap(map))
    default:
      throw unsupported("the normalizer", type)
    }
  }

  /// A pattern that is written as text or as an expression.
  func stage(
    _ pattern: JSONValue?, _ behavior: SplitStage.Behavior, isInverted: Bool, of part: String
  ) throws(TokenizerProblem) -> SplitStage {
    if let text = pattern?["String"]?.string {
      return .literal(String(decoding: unmarked(text), as: UTF8.self), behavior, isInverted: isInverted)
    }
    guard let expression = pattern?["Regex"]?.string else { throw broken("\(part) has no pattern") }
    return try SplittingName.stage(of: expression, behavior, isInverted: isInverted, path: path)
  }
}
