import Describing

extension ReportCharts {
  /// Every difference that was tested, with its interval: those that leave 0 out are verdicts.
  var intervals: Markup? {
    var lines: [(name: String, comparison: Comparison, colour: String)] = report.rows.enumerated().compactMap {
      index, row in (row.tuned?.comparison ?? row.comparison).map { (row.arm.name, $0, Self.colour(index)) }
    }
    lines += report.effects.map { ($0.contrast.name, $0.comparison, "arm base") }
    lines = lines.filter { $0.comparison.difference.mean?.isFinite ?? false }
    guard !lines.isEmpty else { return nil }
    let means = lines.compactMap(\.comparison.difference.mean)
    let span = max(1e-6, means.map(abs).max() ?? 0)
    let ends = lines.flatMap { line -> [Double] in
      guard let mean = line.comparison.difference.mean, let half = line.comparison.halfWidth else { return [] }
      return [mean - half, mean + half].map { min(max($0, -2 * span), 2 * span) }
    }
    let names = ArmLabels(lines.map(\.name), limit: 22).texts
    let pitch = 22.0
    let bottom = Chart.top + pitch * Double(lines.count) + 4
    let x = Axis(means + ends + [0], from: 138, to: Chart.right, ticks: 4)
    var marks: [Markup] = [
      .element(
        "line",
        ["class": "reference", "x1": at(x.place(0)), "x2": at(x.place(0)), "y1": at(Chart.top), "y2": at(bottom)])
    ]
    for (index, line) in lines.enumerated() {
      guard let mean = line.comparison.difference.mean else { continue }
      let y = Chart.top + pitch * (Double(index) + 0.5)
      let half = line.comparison.halfWidth ?? 0
      marks.append(chartText(names[index], 132, y + 4, "name ending", title: line.name))
      let (a, b) = (max(x.low, mean - half), min(x.high, mean + half))
      marks.append(
        .element(
          "g", ["class": line.colour],
          [
            .element(
              "line", ["class": "interval", "x1": at(x.place(a)), "x2": at(x.place(b)), "y1": at(y), "y2": at(y)]),
            .element(
              "circle", ["class": "dot", "cx": at(x.place(mean)), "cy": at(y), "r": "4"],
              .element("title", Markup(Wording.difference(line.comparison)))),
          ]))
    }
    let isTuned = report.rows.contains { $0.tuned?.comparison != nil }
    return Chart(
      title: "Differences and their intervals" + (isTuned ? ", each at its own best" : ""),
      summary: "Difference of each arm, with its interval. " + report.headline, x: x,
      y: Axis([0, 1], from: bottom, to: Chart.top), xLabel: "nats; left of 0 is better", yLabel: "", bottom: bottom,
      showsY: false, marks: marks
    ).markup
  }

  /// The loss of each arm over the tuned setting: the first seed as a line, the mean of all seeds as dots.
  var rates: Markup? {
    guard let tuning = report.plan.study.tuning else { return nil }
    let rows = report.rows.enumerated().compactMap { index, row in row.tuned.map { (index, $0) } }
    let factors = Set(rows.flatMap { $0.1.curve.points.map(\.factor) }).sorted()
    let losses = PlotRange.near(rows.flatMap { $0.1.curve.points.map(\.loss) })
    guard factors.count > 1, losses.count > 1 else { return nil }
    let bottom = 232.0
    let places = Dictionary(
      uniqueKeysWithValues: factors.enumerated().map {
        ($0.element, Chart.left + 20 + (Chart.right - Chart.left - 40) * Double($0.offset) / Double(factors.count - 1))
      })
    let y = Axis(losses, from: bottom, to: Chart.top)
    func height(_ loss: Double) -> Double { max(Chart.top, y.place(loss)) }
    let marks = rows.map { index, tuned -> Markup in
      let points = tuned.curve.points.filter(\.loss.isFinite)
      var own: [Markup] = [
        .element(
          "path", ["class": "seed", "d": path(points.map { (places[$0.factor] ?? 0, height($0.loss)) })])
      ]
      for finalist in tuned.finalists {
        guard let mean = Sample(finalist.losses.values.filter(\.isFinite).sorted()).mean,
          let x = places[finalist.factor]
        else { continue }
        own.append(
          .element(
            "circle",
            [
              "class": "dot", "cx": at(x), "cy": at(height(mean)),
              "r": finalist.factor == tuned.chosen?.factor ? "5" : "3",
            ],
            .element(
              "title", Markup("\(report.rows[index].arm.name), \(Tuning.words(finalist.factor)): \(Wording.loss(mean))")
            )
          ))
      }
      return .element("g", ["class": Self.colour(index)], own)
    }
    let labels = factors.map { chartText(Tuning.words($0), places[$0] ?? 0, bottom + 15, "tick centered") }
    return Chart(
      title: "Loss over \(tuning.key): one seed (line), all seeds (dots; the best is larger)",
      summary: "Loss of each arm at several values of \(tuning.key).",
      x: Axis([0, 1], from: Chart.left, to: Chart.right), y: y, xLabel: "times the shared \(tuning.key)",
      yLabel: "nats per token", bottom: bottom, showsX: false, marks: marks + labels
    ).markup
  }
}
