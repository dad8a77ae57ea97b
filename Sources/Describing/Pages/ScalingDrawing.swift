import Essentials
import Files

/// The drawing of one curve: both axes by their logarithms, so that a power of the size is a straight line.
struct ScalingDrawing {
  let curve: ScalingPage.Curve

  private static let (width, height) = (640.0, 340.0)
  private static let (left, right, top, bottom) = (70.0, 20.0, 18.0, 46.0)

  static let style = """
    .scaling { display: block; max-width: 720px; width: 100%; }
    .scaling .rule { stroke: var(--rule); stroke-width: 1; fill: none; }
    .scaling .expected { fill: none; stroke: var(--line); stroke-width: 1.5; stroke-dasharray: 5 4; }
    .scaling .measured { fill: none; stroke: var(--edge); stroke-width: 2; }
    .scaling .spread { stroke: var(--edge); stroke-width: 1.5; opacity: 0.6; fill: none; }
    .scaling circle { fill: var(--edge); }

    """

  var markup: Markup {
    let title = "\(curve.title) by \(curve.axis): measured points, and a dashed line of what is expected"
    return .element(
      "svg",
      [
        "class": "scaling part-mixer", "viewBox": "0 0 \(Int(Self.width)) \(Int(Self.height))", "role": "img",
        "width": "\(Int(Self.width))", "height": "\(Int(Self.height))",
      ],
      [.element("title", Markup(title))] + rules + sizes
        + [line(curve.points.map { ($0.size, $0.expected) }, "expected")]
        + [line(curve.points.map { ($0.size, $0.seconds.median) }, "measured")] + points + [legend])
  }

  // MARK: Places

  private var times: (low: Double, high: Double) {
    let all = curve.points.flatMap { [$0.expected, $0.seconds.least, $0.seconds.most] }.filter { $0 > 0 }
    let (low, high) = (all.min() ?? 1e-3, all.max() ?? 1)
    return (low / 1.3, max(high, low * 1.2) * 1.3)
  }

  private func x(_ size: Int) -> Double {
    let (first, last) = (Double(curve.points.first?.size ?? 1), Double(curve.points.last?.size ?? 1))
    let room = Self.width - Self.left - Self.right - 40
    guard last > first else { return Self.left + 20 + room / 2 }
    return Self.left + 20 + room * log(Double(size) / first) / log(last / first)
  }

  private func y(_ time: Double) -> Double {
    let (low, high) = times
    let share = log(max(time, low) / low) / log(high / low)
    return Self.height - Self.bottom - (Self.height - Self.top - Self.bottom) * share
  }

  private static func number(_ value: Double) -> String { Quantity.written(value, "%.1f") }

  // MARK: Parts

  /// Lines at 1, 2 and 5 times the powers of ten.
  private var rules: [Markup] {
    let (low, high) = times
    var rules: [Markup] = []
    for power in -9...4 {
      for digit in [1.0, 2, 5] {
        let time = digit * pow(10, Double(power))
        guard time >= low, time <= high else { continue }
        let y = Self.number(y(time))
        rules.append(
          .element("path", ["class": "rule", "d": "M \(Int(Self.left)) \(y) H \(Int(Self.width - Self.right))"]))
        rules.append(
          .element(
            "text", ["class": "count ending", "x": "\(Int(Self.left - 8))", "y": Self.number(self.y(time) + 4)],
            Markup(Self.time(time))))
      }
    }
    return rules
  }

  private var sizes: [Markup] {
    let floor = Self.height - Self.bottom
    var place = -Double.infinity
    var texts: [Markup] = []
    for point in curve.points {
      let (at, words) = (x(point.size), String(point.size))
      guard at - place > Double(words.count) * 7 + 10 else { continue }
      place = at
      texts.append(
        .element(
          "text", ["class": "count centered", "x": Self.number(at), "y": Self.number(floor + 18)], Markup(words)))
    }
    texts.append(
      .element(
        "text",
        ["class": "name centered", "x": "\(Int((Self.left + Self.width) / 2))", "y": "\(Int(Self.height - 8))"],
        Markup(curve.axis)))
    return texts
  }

  private func line(_ places: [(Int, Double)], _ style: String) -> Markup {
    let steps = places.map { "\(Self.number(x($0.0))) \(Self.number(y($0.1)))" }
    return .element("path", ["class": style, "d": "M " + steps.joined(separator: " L ")])
  }

  private var points: [Markup] {
    curve.points.flatMap { point in
      let at = Self.number(x(point.size))
      return [
        Markup.element(
          "path",
          [
            "class": "spread",
            "d": "M \(at) \(Self.number(y(point.seconds.least))) V \(Self.number(y(point.seconds.most)))",
          ]),
        .element("circle", ["cx": at, "cy": Self.number(y(point.seconds.median)), "r": "4"]),
      ]
    }
  }

  private var legend: Markup {
    .element(
      "g",
      [
        .element("path", ["class": "measured", "d": "M 84 14 H 108"]),
        .element("text", ["class": "name", "x": "114", "y": "18"], "measured"),
        .element("path", ["class": "expected", "d": "M 184 14 H 208"]),
        .element("text", ["class": "name", "x": "214", "y": "18"], "expected"),
      ])
  }

  /// A time in the unit that makes it short: `340 µs`, `1.2 ms`, `3.4 s`.
  static func time(_ seconds: Double) -> String {
    for (unit, size) in [("s", 1.0), ("ms", 1e-3)] where seconds >= size * 0.9995 {
      return "\(Quantity.digits(seconds / size)) \(unit)"
    }
    return "\(Quantity.digits(seconds * 1e6)) µs"
  }
}
