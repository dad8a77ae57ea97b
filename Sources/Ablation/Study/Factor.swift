import Components

/// A multiple of what is shared, as a study writes it.
enum Factor {
  /// `x0.5`, `×½`, `x1/2`: from a thousandth to a thousand; nil of what is no factor.
  static func read(_ setting: Setting) -> Double? {
    guard let text = setting.text, let mark = text.first, mark == "x" || mark == "×" else { return nil }
    let rest = String(text.dropFirst())
    let vulgar = ["½": 0.5, "¼": 0.25, "⅛": 0.125, "¾": 0.75, "⅓": 1.0 / 3, "⅔": 2.0 / 3, "√2": 2.0.squareRoot()]
    var value = vulgar[rest] ?? Double(rest)
    let parts = rest.split(separator: "/")
    if parts.count == 2, let above = Double(parts[0]), let below = Double(parts[1]), below > 0 { value = above / below }
    return value.flatMap { (1e-3...1e3).contains($0) ? $0 : nil }
  }
}
