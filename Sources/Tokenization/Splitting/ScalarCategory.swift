/// What splitting patterns ask of a Unicode scalar, as bits, from its general category (Unicode Standard, chapter 4.5).
///
/// It is that of Unicode 16, as in the engines of huggingface/tokenizers 0.23 (Oniguruma, Rust's regex): what came later
/// is no character yet, whatever the standard library knows.
struct ScalarCategory: OptionSet, Sendable {
  let rawValue: UInt16

  static let upper = ScalarCategory(rawValue: 1 << 0)  // Lu
  static let lower = ScalarCategory(rawValue: 1 << 1)  // Ll
  static let title = ScalarCategory(rawValue: 1 << 2)  // Lt
  static let modifier = ScalarCategory(rawValue: 1 << 3)  // Lm
  static let otherLetter = ScalarCategory(rawValue: 1 << 4)  // Lo
  static let mark = ScalarCategory(rawValue: 1 << 5)  // Mn, Mc, Me
  static let number = ScalarCategory(rawValue: 1 << 6)  // Nd, Nl, No
  static let punctuation = ScalarCategory(rawValue: 1 << 7)  // Pc, Pd, Ps, Pe, Pi, Pf, Po
  static let symbol = ScalarCategory(rawValue: 1 << 8)  // Sm, Sc, Sk, So
  static let space = ScalarCategory(rawValue: 1 << 9)  // the property White_Space, not the categories Z
  static let decimal = ScalarCategory(rawValue: 1 << 10)  // Nd
  static let connector = ScalarCategory(rawValue: 1 << 11)  // Pc

  /// What `unicode_categories`, the table behind huggingface/tokenizers' Punctuation, calls so: that of Unicode 8.
  static let olderPunctuation = ScalarCategory(rawValue: 1 << 12)
  /// `\w` of Rust's engine, which huggingface/tokenizers uses in Whitespace and beside added tokens: besides, what is
  /// alphabetic without being a letter, and the two joiners.
  static let widerWord = ScalarCategory(rawValue: 1 << 13)

  static let letter: ScalarCategory = [.upper, .lower, .title, .modifier, .otherLetter]
  /// `\w` of Oniguruma: letters, marks, decimal digits and connectors, and the fractions and superscripts of Latin-1.
  static let word = ScalarCategory(rawValue: 1 << 14)
  private static let wordCategories: ScalarCategory = [.letter, .mark, .decimal, .connector]

  /// The bits of `scalar`.
  static func of(_ scalar: UInt32) -> ScalarCategory {
    if scalar < 0x80 { return ScalarCategory(rawValue: ascii.base[Int(scalar)]) }
    return scalar < 0x1_0000 ? ScalarCategory(rawValue: basicPlane.base[Int(scalar)]) : computed(scalar)
  }

  // Asking the standard library takes tens of nanoseconds a scalar; the basic plane is asked once, when the first text
  // beyond ASCII comes, and ASCII by itself, for every tokenizer asks about it.
  private static let ascii = FrozenArray((0..<0x80 as Range<UInt32>).lazy.map { computed($0).rawValue })
  private static let basicPlane = FrozenArray((0..<0x1_0000 as Range<UInt32>).lazy.map { computed($0).rawValue })

  static func computed(_ value: UInt32) -> ScalarCategory {
    guard let scalar = Unicode.Scalar(value) else { return [] }
    let properties = scalar.properties
    if isNewer(scalar, than: 16) { return [] }
    // A letter without case since Unicode 17.
    if value == 0x295 { return [.lower, .word, .widerWord] }
    var bits: ScalarCategory = properties.isWhitespace ? .space : []
    switch properties.generalCategory {
    case .uppercaseLetter: bits.insert(.upper)
    case .lowercaseLetter: bits.insert(.lower)
    case .titlecaseLetter: bits.insert(.title)
    case .modifierLetter: bits.insert(.modifier)
    case .otherLetter: bits.insert(.otherLetter)
    case .nonspacingMark, .spacingMark, .enclosingMark: bits.insert(.mark)
    case .decimalNumber: bits.formUnion([.number, .decimal])
    case .letterNumber, .otherNumber: bits.insert(.number)
    case .connectorPunctuation: bits.formUnion([.punctuation, .connector])
    case .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
      .otherPunctuation:
      bits.insert(.punctuation)
    case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol: bits.insert(.symbol)
    default: break
    }
    let isWord = !bits.isDisjoint(with: wordCategories)
    if isWord || [0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE].contains(value) { bits.insert(.word) }
    if isWord || properties.isAlphabetic || properties.isJoinControl { bits.insert(.widerWord) }
    // These two were punctuation then.
    if bits.contains(.punctuation) && !isNewer(scalar, than: 8) || value == 0x166D || value == 0x111C9 {
      bits.insert(.olderPunctuation)
    }
    return bits
  }

  /// Whether `value` was no character yet in Unicode 9, of which the reference's tables of normalisation are.
  static func isNewerThanNormalization(_ value: UInt32) -> Bool {
    value >= 0x300 && (Unicode.Scalar(value).map { isNewer($0, than: 9) } ?? true)
  }

  /// Whether it was a mark without room of its own in Unicode 8.
  static func isOlderNonspacing(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value == 0x1734 { return true }
    return scalar.properties.generalCategory == .nonspacingMark && !isNewer(scalar, than: 8)
  }

  /// Whether it was a control, a format or a private character in Unicode 8.
  static func isOlderControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .privateUse: !isNewer(scalar, than: 8)
    default: false
    }
  }

  // Whether the scalar is of a later version than `major`.0, or of none yet.
  private static func isNewer(_ scalar: Unicode.Scalar, than major: Int) -> Bool {
    guard let age = scalar.properties.age else { return true }
    return age.major > major || age.major == major && age.minor > 0
  }
}
