import Essentials

/// Numbers as people read them.
public enum Quantity {
  /// `124M`, `6.74B`, `405B`; the number itself below a thousand.
  public static func short(_ count: Int) -> String {
    scaled(Double(count), base: 1000, units: ["", "K", "M", "B", "T", "Q"])
  }

  /// `247 M`, `13.5 G`: operations.
  public static func operations(_ count: Int) -> String {
    scaled(Double(count), base: 1000, units: ["", " K", " M", " G", " T", " P", " E"])
  }

  /// `72.0 KiB`, `12.6 GiB`.
  public static func bytes(_ count: Int) -> String {
    scaled(Double(count), base: 1024, units: [" bytes", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"])
  }

  /// `31.0 %` of `whole`.
  public static func share(_ part: Int, of whole: Int) -> String {
    whole == 0 ? "" : fixed(Double(part) / Double(whole) * 100, digits: 1) + " %"
  }

  /// `0.456`, `45.6`, `456`: three digits before the unit that follows, or as many as `other` has behind the point.
  public static func digits(_ value: Double, like other: Double? = nil) -> String {
    let size = abs(other ?? value)
    return fixed(value, digits: size < 0.9995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
  }

  /// `84.3 %` of the whole that is 1.
  public static func percent(_ part: Double) -> String { fixed(part * 100, digits: 1) + " %" }

  /// `× 4.33`, or `− 0.63 %` where two are nearly the same.
  public static func ratio(_ value: Double) -> String {
    if abs(value - 1) < 0.1 { return (value < 1 ? "− " : "+ ") + fixed(abs(value - 1) * 100, digits: 2) + " %" }
    return "× " + digits(value)
  }

  /// The number of parameters that `text` says: `2B`, `350M`, `1e9`, `124439808`.
  public static func count(_ text: String) -> Int? {
    let units: [Character: Double] = ["k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12]
    let unit = text.lowercased().last.flatMap { units[$0] }
    guard let number = Double(unit == nil ? text : String(text.dropLast())), number >= 0 else { return nil }
    let value = number * (unit ?? 1)
    return value < 1e18 ? Int(value) : nil
  }

  /// Three digits, and the unit that leaves one to three of them before the point.
  private static func scaled(_ value: Double, base: Double, units: [String]) -> String {
    var value = value
    var unit = 0
    // 999.5 and more would be written as 1000.
    while value >= base - 0.5, unit + 1 < units.count {
      value /= base
      unit += 1
    }
    if unit == 0 { return fixed(value, digits: 0) + units[0] }
    return fixed(value, digits: value < 9.995 ? 2 : value < 99.95 ? 1 : 0) + units[unit]
  }

  private static func fixed(_ value: Double, digits: Int) -> String { written(value, "%.\(digits)f") }

  /// The number by C's `printf`, whose `format` takes one number, such as `%.3g`: with a point, whatever the language.
  public static func written(_ value: Double, _ format: String) -> String {
    // The largest number has 309 digits before the point.
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 352) { text in
      let count = withVaList([value]) { vsnprintf(text.baseAddress, text.count, format, $0) }
      return String(decoding: text.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
