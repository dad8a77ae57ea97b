extension PatternReader {
  /// A class of characters, behind its bracket.
  mutating func characterClass() throws(Problem) -> ScalarSet {
    let isNegated = take("^")
    var set = ScalarSet([] as [UInt32])
    while at < text.count, text[at] != "]" {
      let first = try classItem()
      if at + 1 < text.count, text[at] == "-", text[at + 1] != "]" {
        at += 1
        let last = try classItem()
        guard let low = first.single, let high = last.single, low <= high else {
          throw Problem(sentence: "a range of characters goes from the smaller to the larger")
        }
        set = set.union(ScalarSet([low...high]))
      } else {
        set = set.union(first)
      }
    }
    guard take("]") else { throw Problem(sentence: "a class of characters does not end") }
    return isNegated ? set.complement : set
  }

  private mutating func classItem() throws(Problem) -> ScalarSet {
    let scalar = text[at]
    at += 1
    return scalar == "\\" ? try escape(inClass: true) : ScalarSet([scalar.value])
  }

  /// What an escape stands for, behind its backslash.
  mutating func escape(inClass: Bool) throws(Problem) -> ScalarSet {
    guard at < text.count else { throw Problem(sentence: "an escape does not end") }
    let letter = text[at]
    at += 1
    switch letter {
    case "d": return Self.digits
    case "D": return Self.digits.complement
    case "w": return Self.words
    case "W": return Self.words.complement
    case "s": return Self.spaces
    case "S": return Self.spaces.complement
    case "n": return ScalarSet([0x0A])
    case "r": return ScalarSet([0x0D])
    case "t": return ScalarSet([0x09])
    case "f": return ScalarSet([0x0C])
    case "v": return ScalarSet([0x0B])
    case "0" where at >= text.count || !text[at].isDigit: return ScalarSet([0])
    case "b" where inClass: return ScalarSet([0x08])
    case "b", "B": throw Problem(sentence: "the boundary of a word, \\\(letter), is not supported")
    case "p", "P": throw Problem(sentence: "classes of Unicode, \\\(letter){…}, are not supported; write the ranges")
    case "x": return try scalar(2)
    case "u":
      guard take("{") else { return try scalar(4) }
      var value: UInt32 = 0
      while at < text.count, let digit = Character(text[at]).hexDigitValue, value <= ScalarSet.largest {
        value = value << 4 | UInt32(digit)
        at += 1
      }
      guard take("}"), let scalar = Unicode.Scalar(value) else { throw Problem(sentence: "\\u{…} is no character") }
      return ScalarSet([scalar.value])
    case "c":
      guard at < text.count, text[at].isASCII, text[at].properties.isAlphabetic else {
        throw Problem(sentence: "\\c takes a letter")
      }
      at += 1
      return ScalarSet([text[at - 1].value % 32])
    case _ where letter.isDigit || letter == "k":
      throw Problem(sentence: "references to groups, \\\(letter), are not supported")
    case _ where letter.isASCII && letter.properties.isAlphabetic:
      throw Problem(sentence: "there is no escape '\\\(letter)'")
    default: return ScalarSet([letter.value])
    }
  }

  private mutating func scalar(_ count: Int) throws(Problem) -> ScalarSet {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard at < text.count, let digit = Character(text[at]).hexDigitValue else {
        throw Problem(sentence: "expected \(count) hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    guard let scalar = Unicode.Scalar(value) else { throw Problem(sentence: "half a pair of UTF-16 is no character") }
    return ScalarSet([scalar.value])
  }

  private static let digits = ScalarSet([0x30...0x39])
  private static let words = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  private static let spaces = ScalarSet([
    0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
    0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
  ])
}

extension ScalarSet {
  /// Its only character.
  var single: UInt32? { ranges.count == 1 && ranges[0].count == 1 ? ranges[0].lowerBound : nil }
}
