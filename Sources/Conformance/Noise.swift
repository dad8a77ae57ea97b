/// Uniform numbers between −1 and 1, the same every time.
public struct Noise: Sendable {
  private var state: UInt64

  /// Numbers that start from `seed`.
  public init(seed: UInt64) { state = seed }

  /// The next number.
  public mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }

  /// A number from 0 on and below `sides`.
  public mutating func roll(_ sides: Int) -> Int { min(sides - 1, Int((next() + 1) / 2 * Float(sides))) }
}

/// The largest difference of two equally long lists of numbers; infinite when their lengths differ, or one is no number.
public func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { ($1.0 - $1.1).isNaN ? .infinity : max($0, abs($1.0 - $1.1)) }
}
