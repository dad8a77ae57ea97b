import Files

extension TokenizerJSON {
  /// Reads the pre-tokenizers: as stages of one walk over the text where they come to cutting it, else as a chain.
  mutating func readPreTokenizers() throws(TokenizerProblem) {
    var parts: [JSONValue] = []
    try Self.flatten(root["pre_tokenizer"], path: path, into: &parts)
    let normalizerMarks = marksSpaces && Self.marksSpaces(root["normalizer"])
    if normalizerMarks {
      // Spaces are ▁ already, so that nothing is cut at them.
      parts.removeAll {
        $0["type"]?.string == "Split" && $0["pattern"]?["String"]?.string == " " && !Self.isInverted($0)
      }
    }
    let types = parts.compactMap { $0["type"]?.string }
    if types == ["WhitespaceSplit", "Metaspace"], !normalizerMarks, try scheme(of: parts[1]) == .always,
      parts[1]["split"]?.bool ?? true
    {
      keepsMarks = true
      preparation.append(.spaceWords)
      stages.append(.literal(" ", .mergedWithNext))
    } else if Self.areStages(types, parts, normalizerMarks: normalizerMarks),
      try readStages(parts, normalizerMarks: normalizerMarks)
    {
      return
    } else {
      try readChain(parts)
    }
  }

  private static func flatten(
    _ part: JSONValue?, path: String, into parts: inout [JSONValue]
  ) throws(TokenizerProblem) {
    guard let part, !part.isNull else { return }
    guard let type = part["type"]?.string else { throw .broken(path: path, sentence: "a pre-tokenizer has no 'type'") }
    guard type == "Sequence" else {
      parts.append(part)
      return
    }
    for inner in part["pretokenizers"]?.array ?? [] { try flatten(inner, path: path, into: &parts) }
  }

  private static func isInverted(_ part: JSONValue) -> Bool { part["invert"]?.bool ?? false }

  // Whether a piece's characters are those of the text wherever one of these looks at them: ▁ is written by the last, or
  // by none, and a space is put only before the whole.
  private static func areStages(_ types: [String], _ parts: [JSONValue], normalizerMarks: Bool) -> Bool {
    if types.contains("Metaspace") || normalizerMarks { return types.isEmpty || types == ["Metaspace"] }
    return parts.enumerated().allSatisfy { index, part in
      part["type"]?.string != "ByteLevel" || index == 0 || !(part["add_prefix_space"]?.bool ?? true)
    }
  }

  // Whether the parts are stages; nothing is left of them where they are not.
  private mutating func readStages(_ parts: [JSONValue], normalizerMarks: Bool) throws(TokenizerProblem) -> Bool {
    var seesBytes = false
    for part in parts {
      switch part["type"]?.string {
      case "ByteLevel":
        if seesBytes { throw unsupported("the pre-tokenizer", "ByteLevel behind ByteLevel") }
        if part["add_prefix_space"]?.bool ?? true { preparation.append(.prependSpace(onlyFirst: false)) }
        if part["use_regex"]?.bool ?? true { stages.append(.known(SplittingName.wordsAndSpaces)) }
        seesBytes = true
      case "Metaspace":
        if !normalizerMarks {
          // Added tokens are looked for before, where ▁ is not a space yet.
          keepsMarks = true
          preparation.append(.unmarkSpaces)
        }
        switch try scheme(of: part) {
        case .always: preparation.append(.prependSpace(onlyFirst: false))
        case .first: preparation.append(.prependSpace(onlyFirst: true))
        case .never: break
        }
        if part["split"]?.bool ?? true { stages.append(.literal(" ", .mergedWithNext)) }
      case "Digits" where seesBytes:
        stages.append(.digitsOfBytes(individually: part["individual_digits"]?.bool ?? false))
      default:
        for stage in try self.stages(of: part) {
          // Behind ByteLevel a stage sees the byte alphabet; only patterns of ASCII characters mean the same there.
          if seesBytes, case .pattern(let pattern) = stage.finder, !pattern.alternatives.allSatisfy(\.isASCII) {
            (stages, preparation) = ([], [])
            return false
          }
          stages.append(stage)
        }
      }
    }
    return true
  }

  private mutating func readChain(_ parts: [JSONValue]) throws(TokenizerProblem) {
    keepsMarks = true
    var chain = PieceChain()
    var (seesBytes, hasMarks) = (false, false)
    for part in parts {
      switch part["type"]?.string {
      case "ByteLevel":
        if seesBytes || hasMarks { throw unsupported("the pre-tokenizer", "ByteLevel behind ByteLevel or Metaspace") }
        let prepends = part["add_prefix_space"]?.bool ?? true
        if prepends { chain.steps.append(.prependSpace) }
        if part["use_regex"]?.bool ?? true {
          chain.steps.append(.split(Splitter([.known(SplittingName.wordsAndSpaces)])))
        }
        chain.steps.append(.spellBytes)
        seesBytes = true
      case "Metaspace":
        if seesBytes { throw unsupported("the pre-tokenizer", "Metaspace behind ByteLevel") }
        chain.steps.append(.markSpaces(prepends: try scheme(of: part), splits: part["split"]?.bool ?? true))
        hasMarks = true
      default:
        for stage in try self.stages(of: part) { chain.steps.append(.split(Splitter([stage]))) }
      }
    }
    if marksSpaces, !hasMarks { chain.steps.append(.markSpaces(prepends: .never, splits: false)) }
    self.chain = chain
  }

  // The cuts of a part that changes no character.
  private func stages(of part: JSONValue) throws(TokenizerProblem) -> [SplitStage] {
    switch part["type"]?.string {
    case "Split":
      let behavior = try behavior(part["behavior"], default: .isolated)
      return [try stage(part["pattern"], behavior, isInverted: Self.isInverted(part), of: "the pre-tokenizer Split")]
    case "Digits":
      return [.known(#"\p{N}"#, part["individual_digits"]?.bool ?? false ? .isolated : .contiguous)]
    case "Punctuation":
      return [Self.punctuation(try behavior(part["behavior"], default: .isolated))]
    case "Whitespace":
      return [Self.words]
    case "WhitespaceSplit":
      return [.known(#"\s"#, .removed)]
    case "BertPreTokenizer":
      return [.known(#"\s"#, .removed), Self.punctuation(.isolated)]
    case "CharDelimiterSplit":
      guard let delimiter = part["delimiter"]?.string else { throw broken("CharDelimiterSplit has no 'delimiter'") }
      return [.literal(delimiter, .removed)]
    case let type:
      throw unsupported("the pre-tokenizer", type ?? "")
    }
  }

  // `\w+|[^\w\s]+` of Rust's engine, between which text is dropped.
  private static var words: SplitStage {
    let others = ScalarSet(categories: [.widerWord, .space], isNegated: true)
    let runs = [ScalarSet(categories: .widerWord), others].map { set in
      PatternAlternative(shape: .run(core: set, count: 1...Int.max, tail: nil))
    }
    return SplitStage(finder: .pattern(SplitPattern(runs)), behavior: .removed, isInverted: true)
  }

  // Single characters: ASCII's, and what was punctuation in Unicode 8.
  private static func punctuation(_ behavior: SplitStage.Behavior) -> SplitStage {
    let set = ScalarSet(categories: .olderPunctuation, ranges: [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])
    let pattern = SplitPattern([PatternAlternative(shape: .exact([set]))])
    return SplitStage(finder: .pattern(pattern), behavior: behavior)
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

  private func scheme(of part: JSONValue) throws(TokenizerProblem) -> PieceChain.Prepends {
    guard part["replacement"]?.string ?? "▁" == "▁" else {
      throw unsupported("the pre-tokenizer Metaspace", part["replacement"]?.string ?? "")
    }
    switch part["prepend_scheme"]?.string ?? (part["add_prefix_space"]?.bool ?? true ? "always" : "never") {
    case "always": return .always
    case "first": return .first
    case "never": return .never
    case let other: throw unsupported("the pre-tokenizer Metaspace", other)
    }
  }
}

extension PatternAlternative {
  /// Whether its sets hold nothing but characters that spell their own bytes in the byte alphabet: visible ones of ASCII.
  var isASCII: Bool {
    var sets = suffixes.flatMap { $0 } + [lead]
    switch shape {
    case .exact(let exact): sets += exact
    case .run(let core, _, let tail): sets += [core] + (tail.map { [$0] } ?? [])
    case .twoRuns(let first, let second, _): sets += [first, second]
    }
    return sets.allSatisfy { set in
      set.categories.isEmpty && set.outside.isEmpty && !set.isNegated
        && set.ranges.allSatisfy { $0.lowerBound > 0x20 && $0.upperBound < 0x7F }
    }
  }
}
