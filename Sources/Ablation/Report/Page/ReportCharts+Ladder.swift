import Describing
import Essentials

extension ReportCharts {
  /// The mean loss of each arm at each size over the FLOPs of a run, on a logarithmic axis, and the curve through it.
  var ladder: Markup? {
    guard let ladder = report.ladder else { return nil }
    let series = ladder.arms.enumerated().map { index, arm in
      (
        index: index, arm: arm,
        points: zip(arm.line.compute, arm.line.losses).compactMap { compute, losses -> (x: Double, y: Double)? in
          Sample(losses.sorted { $0.key < $1.key }.map(\.value).filter(\.isFinite)).mean.map { (log10(compute), $0) }
        }
      )
    }
    let all = series.flatMap(\.points)
    // All sizes, also those that no run has come to yet.
    let computes = ladder.arms.flatMap(\.line.compute).map { log10($0) }
    guard all.count > 1, let low = computes.min(), let high = computes.max(), high > low else { return nil }
    let bottom = 232.0
    let y = Axis(all.map(\.y), from: bottom, to: Chart.top)
    func place(_ x: Double) -> Double { Chart.left + 20 + (Chart.right - Chart.left - 40) * (x - low) / (high - low) }
    func height(_ loss: Double) -> Double { min(bottom, max(Chart.top, y.place(loss))) }
    let marks = series.map { index, arm, points -> Markup in
      var own: [Markup] = []
      if let curve = arm.curve {
        let line = (0...24).map { low + (high - low) * Double($0) / 24 }
        own.append(
          .element("path", ["class": "mean", "d": path(line.map { (place($0), height(curve.loss(at: pow(10, $0)))) })]))
      }
      own += points.map { point in
        .element(
          "circle", ["class": "dot", "cx": at(place(point.x)), "cy": at(height(point.y)), "r": "3.6"],
          .element(
            "title",
            Markup(
              "\(report.rows[index].arm.name): \(Wording.loss(point.y)) after \(Wording.operations(pow(10, point.x)))FLOPs"
            )))
      }
      return .element("g", ["class": Self.colour(index)], own)
    }
    let base = ladder.arms[0].line.compute
    let labels = base.map {
      chartText(
        Wording.operations($0), min(max(place(log10($0)), Chart.left + 24), Chart.right - 24), bottom + 15,
        "tick centered")
    }
    return Chart(
      title: "Loss over compute: every size, and L∞ + a·C^−b", summary: "Loss of each arm at several sizes.",
      x: Axis([0, 1], from: Chart.left, to: Chart.right), y: y, xLabel: "FLOPs of a run", yLabel: "nats per token",
      bottom: bottom, showsX: false, marks: marks + labels
    ).markup
  }
}
