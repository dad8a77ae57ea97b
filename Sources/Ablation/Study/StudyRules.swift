import Components

/// What parts of a study do not go together.
struct StudyRules {
  let hold: Hold
  let schedule: SeedSchedule?
  let budget: Budget?
  let ladder: Ladder?
  let arms: [Arm]

  /// Adds a problem for each pair in `tree` that excludes another.
  func check(_ tree: Setting, _ problems: inout Problems) {
    let weights = tree["weights"]
    if let budget {
      if hold.tokens != nil {
        problems.add(
          Problem("'hold' gives every run its tokens already", at: budget.place, hint: "leave out one of them"))
      }
      if hold.quantity == .flops, budget.quantity == .flops {
        problems.add(
          Problem(
            "arms that have the same FLOPs per token spend the same anyway", at: budget.place,
            hint: "budget: {tokens: …}, or hold: params"))
      }
      for steps in [tree["train"]?["steps"]] + arms.map({ $0.training["steps"] }) {
        guard let steps else { continue }
        problems.add(
          Problem("the budget says how long arms are trained, so 'steps' is not free", at: steps.place ?? budget.place))
      }
    }
    guard let ladder else { return }
    if let weights {
      problems.add(
        Problem("'weights' have one size, and a ladder has several", at: weights.place, hint: "leave out one of them"))
    }
    if schedule != nil {
      problems.add(
        Problem(
          "seeds that are added and a ladder do not go together, for a curve needs every size", at: ladder.place,
          hint: "seeds: a number"))
    }
    if let budget, budget.quantity != .tokens {
      problems.add(
        Problem(
          "a ladder compares arms by what they spend already, at several sizes", at: budget.place,
          hint: "leave 'budget' out, or budget: {tokens: …} for the base's size"))
    }
    for arm in arms {
      guard let steps = arm.training["steps"] else { continue }
      problems.add(
        Problem("a ladder says how long arms are trained, so an arm's 'steps' is not free", at: steps.place))
    }
  }
}
