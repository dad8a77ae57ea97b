/// One direction of a chart: where a number stands, and the round numbers that are written beside it.
struct Axis {
  let low: Double
  let high: Double
  /// Where `low` and `high` stand, in pixels.
  let start: Double
  let end: Double
  /// The numbers that are written.
  let ticks: [Double]
  /// What labels count in, and how many digits they have.
  private let unit: (size: Double, letter: String)
  private let digits: Int

  /// An axis for `values`, with a little room around them, or from 0.
  init(_ values: [Double], from start: Double, to end: Double, ticks count: Int = 5, startsAtZero: Bool = false) {
    let finite = values.filter(\.isFinite)
    var low = startsAtZero ? 0 : finite.min() ?? 0
    var high = finite.max() ?? 1
    if high - low < 1e-9 * max(1, abs(high)) {
      (low, high) = startsAtZero ? (0, max(1e-9, high)) : (low - 0.5, high + 0.5)
    }
    let room = (high - low) * 0.06
    if !startsAtZero { low -= room }
    high += room
    let step = Axis.step((high - low) / Double(max(1, count)))
    ticks = stride(from: (low / step).rounded(.up) * step, through: high + step * 1e-9, by: step).map { $0 }
    let largest = max(abs(low), abs(high))
    unit = largest >= 1e6 ? (1e6, "M") : largest >= 2e4 ? (1e3, "k") : (1, "")
    var digits = 0
    while digits < 8, abs(step / unit.size * power(digits) - (step / unit.size * power(digits)).rounded()) > 1e-6 {
      digits += 1
    }
    (self.low, self.high, self.start, self.end, self.digits) = (low, high, start, end, digits)
  }

  /// Where `value` stands.
  func place(_ value: Double) -> Double { start + (value - low) / (high - low) * (end - start) }

  /// A tick as it is written.
  func label(_ tick: Double) -> String {
    tick == 0 ? "0" : Wording.fixed(tick / unit.size, digits).replacing("-", with: "−") + unit.letter
  }

  /// 1, 2 or 5 times a power of ten, at least `least`.
  private static func step(_ least: Double) -> Double {
    var unit = 1.0
    while unit > least { unit /= 10 }
    while unit * 10 <= least { unit *= 10 }
    return [1, 2, 5, 10].map { $0 * unit }.first { $0 >= least * 0.999 } ?? unit * 10
  }
}

private func power(_ digits: Int) -> Double { (0..<digits).reduce(1) { product, _ in product * 10 } }
