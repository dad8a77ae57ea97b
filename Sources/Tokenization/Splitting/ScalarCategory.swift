/// What splitting patterns ask of a Unicode scalar, as bits, from its general category (Unicode Standard, chapter 4.5).
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

  static let letter: ScalarCategory = [.upper, .lower, .title, .modifier, .otherLetter]
  /// `\w`: letters, marks, decimal digits and connectors (Unicode Technical Standard 18, annex C).
  static let word: ScalarCategory = [.letter, .mark, .decimal, .connector]

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
    return bits
  }
}
