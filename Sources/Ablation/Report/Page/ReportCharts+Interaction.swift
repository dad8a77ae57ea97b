import Describing

extension ReportCharts {
  /// The mean loss over the values of a grid's first factor, a line for each value of its second: lines that are not parallel
  /// are an interaction. Over further factors losses are averaged.
  var interaction: Markup? {
    guard case .grid(let grid) = report.plan.study.design, grid.factors.count > 1 else { return nil }
    let (across, lines) = (grid.levels[0], grid.levels[1])
    guard across.count > 1, lines.count > 1 else { return nil }
    func mean(_ place: Int, _ line: Int) -> Double? {
      Sample(
        report.rows.filter { row in
          let cell = row.arm.coordinates
          return cell.count == grid.factors.count && cell[0] == place && cell[1] == line
        }.compactMap(\.losses.mean)
      ).mean
    }
    let means = lines.indices.map { line in across.indices.map { mean($0, line) } }
    let all = means.flatMap { $0.compactMap { $0 } }
    guard all.count > 2 else { return nil }
    let bottom = 232.0
    let y = Axis(PlotRange.near(all), from: bottom, to: Chart.top)
    let places = across.indices.map {
      Chart.left + 30 + (Chart.right - Chart.left - 130) * Double($0) / Double(across.count - 1)
    }
    let marks = lines.indices.map { line -> Markup in
      let points = zip(places, means[line]).compactMap { place, mean in
        mean.map { (x: place, y: min(bottom, max(Chart.top, y.place($0))), loss: $0) }
      }
      var own: [Markup] = [.element("path", ["class": "mean", "d": path(points.map { ($0.x, $0.y) })])]
      own += points.map { point in
        .element(
          "circle", ["class": "dot", "cx": at(point.x), "cy": at(point.y), "r": "3.6"],
          .element("title", Markup("\(grid.factors[1])=\(lines[line]): \(Wording.loss(point.loss))")))
      }
      if let end = points.last {
        own.append(chartText(String(lines[line].prefix(14)), end.x + 8, end.y + 4, "name", title: lines[line]))
      }
      return .element("g", ["class": Self.colour(line + 1)], own)
    }
    let labels = zip(across, places).map {
      chartText(String($0.prefix(14)), $1, bottom + 15, "tick centered", title: $0)
    }
    return Chart(
      title: "Interaction: \(grid.factors[0]) and \(grid.factors[1])",
      summary: "Mean loss over the values of \(grid.factors[0]) for each value of \(grid.factors[1]).",
      x: Axis([0, 1], from: Chart.left, to: Chart.right), y: y, xLabel: grid.factors[0], yLabel: "nats per token",
      bottom: bottom, showsX: false, marks: marks + labels
    ).markup
  }
}
