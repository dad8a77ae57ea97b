/// Changes text before it is split, step by step.
struct TextNormalizer: Sendable {
  enum Step: Sendable {
    /// A Unicode normalisation form (Unicode Standard Annex 15).
    case form(UnicodeForm)
    /// Every character in lower case by itself, without regard to its neighbours.
    case lowercase
    /// Removes white space at the ends.
    case strip(left: Bool, right: Bool)
    /// Removes combining marks.
    case stripAccents
    /// Removes the marks that take no room, as BERT's tokenizer does after taking characters apart.
    case stripNonspacing
    /// Removes control characters and U+FFFD, and makes every white space a space, as BERT's tokenizer does.
    case clean
    /// Puts spaces around ideographs, as BERT's tokenizer does.
    case spaceIdeographs
    /// Puts bytes before a text that is not empty.
    case prepend([UInt8])
    /// Puts a space before a text that is not empty and has none; `onlyFirst`: only where the whole text begins.
    case prependSpace(onlyFirst: Bool)
    /// Puts a space where a sentence begins, also before a user-defined token that stands there.
    case prependSpaceToSentence
    /// Puts `content` for every match.
    case replace(SplitPattern, content: [UInt8])
    /// SentencePiece's table of characters.
    case characterMap(CharacterMap)
    /// One space for several, none at the ends of the whole text.
    case collapseSpaces
    /// Leaves white space out, and puts a space before each word between; every ▁ (U+2581) is a space too.
    case spaceWords
    /// A space for ▁ (U+2581): vocabularies that spell spaces so cannot tell the two apart.
    case unmarkSpaces
  }

  /// Where a part between added tokens stands.
  struct Position: Sendable {
    /// At the first byte of the text.
    var isFirst = true
    /// At the first byte, or behind a mark: a sentence begins.
    var beginsSentence = true
    /// Up to the last byte of the text.
    var isLast = true
  }

  var steps: [Step] = []

  /// `text`, which may be the whole or a part between added tokens, after all steps.
  func normalized(_ text: [UInt8], at position: Position = Position()) -> [UInt8] {
    var text = text
    let (isFirst, isLast) = (position.isFirst, position.isLast)
    for step in steps {
      switch step {
      case .form(let form): text = form.normalized(text)
      case .lowercase: text = mapped(text) { $0.properties.lowercaseMapping.utf8 }
      case .strip(let left, let right): text = stripped(text, left: left, right: right)
      case .stripAccents: text = removingMarks(text)
      case .stripNonspacing: text = mapped(text) { ScalarCategory.isOlderNonspacing($0) ? "".utf8 : String($0).utf8 }
      case .clean: text = mapped(text) { Self.cleaned($0).utf8 }
      case .spaceIdeographs: text = mapped(text) { (Self.isIdeograph($0.value) ? " \($0) " : String($0)).utf8 }
      case .prepend(let bytes): if !text.isEmpty { text.insert(contentsOf: bytes, at: 0) }
      case .prependSpace(let onlyFirst):
        if let first = text.first, first != 0x20, isFirst || !onlyFirst { text.insert(0x20, at: 0) }
      case .prependSpaceToSentence: if position.beginsSentence, !text.isEmpty || !isLast { text.insert(0x20, at: 0) }
      case .replace(let pattern, let content): text = replaced(text, pattern, content)
      case .characterMap(let map): text = map.mapped(text)
      case .collapseSpaces: text = collapsed(text, isFirst: position.beginsSentence, isLast: isLast)
      case .spaceWords: text = spacingWords(text)
      case .unmarkSpaces: if text.contains(0xE2) { text = Vocabulary.withSpaces(text) }
      }
    }
    return text
  }

  // huggingface/tokenizers `normalizers/bert.rs`.
  private static func cleaned(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\t", "\n", "\r": " "
    case "\0", "\u{FFFD}": ""
    default:
      ScalarCategory.isOlderControl(scalar) ? "" : scalar.properties.isWhitespace ? " " : String(scalar)
    }
  }

  private static func isIdeograph(_ value: UInt32) -> Bool {
    switch value {
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF,
      0x2F800...0x2FA1F:
      true
    default: false
    }
  }

  private func spacingWords(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count + 1)
    text.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return }
      var isInWord = false
      var place = 0
      while place < text.count {
        let (value, length) = scalar(at: place, in: base, end: text.count)
        if ScalarCategory.of(value).contains(.space) {
          isInWord = false
        } else {
          if value == 0x2581 {
            result.append(0x20)
          } else {
            if !isInWord { result.append(0x20) }
            result.append(contentsOf: text[place..<place + length])
          }
          isInWord = true
        }
        place += length
      }
    }
    return result
  }

  private func mapped<Bytes: Sequence<UInt8>>(_ text: [UInt8], _ change: (Unicode.Scalar) -> Bytes) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars { result.append(contentsOf: change(scalar)) }
    return result
  }

  private func stripped(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    var scalars = Substring(String(decoding: text, as: UTF8.self)).unicodeScalars
    while left, let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    while right, let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return Array(String(scalars).utf8)
  }

  private func removingMarks(_ text: [UInt8]) -> [UInt8] {
    var result = String.UnicodeScalarView()
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars
    where ScalarCategory.of(scalar.value).isDisjoint(with: .mark)
      || ScalarCategory.isNewerThanNormalization(scalar.value)
    {
      result.append(scalar)
    }
    return Array(String(result).utf8)
  }

  private func replaced(_ text: [UInt8], _ pattern: SplitPattern, _ content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var dead = [Int](repeating: 0, count: 64)
    text.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return }
      var place = 0
      while place < text.count {
        let end = dead.withUnsafeMutableBufferPointer { dead in
          dead.baseAddress.map { pattern.view.matchEnd(at: place, in: base, end: text.count, dead: $0) } ?? place
        }
        if end > place {
          result.append(contentsOf: content)
          place = end
        } else {
          let length = characterLength(at: place, in: base, end: text.count)
          result.append(contentsOf: text[place..<place + length])
          place += length
        }
      }
    }
    return result
  }

  private func collapsed(_ text: [UInt8], isFirst: Bool, isLast: Bool) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for byte in text {
      let followsSpace = result.isEmpty ? isFirst : result[result.count - 1] == 0x20
      if byte != 0x20 || !followsSpace { result.append(byte) }
    }
    // At the end the mark of a space goes too, even where the text itself has it.
    while isLast {
      if result.last == 0x20 {
        result.removeLast()
      } else if result.suffix(3).elementsEqual([0xE2, 0x96, 0x81]) {
        result.removeLast(3)
      } else {
        break
      }
    }
    return result
  }
}
