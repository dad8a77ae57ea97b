import Files
import Training

/// How calmly a run trained: its gradient norms, before they were cut, and its spikes.
public struct RunStability: Sendable, Hashable {
  /// The median of the gradient norms of all steps.
  public let medianNorm: Double
  /// Their 99th percentile.
  public let highNorm: Double
  /// The largest.
  public let largestNorm: Double
  /// Steps whose training loss rises far above those before.
  public let spikes: Int
  /// The largest attention logit of the trained model; nil where nothing attends, and where that was not measured.
  public private(set) var largestScore: Double?
  /// The largest activation of the trained model; nil where that was not measured.
  public private(set) var largestActivation: Double?

  /// These numbers, as an outcome holds them.
  init(
    medianNorm: Double, highNorm: Double, largestNorm: Double, spikes: Int, largestScore: Double?,
    largestActivation: Double?
  ) {
    (self.medianNorm, self.highNorm, self.largestNorm) = (medianNorm, highNorm, largestNorm)
    (self.spikes, self.largestScore, self.largestActivation) = (spikes, largestScore, largestActivation)
  }

  /// The same, of a run whose trained model has these extremes.
  func with(_ extremes: Extremes?) -> RunStability {
    var stability = self
    (stability.largestScore, stability.largestActivation) = (extremes?.score, extremes?.activation)
    return stability
  }

  /// The stability of a run with these gradient norms and training losses, step by step; nil of no steps.
  ///
  /// A spike begins at a step whose loss is above the median of the 32 before it by more than six times their median
  /// distance from it, and by more than a tenth of a nat; it lasts until a loss is not. (For normal numbers six such distances
  /// are four standard deviations.)
  package init?(norms: [Double], losses: [Double]) {
    let sorted = norms.filter(\.isFinite).sorted()
    guard let largest = sorted.last else { return nil }
    medianNorm = sorted[(sorted.count - 1) / 2]
    highNorm = sorted[Int(rounding: Double(sorted.count - 1) * 0.99)]
    largestNorm = largest
    var spikes = 0
    var isOpen = false
    var recent: [Double] = []
    for loss in losses where loss.isFinite {
      let isHigh = recent.count == Self.window && Self.isHigh(loss, above: recent)
      if isHigh, !isOpen { spikes += 1 }
      isOpen = isHigh
      // What is high is no measure for what comes after it.
      if !isHigh { recent = Array((recent + [loss]).suffix(Self.window)) }
    }
    self.spikes = spikes
  }

  private static let window = 32

  private static func isHigh(_ loss: Double, above recent: [Double]) -> Bool {
    let sorted = recent.sorted()
    let median = sorted[window / 2]
    let distances = recent.map { abs($0 - median) }.sorted()
    return loss > median + max(6 * distances[window / 2], 0.1)
  }
}
