/// Numbers of one kind, one for each seed.
public struct Sample: Sendable, Hashable {
  /// The numbers.
  public let values: [Double]

  /// The sample of `values`.
  public init(_ values: [Double]) { self.values = values }

  /// How many there are.
  public var count: Int { values.count }

  /// Their mean; nil of none.
  public var mean: Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }

  /// How far they stray from their mean, with n − 1 in the denominator, for the mean is their own; nil of fewer than two.
  public var standardDeviation: Double? {
    guard let mean, count > 1 else { return nil }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(count - 1)).squareRoot()
  }

  /// How far their mean strays from the truth: s / √n.
  public var standardError: Double? { standardDeviation.map { $0 / Double(count).squareRoot() } }

  /// How far on each side of the mean the truth lies, `confidence` times in 1; nil of fewer than two numbers.
  ///
  ///     t(1 − confidence, n − 1) · s / √n
  public func halfWidth(confidence: Double) -> Double? {
    standardError.map { $0 * StudentT(degreesOfFreedom: count - 1).critical(1 - confidence) }
  }
}
