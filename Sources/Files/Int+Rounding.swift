extension Int {
  /// The integer nearest to `value`, by `rule`; the largest or smallest there is beyond those, and 0 for NaN.
  ///
  /// Swift's own conversion traps for what does not fit, and a number that was measured, or read from a file, may be any.
  public init(rounding value: Double, _ rule: FloatingPointRoundingRule = .toNearestOrAwayFromZero) {
    let whole = value.rounded(rule)
    self = Int(exactly: whole) ?? (whole.isNaN ? 0 : whole < 0 ? Int.min : Int.max)
  }

  /// `self` · `factor`, or the largest integer where that is more.
  public func multiplied(upTo factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? ((self < 0) == (factor < 0) ? Int.max : Int.min) : product
  }
}
