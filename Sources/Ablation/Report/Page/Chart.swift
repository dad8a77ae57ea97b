import Describing
import Files

/// A drawing with two axes, drawn so that it can be read on a telephone: 400 pixels wide.
struct Chart {
  static let width = 400.0
  static let left = 46.0
  static let right = 388.0
  /// Below the label of the vertical axis, which has a line of its own.
  static let top = 26.0

  let title: String
  /// What is to be seen, for those who cannot see it.
  let summary: String
  let x: Axis
  let y: Axis
  let xLabel: String
  let yLabel: String
  /// Where the horizontal axis stands.
  let bottom: Double
  /// Whether an axis has its numbers written.
  var showsX = true
  var showsY = true
  /// What is drawn over the grid.
  let marks: [Markup]

  var markup: Markup {
    var grid: [Markup] = []
    for tick in showsX ? x.ticks : [] {
      let place = x.place(tick)
      grid.append(
        .element("line", ["class": "grid", "x1": at(place), "x2": at(place), "y1": at(Self.top), "y2": at(bottom)]))
      grid.append(chartText(x.label(tick), place, bottom + 15, "tick centered"))
    }
    if showsY {
      for tick in y.ticks {
        let place = y.place(tick)
        grid.append(
          .element(
            "line", ["class": "grid", "x1": at(Self.left), "x2": at(Self.right), "y1": at(place), "y2": at(place)]))
        grid.append(chartText(y.label(tick), Self.left - 6, place + 3.5, "tick ending"))
      }
    }
    let labels = [
      chartText(xLabel, Self.right, bottom + 32, "axis ending"),
      yLabel.isEmpty ? .nothing : chartText(yLabel, 0, 6, "axis"),
    ]
    let height = bottom + 38
    return .element(
      "figure", ["class": "chart"],
      [
        .element("figcaption", Markup(title)),
        .element(
          "svg", ["viewBox": "0 -8 \(at(Self.width)) \(at(height + 8))", "role": "img", "aria-label": summary],
          grid + marks + labels),
      ])
  }
}

/// A text at a place of a drawing, with what is shown where a pointer rests on it.
func chartText(_ words: String, _ x: Double, _ y: Double, _ style: String, title: String? = nil) -> Markup {
  let text = Markup(words)
  guard let title, title != words else { return .element("text", ["class": style, "x": at(x), "y": at(y)], text) }
  return .element(
    "text", ["class": style, "x": at(x), "y": at(y)], [text, .element("title", Markup(title))])
}

/// A coordinate, with at most two digits after the point.
package func at(_ value: Double) -> String {
  // Far outside of every drawing there is nothing to see.
  let hundredths = Int(rounding: min(max(value, -1e6), 1e6) * 100)
  var text = String(hundredths.magnitude / 100)
  let rest = Int(hundredths.magnitude % 100)
  if rest > 0 { text += rest % 10 == 0 ? ".\(rest / 10)" : ".\(rest < 10 ? "0" : "")\(rest)" }
  return (hundredths < 0 ? "-" : "") + text
}

/// Points joined by lines; a point that is no number breaks the line.
func path(_ points: [(x: Double, y: Double)]) -> String {
  var text = ""
  var isOpen = false
  for point in points {
    guard point.x.isFinite, point.y.isFinite else {
      isOpen = false
      continue
    }
    text += "\(isOpen ? "L" : "M")\(at(point.x)) \(at(point.y))"
    isOpen = true
  }
  return text
}
