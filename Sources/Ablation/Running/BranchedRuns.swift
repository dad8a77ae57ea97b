import Training

/// The runs of one arm and seed for several budgets: each leaves the one before where their rates part, so that all of them
/// together take the steps of the longest and the decays of the others.
///
/// Each is to the same bits the run of its length by itself, with the settings of the longest: its warm-up, its validations.
/// Source: Hägele et al., 2024, https://arxiv.org/abs/2405.18392.
struct BranchedRuns {
  /// The settings of the runs, by ascending length; the last is the longest.
  let lengths: [TrainingSettings]
  /// The step after which each run leaves the one before; 0 for the first.
  private let branches: [Int]

  /// The runs for `budget` of what `settings` train. Throws `SharedNothing` where two are as long, or where one shares
  /// less than half of its steps with the next.
  init(_ settings: TrainingSettings, _ budget: BudgetTokens) throws {
    var lengths = budget.smaller.map { tokens in
      var own = settings
      own.steps = (tokens - 1) / max(1, settings.tokensPerStep) + 1
      return own
    }
    lengths.append(settings)
    var branches = [0]
    for (one, next) in zip(lengths, lengths.dropFirst()) {
      if one.steps >= next.steps {
        throw SharedNothing(
          sentence: "two of the budgets are runs of \(next.steps) \(next.steps == 1 ? "step" : "steps")",
          hint: "a step has \(settings.tokensPerStep) tokens")
      }
      let step = try TrunkBranch.lastCommonStep(one.learningRate(), next.learningRate(), upTo: one.steps)
      guard 2 * step >= one.steps else {
        throw SharedNothing(
          sentence:
            "runs of \(one.steps) and of \(next.steps) steps have the same rates for \(step) steps only, so budgets would share too little",
          hint: "train: with a 'schedule' that is flat for most of a run, or a study for each budget")
      }
      branches.append(step)
    }
    (self.lengths, self.branches) = (lengths, branches)
  }

  /// Steps of all runs together.
  var steps: Int { zip(lengths, branches).reduce(0) { $0 + $1.0.steps - $1.1 } }

  /// Where the run at `index` is, of a task whose longest is in `folder`.
  func folder(of index: Int, in folder: String) -> String { folder + "/budgets/\(lengths[index].steps)" }

  /// The steps of the run at `index` after which the next leaves it.
  func forks(of index: Int) -> [Int] { index + 1 < branches.count ? [branches[index + 1]] : [] }

  /// How far all runs together are, in tokens of the longest, when the run at `index` is at `progress`.
  func progress(_ progress: TrainingProgress, of index: Int) -> TrainingProgress {
    if lengths.count == 1 { return progress }
    let tokensPerStep = max(1, lengths[index].tokensPerStep)
    let before = (0..<index).reduce(0) { $0 + lengths[$1].steps - branches[$1] }
    let done = before + max(0, progress.tokens / tokensPerStep - branches[index])
    let share = Double(done) / Double(max(1, steps))
    return TrainingProgress(
      tokens: Int(rounding: share * Double(lengths[lengths.count - 1].tokens)), loss: progress.loss)
  }
}
