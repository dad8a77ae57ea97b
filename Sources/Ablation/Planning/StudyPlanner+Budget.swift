import Components

extension StudyPlanner {
  /// How `composed`, the arm `name`, is trained with `training`, and the tokens that a budget leaves it; none without one.
  func describe(
    _ composed: Composed, _ training: Setting, _ study: Study, _ name: String
  ) throws -> (training: TrainingDescription, budget: BudgetTokens) {
    func described(_ budget: BudgetTokens) throws -> TrainingDescription {
      try trainer.describe(training, for: composed.architecture, composed.plan, budget)
    }
    guard let budget = study.budget else {
      return (try described(BudgetTokens(whole: study.hold.tokens)), BudgetTokens(whole: nil))
    }
    // A sequence's length decides what a token costs, and is known when the settings are.
    let flops = composed.plan.meanFlopsPerToken(context: try described(BudgetTokens(whole: 1)).context)
    // What was not measured yet is trained as long as it takes to be: `measuring` finds it.
    guard let tokens = budget.tokens(of: name, flopsPerToken: flops) else {
      let own = BudgetTokens(whole: 1)
      return (try described(own), own)
    }
    let own = BudgetTokens(whole: max(1, tokens), smaller: budget.smallerTokens(of: max(1, tokens)))
    do { return (try described(own), own) } catch let problem as SharedNothing {
      throw Problems([Problem(problem.sentence, at: training["schedule"]?.place ?? budget.place, hint: problem.hint)])
    }
  }

  /// `study` with the tokens of each arm of `plan` measured, where its budget is of seconds; else as it is.
  ///
  /// They are measured once, when the study is begun: its tasks must not depend on how fast a machine was today.
  public func measuring(_ study: Study, _ plan: StudyPlan, began: (PlannedArm) -> Void) throws -> Study {
    guard var budget = study.budget, budget.quantity == .seconds else { return study }
    for arm in plan.arms where budget.measured[arm.key] == nil {
      began(arm)
      budget.measured[arm.key] = max(1, Int(rounding: min(try trainer.speed(of: arm, in: study) * budget.amount, 1e15)))
    }
    return study.with(budget: budget)
  }
}

extension PlannedArm {
  /// What it is called where its budget is noted.
  fileprivate var key: String { isBaseline ? Self.baselineName : name }
}

extension Study {
  /// The same with another budget.
  func with(budget: Budget) -> Study {
    Study(
      name: name, base: base, basePlace: basePlace, basePatch: basePatch, weights: weights, tokenizer: tokenizer,
      arms: arms, seeds: seeds, hold: hold, training: training, data: data, contexts: contexts, design: design,
      schedule: schedule, probes: probes, tuning: tuning, benchmarks: benchmarks, budget: budget, ladder: ladder)
  }
}
