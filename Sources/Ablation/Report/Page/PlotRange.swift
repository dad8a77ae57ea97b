/// Which numbers an axis is made for, so that a spike does not press everything else flat.
package enum PlotRange {
  /// Those of `runs`, the losses of a curve each, that are no spikes of their own run, of the runs that end near the others.
  ///
  /// A spike is what lies beyond Tukey's outer fence of its own run: above the upper quartile by more than three times what
  /// lies between the quartiles ("Exploratory Data Analysis", 1977). A run that has learned less than the others is no
  /// spike: its curve is shown.
  package static func of(_ runs: [[Double]]) -> [Double] {
    let finite = runs.map { $0.filter(\.isFinite) }.filter { !$0.isEmpty }
    let lowest = near(finite.compactMap { $0.min() }).max() ?? .infinity
    return finite.filter { ($0.min() ?? 0) <= lowest }.flatMap { run -> [Double] in
      let sorted = run.sorted()
      guard sorted.count > 3 else { return sorted }
      let (first, third) = (sorted[(sorted.count - 1) / 4], sorted[(sorted.count - 1) * 3 / 4])
      // A curve that has come to rest has quartiles in one place.
      let fence = third + 3 * max(third - first, 0.02 * abs(third))
      return sorted.filter { $0 <= fence }
    }
  }

  /// Those of `losses` that can stand in one picture: at most twice their median, and a nat.
  package static func near(_ losses: [Double]) -> [Double] {
    let sorted = losses.filter(\.isFinite).sorted()
    guard !sorted.isEmpty else { return [] }
    let most = 2 * abs(sorted[(sorted.count - 1) / 2]) + 1
    return sorted.filter { $0 <= most }
  }
}
