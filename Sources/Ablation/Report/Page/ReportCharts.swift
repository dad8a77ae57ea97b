import Describing

/// The drawings of a report. Arms have the colours of their places, the baseline none.
struct ReportCharts {
  let report: StudyReport
  private let labels: [String]

  init(report: StudyReport) {
    self.report = report
    labels = ArmLabels(report.rows.map(\.arm.name), limit: 22).texts
  }

  /// The class that gives the arm at `index` its colour.
  static func colour(_ index: Int) -> String { index == 0 ? "arm base" : "arm c\((index - 1) % 8)" }

  private var rows: [(index: Int, row: StudyReport.Row)] { report.rows.enumerated().map { ($0.offset, $0.element) } }

  var all: [Markup] {
    [
      intervals, interaction, finalLosses, curves, rates, lossAgainst(parameters: true),
      report.includesTimes ? lossAgainst(parameters: false) : nil,
      ladder, budgets, lengths,
    ]
    .compactMap { $0 }
  }

  /// The loss of each run, and the mean of each arm with its interval.
  var finalLosses: Markup? {
    let losses = report.rows.flatMap(\.losses.values)
    guard !losses.isEmpty else { return nil }
    // A single point has no interval; a wide interval must not push all points together.
    let ends = report.rows.flatMap { row -> [Double] in
      guard let mean = row.losses.mean, let half = row.losses.halfWidth(confidence: 0.95) else { return [] }
      return [mean - half, mean + half]
    }
    let near = PlotRange.near(losses)
    let (low, high) = (near.min() ?? 0, near.max() ?? 1)
    let span = max(high - low, 0.01)
    let x = Axis(near + ends.map { min(max($0, low - span / 2), high + span / 2) }, from: 138, to: Chart.right)
    let pitch = 26.0
    let bottom = Chart.top + pitch * Double(report.rows.count) + 4
    var marks: [Markup] = []
    if let mean = report.rows[0].losses.mean {
      marks.append(
        .element(
          "line",
          [
            "class": "reference", "x1": at(x.place(mean)), "x2": at(x.place(mean)), "y1": at(Chart.top),
            "y2": at(bottom),
          ]))
    }
    for (index, row) in rows {
      let y = Chart.top + pitch * (Double(index) + 0.5)
      marks.append(chartText(labels[index], 132, y + 4, "name ending", title: row.arm.name))
      var own: [Markup] = []
      if let mean = row.losses.mean {
        if let half = row.losses.halfWidth(confidence: 0.95) {
          let (a, b) = (max(x.low, mean - half), min(x.high, mean + half))
          own.append(
            .element(
              "line", ["class": "interval", "x1": at(x.place(a)), "x2": at(x.place(b)), "y1": at(y), "y2": at(y)]))
        }
        own.append(.element("path", ["class": "mean", "d": "M\(at(x.place(mean))) \(at(y - 7))v14"]))
      }
      own += row.losses.values.map { loss in
        .element(
          "circle", ["class": "dot", "cx": at(min(x.place(loss), Chart.right)), "cy": at(y), "r": "3.6"],
          .element("title", Markup(Wording.loss(loss))))
      }
      if let furthest = row.losses.values.max(), x.place(furthest) > Chart.right {
        own.append(chartText("▸ \(Wording.loss(furthest))", Chart.right - 7, y + 4, "name ending"))
      }
      marks.append(.element("g", ["class": Self.colour(index)], own))
    }
    return Chart(
      title: "Final validation loss: every seed, the mean and its 95 % interval",
      summary: "Final losses of each arm. " + report.headline, x: x, y: Axis([0, 1], from: bottom, to: Chart.top),
      xLabel: "nats per token", yLabel: "", bottom: bottom, showsY: false, marks: marks
    ).markup
  }

  /// Validation losses on the way: a thin line for each seed, the mean, and a band of its 95 % interval.
  var curves: Markup? {
    let runs = report.rows.map { $0.outcomes.map(\.outcome.result.curve) }
    let points = runs.flatMap { $0.flatMap { $0 } }
    guard let last = points.map(\.tokens).max(), points.count > 1 else { return nil }
    // The first falls are the same for all and would hide the rest.
    let late = PlotRange.of(
      runs.flatMap { $0.map { $0.filter { Double($0.tokens) >= 0.25 * Double(last) }.map(\.loss) } })
    let bottom = 262.0
    let x = Axis(points.map { Double($0.tokens) }, from: Chart.left, to: Chart.right, ticks: 4, startsAtZero: true)
    let y = Axis(late, from: bottom, to: Chart.top)
    var marks: [Markup] = [
      .element(
        "clipPath", ["id": "curves"],
        .element(
          "rect",
          [
            "x": at(Chart.left), "y": at(Chart.top), "width": at(Chart.right - Chart.left),
            "height": at(bottom - Chart.top),
          ]))
    ]
    var groups: [Markup] = []
    for (index, curves) in runs.enumerated().reversed() {
      guard let longest = curves.max(by: { $0.count < $1.count }) else { continue }
      var own: [Markup] = []
      var means: [(x: Double, y: Double)] = []
      var hovers: [Markup] = []
      var upper: [(x: Double, y: Double)] = []
      var lower: [(x: Double, y: Double)] = []
      for point in longest {
        let sample = Sample(curves.compactMap { $0.first { $0.tokens == point.tokens }?.loss }.filter(\.isFinite))
        guard let mean = sample.mean else { continue }
        let place = x.place(Double(point.tokens))
        means.append((place, y.place(mean)))
        let words = "\(report.rows[index].arm.name): \(Wording.loss(mean)) after \(Wording.count(point.tokens)) tokens"
        hovers.append(
          .element(
            "circle", ["class": "hover", "cx": at(place), "cy": at(max(Chart.top - 50, y.place(mean))), "r": "6"],
            .element("title", Markup(words))))
        let half = sample.halfWidth(confidence: 0.95) ?? 0
        // Far outside there is nothing to see, and numbers stay small.
        upper.append((place, max(Chart.top - 50, y.place(mean + half))))
        lower.append((place, min(bottom + 50, y.place(mean - half))))
      }
      own.append(.element("path", ["class": "band", "d": path(upper + lower.reversed()) + "Z"]))
      own += curves.map { curve in
        .element("path", ["class": "seed", "d": path(curve.map { (x.place(Double($0.tokens)), y.place($0.loss)) })])
      }
      own.append(.element("path", ["class": "mean", "d": path(means)]))
      own += hovers
      groups.append(.element("g", ["class": Self.colour(index)], own))
    }
    marks.append(.element("g", ["clip-path": "url(#curves)"], groups))
    return Chart(
      title: "Validation loss while training", summary: "Loss curves of each arm over tokens.", x: x, y: y,
      xLabel: "tokens", yLabel: "nats per token", bottom: bottom, marks: marks
    ).markup
  }

  /// The mean loss of each arm against its parameters, or against the time of a run.
  func lossAgainst(parameters: Bool) -> Markup? {
    let points = rows.compactMap { index, row -> (index: Int, x: Double, y: Double, half: Double, name: String)? in
      guard let loss = row.losses.mean, let x = parameters ? Double(row.arm.parameterCount) : row.seconds else {
        return nil
      }
      return (index, x, loss, row.losses.standardDeviation ?? 0, row.arm.name)
    }
    guard points.count > 1 else { return nil }
    let bottom = 232.0
    let x = Axis(points.map(\.x), from: Chart.left + 6, to: Chart.right - 30, ticks: 4)
    let y = Axis(points.flatMap { [$0.y - $0.half, $0.y + $0.half] }, from: bottom, to: Chart.top)
    var taken: [(x: Double, y: Double)] = []
    let marks = points.map { point -> Markup in
      let (px, py) = (x.place(point.x), y.place(point.y))
      let isRight = px < (Chart.left + Chart.right) * 0.62
      // Names give way downwards where another stands.
      var nameY = py + 4
      let nameX = isRight ? px + 8 : px - 8
      while taken.contains(where: { abs($0.x - nameX) < 70 && abs($0.y - nameY) < 11 }) { nameY += 11 }
      taken.append((nameX, nameY))
      return .element(
        "g", ["class": Self.colour(point.index)],
        [
          .element(
            "line",
            [
              "class": "interval", "x1": at(px), "x2": at(px), "y1": at(y.place(point.y - point.half)),
              "y2": at(y.place(point.y + point.half)),
            ]),
          .element("circle", ["class": "dot", "cx": at(px), "cy": at(py), "r": "4.5"]),
          chartText(labels[point.index], nameX, nameY, isRight ? "name" : "name ending", title: point.name),
        ])
    }
    return Chart(
      title: parameters ? "Loss against parameters" : "Loss against the time of a run",
      summary: "Mean loss of each arm against its \(parameters ? "parameters" : "time").", x: x, y: y,
      xLabel: parameters ? "parameters" : "seconds", yLabel: "nats per token", bottom: bottom, marks: marks
    ).markup
  }

  /// Loss over windows of other lengths than trained.
  var lengths: Markup? {
    let contexts = report.contexts
    guard contexts.count > 1 else { return nil }
    let series = rows.map { index, row in
      (index, row, contexts.map { context in row.losses(at: context).flatMap(\.mean) })
    }
    let losses = series.flatMap { $0.2.compactMap { $0 } }
    guard losses.count > 1 else { return nil }
    let bottom = 232.0
    // Each length is twice the last, mostly, so they stand at equal distances.
    let places = contexts.indices.map {
      Chart.left + 26 + (Chart.right - Chart.left - 52) * Double($0) / Double(contexts.count - 1)
    }
    let y = Axis(losses, from: bottom, to: Chart.top)
    let marks = series.map { index, row, means -> Markup in
      let points = zip(places, means).compactMap { place, mean in mean.map { (x: place, y: y.place($0)) } }
      var own: [Markup] = [.element("path", ["class": "mean", "d": path(points)])]
      own += points.map { .element("circle", ["class": "dot", "cx": at($0.x), "cy": at($0.y), "r": "3.2"]) }
      if let end = points.last, points.count < contexts.count {
        own.append(chartText("✕", end.x + 12, end.y + 4, "name centered"))
      }
      return .element("g", ["class": Self.colour(index)], own)
    }
    let labels = zip(contexts, places).map { chartText("\($0)", $1, bottom + 15, "tick centered") }
    return Chart(
      title: "Loss over windows of other lengths (✕: cannot be evaluated)",
      summary: "Loss of each arm at several lengths.",
      x: Axis([0, 1], from: Chart.left, to: Chart.right), y: y, xLabel: "tokens in a window", yLabel: "nats per token",
      bottom: bottom, showsX: false, marks: marks + labels
    ).markup
  }
}
