import Essentials
import Files

/// How the cost of a model grows when one thing is made larger, measured, beside what its operations and bytes let expect.
public struct ScalingPage: Sendable {
  /// One size, and what it took.
  public struct Point: Sendable {
    /// The size.
    public let size: Int
    /// Seconds: of the repetition in the middle, of the fastest and of the slowest.
    public let seconds: (median: Double, least: Double, most: Double)
    /// Seconds that are expected.
    public let expected: Double
    /// Whether what is expected is bound by memory rather than arithmetic.
    public let isBoundByMemory: Bool

    /// What `size` took and was expected to take.
    public init(
      size: Int, seconds: (median: Double, least: Double, most: Double), expected: Double, isBoundByMemory: Bool
    ) {
      (self.size, self.seconds, self.expected) = (size, seconds, expected)
      self.isBoundByMemory = isBoundByMemory
    }
  }

  /// One kind of work at several sizes.
  public struct Curve: Sendable {
    /// What is measured: "one generated token".
    public let title: String
    /// What is made larger: "tokens before it".
    public let axis: String
    /// The sizes, the smallest first.
    public let points: [Point]

    /// A curve of `points`.
    public init(title: String, axis: String, points: [Point]) {
      (self.title, self.axis, self.points) = (title, axis, points)
    }

    /// The power of the size that the time grows with from the first to the last point, measured and expected; nil for fewer
    /// than two.
    public var growth: (measured: Double, expected: Double)? {
      guard let first = points.first, let last = points.last, last.size > first.size else { return nil }
      let size = Self.log(Double(last.size) / Double(first.size))
      return (
        Self.log(last.seconds.median / first.seconds.median) / size, Self.log(last.expected / first.expected) / size
      )
    }

    private static func log(_ value: Double) -> Double { value > 0 ? Essentials.log(value) : 0 }
  }

  private let model: String
  private let setting: String
  private let curves: [Curve]

  /// The page of `curves` of `model`, measured as `setting` says.
  public init(model: String, setting: String, curves: [Curve]) {
    (self.model, self.setting, self.curves) = (model, setting, curves)
  }

  /// What the expectation is.
  public static let law =
    "Expected is the larger of two times: the bytes of weights and cached states over the rate at which memory was read, and the "
    + "operations over the peak of the arithmetic that the weights' format allows, both measured beside each repetition. No kernel is "
    + "faster but where weights stay in a cache; how far above the line a point lies is what is left to gain."

  /// The file, which needs nothing else.
  public var text: String {
    let summary = "How the cost of \(model) grows, measured, and as its operations and bytes let expect."
    let header = Markup.element(
      "header",
      [
        .element("h1", Markup("How the cost of \(model) grows")), .element("p", ["class": "subtitle"], Markup(setting)),
        .element("p", ["class": "note"], Markup(Self.law)),
      ])
    return Page(
      title: "\(model): cost", summary: summary, body: [header, .element("main", curves.map(section))],
      style: ScalingDrawing.style
    ).text
  }

  private func section(_ curve: Curve) -> Markup {
    .element(
      "section",
      [
        .element("h2", Markup(curve.title)), ScalingDrawing(curve: curve).markup, growth(curve),
        .element("div", ["class": "scroll", "tabindex": "0"], table(curve)),
      ])
  }

  private func growth(_ curve: Curve) -> Markup {
    guard let growth = curve.growth else { return .nothing }
    let power = { (value: Double) in Quantity.written(value, "%.2f") }
    return .element(
      "p",
      Markup(
        "From \(curve.points[0].size) to \(curve.points[curve.points.count - 1].size) \(curve.axis) the time grows as their power "
          + "\(power(growth.measured)), and is expected to as \(power(growth.expected))."))
  }

  private func table(_ curve: Curve) -> Markup {
    let heads = [curve.axis, "median", "least", "most", "expected", "bound by", "expected / measured"]
    return .element(
      "table", ["class": "costs"],
      [
        .element("thead", .element("tr", heads.map { .element("th", ["scope": "col"], Markup($0)) })),
        .element(
          "tbody",
          curve.points.map { point in
            let times = [point.seconds.median, point.seconds.least, point.seconds.most, point.expected]
            let cells =
              times.map(ScalingDrawing.time)
              + [
                point.isBoundByMemory ? "memory" : "arithmetic",
                Quantity.percent(point.expected / max(point.seconds.median, 1e-12)),
              ]
            return .element(
              "tr",
              [.element("th", ["scope": "row"], Markup(String(point.size)))]
                + cells.map { .element("td", ["class": "number"], Markup($0)) })
          }),
      ])
  }
}
