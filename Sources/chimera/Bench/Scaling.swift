import ArgumentParser

/// What `bench --scaling` makes larger, to see how the cost grows.
enum Scaling: String, CaseIterable, ExpressibleByArgument {
  case context, batch, experts, threads

  /// What the numbers of its axis count.
  var axis: String {
    switch self {
    case .context: "tokens"
    case .batch: "sequences"
    case .experts: "experts"
    case .threads: "threads"
    }
  }
}
