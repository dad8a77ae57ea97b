import Describing

extension ReportCharts {
  /// The mean loss of each arm at the end of each budget.
  var budgets: Markup? {
    let findings = report.budgets
    guard let budget = report.plan.study.budget, findings.count > 1 else { return nil }
    let means = report.rows.indices.map { arm in findings.map { $0.sample(arm).mean } }
    let all = means.flatMap { $0.compactMap { $0 } }
    guard all.count > 1 else { return nil }
    let bottom = 232.0
    let y = Axis(PlotRange.near(all), from: bottom, to: Chart.top)
    // Budgets grow by factors, mostly, so they stand at equal distances.
    let places = findings.indices.map {
      Chart.left + 30 + (Chart.right - Chart.left - 60) * Double($0) / Double(findings.count - 1)
    }
    let marks = report.rows.indices.map { arm -> Markup in
      let points = zip(places, means[arm]).compactMap { place, mean in
        mean.map { (x: place, y: min(bottom, max(Chart.top, y.place($0))), loss: $0) }
      }
      var own: [Markup] = [.element("path", ["class": "mean", "d": path(points.map { ($0.x, $0.y) })])]
      own += points.map { point in
        .element(
          "circle", ["class": "dot", "cx": at(point.x), "cy": at(point.y), "r": "3.6"],
          .element("title", Markup("\(report.rows[arm].arm.name): \(Wording.loss(point.loss))")))
      }
      return .element("g", ["class": Self.colour(arm)], own)
    }
    let labels = zip(findings, places).map {
      chartText(Wording.operations($0.amount), $1, bottom + 15, "tick centered")
    }
    return Chart(
      title: "Loss at the end of each budget", summary: "Mean loss of each arm within each budget.",
      x: Axis([0, 1], from: Chart.left, to: Chart.right), y: y, xLabel: budget.quantity.rawValue,
      yLabel: "nats per token", bottom: bottom, showsX: false, marks: marks + labels
    ).markup
  }
}
