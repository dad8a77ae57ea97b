import Files

extension TokenizerJSON {
  mutating func readPreTokenizer(_ part: JSONValue?) throws(TokenizerProblem) {
    guard let part, !part.isNull else { return }
    guard let type = part["type"]?.string else { throw broken("a pre-tokenizer has no 'type'") }
    switch type {
    case "Sequence":
      for inner in part["pretokenizers"]?.array ?? [] { try readPreTokenizer(inner) }
    case "ByteLevel":
      if part["add_prefix_space"]?.bool ?? true {
        guard stages.isEmpty else {
          throw unsupported("the pre-tokenizer", "ByteLevel with a prefix space in a sequence")
        }
        preparation.append(.prependSpace(onlyFirst: false))
      }
      if part["use_regex"]?.bool ?? true { try append(.known(SplittingName.wordsAndSpaces)) }
      isByteLevel = true
    case "Metaspace":
      try readMetaspace(part)
    case "Split":
      let behavior = try behavior(part["behavior"], default: .isolated)
      let isInverted = part["invert"]?.bool ?? false
      try append(try stage(part["pattern"], behavior, isInverted: isInverted, of: "the pre-tokenizer Split"))
    case "Digits":
      let individually = part["individual_digits"]?.bool ?? false
      if isByteLevel {
        stages.append(.digitsOfBytes(individually: individually))
      } else {
        try append(.known(#"\p{N}"#, individually ? .isolated : .contiguous))
      }
    case "Punctuation":
      let behavior = try behavior(part["behavior"], default: .isolated)
      try append(.known(#"[\p{P}!-/:-@\[-`{-~]"#, behavior))
    case "Whitespace":
      try append(.known(#"\w+|[^\w\s]+"#, .removed, isInverted: true))
    case "WhitespaceSplit":
      try append(.known(#"\s"#, .removed))
    case "CharDelimiterSplit":
      guard let delimiter = part["delimiter"]?.string else { throw broken("CharDelimiterSplit has no 'delimiter'") }
      try append(.literal(delimiter, .removed))
    default:
      throw unsupported("the pre-tokenizer", type)
    }
  }

  private func behavior(
    _ value: JSONValue?, default standard: SplitStage.Behavior
  ) throws(TokenizerProblem) -> SplitStage.Behavior {
    switch value?.string {
    case nil: return standard
    case "Isolated": return .isolated
    case "Removed": return .removed
    case "Contiguous": return .contiguous
    case "MergedWithPrevious": return .mergedWithPrevious
    case "MergedWithNext": return .mergedWithNext
    case let other?: throw unsupported("a pre-tokenizer's behavior", other)
    }
  }

  private mutating func append(_ stage: SplitStage) throws(TokenizerProblem) {
    // Behind ByteLevel a stage sees the byte alphabet; only patterns of ASCII characters mean the same there.
    if isByteLevel, case .pattern(let pattern) = stage.finder, !pattern.alternatives.allSatisfy(\.isASCII) {
      throw unsupported("the pre-tokenizer", "a split of other characters than ASCII behind ByteLevel")
    }
    stages.append(stage)
  }

  private mutating func readMetaspace(_ part: JSONValue) throws(TokenizerProblem) {
    guard part["replacement"]?.string ?? "▁" == "▁" else {
      throw unsupported("the pre-tokenizer Metaspace", part["replacement"]?.string ?? "")
    }
    let scheme = part["prepend_scheme"]?.string ?? (part["add_prefix_space"]?.bool ?? true ? "always" : "never")
    if stages.count == 1, scheme == "always", case .pattern(let pattern) = stages[0].finder,
      stages[0].behavior == .removed, pattern.alternatives == Self.whiteSpace
    {
      // Words cut at white space, each with a mark put before it: the same words as with one space before each.
      stages = []
      preparation += [.replace(SplitPattern(Self.whiteSpaceRun), content: [0x20]), .strip(left: true, right: true)]
    } else if !stages.isEmpty {
      throw unsupported("the pre-tokenizer", "Metaspace behind another split")
    }
    switch scheme {
    case "always": preparation.append(.prependSpace(onlyFirst: false))
    case "first": preparation.append(.prependSpace(onlyFirst: true))
    case "never": break
    default: throw unsupported("the pre-tokenizer Metaspace", scheme)
    }
    if part["split"]?.bool ?? true { stages.append(.literal(" ", .mergedWithNext)) }
  }

  private static let whiteSpace = [PatternAlternative(shape: .exact([.space]))]
  private static let whiteSpaceRun = [PatternAlternative(shape: .run(core: .space, count: 1...Int.max, tail: nil))]
}

extension PatternAlternative {
  /// Whether no other characters than ASCII are in its sets.
  var isASCII: Bool {
    var sets = suffixes.flatMap { $0 } + [lead]
    switch shape {
    case .exact(let exact): sets += exact
    case .run(let core, _, let tail): sets += [core] + (tail.map { [$0] } ?? [])
    case .twoRuns(let first, let second, _): sets += [first, second]
    }
    return sets.allSatisfy { set in
      set.categories.isEmpty && set.outside.isEmpty && !set.isNegated
        && set.ranges.allSatisfy { $0.upperBound < 0x80 }
    }
  }
}
