/// One direction of a chart: where a number stands, and the round numbers that are written beside it.
package struct Axis {
  package let low: Double
  package let high: Double
  /// Where `low` and `high` stand, in pixels.
  let start: Double
  let end: Double
  /// The numbers that are written.
  package let ticks: [Double]
  /// What labels count in, and how many digits they have.
  private let unit: (size: Double, letter: String)
  private let digits: Int

  /// An axis for `values`, with a little room around them, or from 0.
  package init(_ values: [Double], from start: Double, to end: Double, ticks count: Int = 5, startsAtZero: Bool = false)
  {
    // Whatever a file says: differences, and their squares, stay numbers.
    let finite = values.filter(\.isFinite).map { min(max($0, -Self.most), Self.most) }
    var low = startsAtZero ? 0 : finite.min() ?? 0
    var high = max(low, finite.max() ?? 1)
    let least = 1e-9 * max(1, abs(low), abs(high))
    if high - low < least {
      (low, high) = startsAtZero ? (0, max(least, high)) : (low - max(0.5, least), high + max(0.5, least))
    }
    let room = (high - low) * 0.06
    if !startsAtZero { low -= room }
    high += room
    let step = Axis.step((high - low) / Double(max(1, count)))
    // Counted, not added up: beside large numbers a step may be too small to be added.
    let first = (low / step).rounded(.up)
    ticks = (0...2 * max(1, count)).map { (first + Double($0)) * step }.filter { $0 <= high + step * 1e-9 }
    let largest = max(abs(low), abs(high))
    unit = largest >= 1e6 ? (1e6, "M") : largest >= 2e4 ? (1e3, "k") : (1, "")
    var digits = 0
    while digits < 8, abs(step / unit.size * power(digits) - (step / unit.size * power(digits)).rounded()) > 1e-6 {
      digits += 1
    }
    (self.low, self.high, self.start, self.end, self.digits) = (low, high, start, end, digits)
  }

  private static let most = 1e100

  /// Where `value` stands.
  ///
  /// Far outside is as good as further: what is drawn there is moved by some pixels until it meets nothing, and ends.
  package func place(_ value: Double) -> Double {
    let place = start + (value - low) / (high - low) * (end - start)
    return place.isNaN ? place : min(max(place, -1e5), 1e5)
  }

  /// A tick as it is written.
  package func label(_ tick: Double) -> String {
    if tick == 0 { return "0" }
    let text = abs(tick) < 1e12 ? Wording.fixed(tick / unit.size, digits) + unit.letter : Wording.short(tick)
    return text.replacing("-", with: "−")
  }

  /// 1, 2 or 5 times a power of ten, at least `least`.
  private static func step(_ least: Double) -> Double {
    // `least` is a positive number between the squares of what an axis may show, so both end.
    var unit = 1.0
    while unit > least { unit /= 10 }
    while unit * 10 <= least { unit *= 10 }
    return [1, 2, 5, 10].map { $0 * unit }.first { $0 >= least * 0.999 } ?? unit * 10
  }
}

private func power(_ digits: Int) -> Double { (0..<digits).reduce(1) { product, _ in product * 10 } }
