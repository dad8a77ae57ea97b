extension Int {
  /// The number with commas between groups of three digits.
  public var grouped: String {
    var digits = Array(String(magnitude))
    var index = digits.count - 3
    while index > 0 {
      digits.insert(",", at: index)
      index -= 3
    }
    return (self < 0 ? "−" : "") + String(digits)
  }
}
