import Essentials

/// Numbers read and rounded as Python does.
enum PythonNumber {
  /// `int(text, base)`; nil where Python raises ValueError.
  static func integer(_ text: String, base: Int) -> Int? {
    var digits = Substring(text.pythonTrimmed())
    let isNegative = digits.hasPrefix("-")
    if isNegative || digits.hasPrefix("+") { digits = digits.dropFirst() }
    var base = base
    let marks = ["0x": 16, "0o": 8, "0b": 2]
    if let radix = marks[digits.prefix(2).lowercased()], base == radix || base == 0 {
      digits = digits.dropFirst(2)
      if digits.hasPrefix("_") { digits = digits.dropFirst() }
      base = radix
    } else if base == 0 {
      base = 10
      if digits.hasPrefix("0"), digits.contains(where: { $0 != "0" && $0 != "_" }) { return nil }
    }
    guard let plain = withoutGroups(digits), plain.first?.isSign == false else { return nil }
    return Int((isNegative ? "-" : "") + plain, radix: base)
  }

  /// `float(text)`; nil where Python raises ValueError.
  static func float(_ text: String) -> Double? {
    let trimmed = text.pythonTrimmed().lowercased()
    let unsigned = trimmed.first?.isSign == true ? String(trimmed.dropFirst()) : trimmed
    let sign: Double = trimmed.hasPrefix("-") ? -1 : 1
    if unsigned == "inf" || unsigned == "infinity" { return sign * .infinity }
    if unsigned == "nan" { return .nan }
    guard let plain = withoutGroups(Substring(unsigned)),
      plain.utf8.allSatisfy({ 0x30...0x39 ~= $0 || "+-.e".utf8.contains($0) }), plain.first?.isSign == false
    else { return nil }
    var full = plain.hasPrefix(".") ? "0" + plain : plain
    if let point = full.firstIndex(of: ".") {
      let next = full.index(after: point)
      guard full.contains(where: \.isNumber) else { return nil }
      if plain == "." { return nil }
      if next == full.endIndex || full[next] == "e" { full.insert("0", at: next) }
    }
    if plain.hasPrefix("."), plain.dropFirst().first?.isNumber != true { return nil }
    return Double(full).map { sign * $0 }
  }

  /// Without the `_` between digits; nil where one stands elsewhere.
  private static func withoutGroups(_ digits: Substring) -> String? {
    var result = ""
    var before: Character?
    for (place, character) in digits.enumerated() {
      if character == "_" {
        guard let before, before.isHexDigit || before.isLetter, place < digits.count - 1 else { return nil }
      } else {
        result.append(character)
      }
      before = character == "_" ? nil : character
    }
    return result.isEmpty ? nil : result
  }

  static func powerOfTen(_ exponent: Int) -> Double { pow(10, Double(exponent)) }

  /// Python's `round`: halves of the exact value go to the even digit.
  static func rounded(_ number: Double, digits: Int) -> Double {
    guard number.isFinite, digits <= 300 else { return number }
    if digits >= 0 { return Double(printed(number, digits: digits)) ?? number }
    if digits < -308 { return number * 0 }
    let scale = powerOfTen(-digits)
    return (number / scale).rounded(.toNearestOrEven) * scale
  }

  /// `number` with that many digits behind the point, correctly rounded.
  static func printed(_ number: Double, digits: Int, format: Character = "f") -> String {
    withVaList([Int32(clamping: digits), number]) { arguments in
      var buffer = [CChar](repeating: 0, count: 1200)
      let count = vsnprintf(&buffer, buffer.count, "%.*" + String(format), arguments)
      return String(
        decoding: buffer.prefix(max(0, min(Int(count), buffer.count - 1))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}

extension Character {
  fileprivate var isSign: Bool { self == "+" || self == "-" }
}
