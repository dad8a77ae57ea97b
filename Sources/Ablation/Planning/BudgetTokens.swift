/// The tokens that budgets leave a run.
public struct BudgetTokens: Sendable, Hashable {
  /// Those of the largest; nil where the study or the training settings say how many.
  public let whole: Int?
  /// Those of smaller ones, ascending: a decay leaves the run for each.
  public let smaller: [Int]

  /// A run of `whole` tokens, which decays leave for runs of `smaller`.
  public init(whole: Int?, smaller: [Int] = []) {
    self.whole = whole
    self.smaller = smaller
  }

  /// The budgets as a setting of a run, which its result follows from.
  var entry: TrainingDescription.Entry { .init("smaller_budgets", smaller.map(String.init).joined(separator: ",")) }
}

/// Budgets whose runs have nothing in common, or are the same.
struct SharedNothing: Error {
  let sentence: String
  let hint: String?
}
