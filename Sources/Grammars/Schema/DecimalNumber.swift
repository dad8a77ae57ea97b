/// A number by its decimal digits, exactly.
struct DecimalNumber: Hashable, Comparable, Sendable {
  var isNegative: Bool
  /// Before the point, without leading zeros but for 0 itself.
  var whole: [UInt8]
  /// Behind it, without trailing zeros.
  var fraction: [UInt8]

  static let zero = DecimalNumber(isNegative: false, whole: [0], fraction: [])

  init(isNegative: Bool, whole: [UInt8], fraction: [UInt8]) {
    let whole = Array(whole.drop { $0 == 0 })
    self.whole = whole.isEmpty ? [0] : whole
    self.fraction = Array(fraction.reversed().drop { $0 == 0 }.reversed())
    self.isNegative = isNegative && (self.whole != [0] || !self.fraction.isEmpty)
  }

  init(_ value: Int) {
    self.init(isNegative: value < 0, whole: "\(value.magnitude)".utf8.map { $0 - 0x30 }, fraction: [])
  }

  /// The shortest digits that are read as `value`; nil where it is no number.
  init?(_ value: Double) {
    guard value.isFinite else { return nil }
    let parts = "\(value.magnitude)".split(separator: "e")
    let digits = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var whole = digits[0].utf8.map { $0 - 0x30 }
    var fraction = digits.count > 1 ? digits[1].utf8.map { $0 - 0x30 } : []
    var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    while exponent > 0 {
      whole.append(fraction.isEmpty ? 0 : fraction.removeFirst())
      exponent -= 1
    }
    while exponent < 0 {
      fraction.insert(whole.popLast() ?? 0, at: 0)
      exponent += 1
    }
    self.init(isNegative: value < 0, whole: whole, fraction: fraction)
  }

  var isInteger: Bool { fraction.isEmpty }

  var magnitude: DecimalNumber { DecimalNumber(isNegative: false, whole: whole, fraction: fraction) }

  /// As JSON writes it.
  var text: String {
    let digits = { (digits: [UInt8]) in String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self) }
    return (isNegative ? "-" : "") + digits(whole) + (fraction.isEmpty ? "" : "." + digits(fraction))
  }

  static func < (a: DecimalNumber, b: DecimalNumber) -> Bool {
    if a.isNegative != b.isNegative { return a.isNegative }
    let (x, y) = a.isNegative ? (b, a) : (a, b)
    if x.whole.count != y.whole.count { return x.whole.count < y.whole.count }
    if x.whole != y.whole { return x.whole.lexicographicallyPrecedes(y.whole) }
    return x.fraction.lexicographicallyPrecedes(y.fraction)
  }
}
