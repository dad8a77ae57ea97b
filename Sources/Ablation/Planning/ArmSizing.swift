/// Finds the width that makes an arm as large as the baseline.
///
/// Sizes grow with the width, so halving finds the two widths around the target; the nearer one is taken. Some widths do
/// not compose, as those that do not divide into heads, and are passed over.
struct ArmSizing {
  /// A width and the size it gives.
  struct Candidate: Hashable {
    let width: Int
    let size: Double
  }

  /// The widths are multiples of this.
  var multiple = 1
  /// The size that the arm has at a width; nil where it does not compose.
  let size: (Int) -> Double?

  private static let widthLimit = 1 << 24
  /// How many widths in a row are tried before it is thought that none composes.
  private static let gapLimit = 512

  /// The candidate whose size is nearest to `target`; nil when no width composes.
  func nearest(to target: Double) -> Candidate? {
    guard var low = candidate(from: 1, below: Self.widthLimit / multiple) else { return nil }
    if low.size >= target { return low }
    var high = low
    while high.size < target {
      low = high
      guard let next = candidate(from: high.width / multiple * 2, below: Self.widthLimit / multiple) else { return low }
      high = next
    }
    while let middle = between(low, high) {
      if middle.size < target { low = middle } else { high = middle }
    }
    return target - low.size <= high.size - target ? low : high
  }

  /// A candidate strictly between two others, near the middle.
  private func between(_ low: Candidate, _ high: Candidate) -> Candidate? {
    let (first, last) = (low.width / multiple + 1, high.width / multiple)
    let middle = first + (last - first) / 2
    return candidate(from: middle, below: last) ?? candidate(from: first, below: min(middle, last))
  }

  /// The first candidate from `step` on, in multiples, and below `end`.
  private func candidate(from step: Int, below end: Int) -> Candidate? {
    for step in step..<max(step, min(end, step + Self.gapLimit)) {
      if let size = size(step * multiple) { return Candidate(width: step * multiple, size: size) }
    }
    return nil
  }
}
