/// The losses of arms within one of several budgets.
public struct BudgetFinding: Sendable {
  /// How much may be spent.
  public let amount: Double
  /// The losses by arm, the baseline first, and by seed; where something is tuned, at each arm's own best.
  public let losses: [[Int: Double]]
  /// How each arm but the baseline compares there.
  public let comparisons: [Comparison?]

  /// The findings of `budget`, ascending, from the losses of each arm at each of its finalists by seed, those of all budgets in
  /// order; none where there is one budget alone.
  ///
  /// The largest budget has the comparisons `whole`, which are the study's own. Those of the smaller ones are a family of
  /// their own, corrected together.
  static func all(
    _ budget: Budget, _ measured: [[[Int: [Double]]]], whole: [Comparison?]
  ) -> [BudgetFinding] {
    if budget.smaller.isEmpty { return [] }
    let amounts = budget.smaller + [budget.amount]
    let losses = amounts.indices.map { place in
      measured.map { finalists in
        let each = finalists.map { $0.compactMapValues { $0.count == amounts.count ? $0[place] : nil } }
        return each.count == 1 ? each[0].filter(\.value.isFinite) : BestOfRates(each).losses
      }
    }
    let differences = losses.dropLast().flatMap { arms in
      arms.dropFirst().map { arm in
        arm.isEmpty || arms[0].isEmpty ? nil : PairedDifference(arm: arm, baseline: arms[0])
      }
    }
    let tested = StudyStatistics(baseline: ArmLosses(runs: [:]), arms: [], further: differences).further
    let count = measured.count - 1
    return amounts.indices.map { place in
      BudgetFinding(
        amount: amounts[place], losses: losses[place],
        comparisons: place == amounts.count - 1 ? whole : Array(tested[place * count..<(place + 1) * count]))
    }
  }

  /// The losses of the arm at `index`.
  func sample(_ index: Int) -> Sample { Sample(losses[index].sorted { $0.key < $1.key }.map(\.value)) }
}

extension StudyReport {
  /// The columns of the budgets, and a row for each budget and arm; empty where there is one budget alone.
  public var budgetsTable: [[String]] {
    guard let budget = plan.study.budget, !budgets.isEmpty, rows.contains(where: { !$0.outcomes.isEmpty }) else {
      return []
    }
    return [["budget", "arm", "loss", "Δ nats", "p", "verdict"]]
      + budgets.flatMap { finding in
        rows.indices.map { index in
          let comparison = index == 0 ? nil : finding.comparisons[index - 1]
          return [
            budget.words(finding.amount), rows[index].arm.name, Wording.sample(finding.sample(index)),
            comparison.map(Wording.difference) ?? "",
            comparison.map { Wording.probability($0.correctedProbability) } ?? "",
            comparison.map { words(for: $0.verdict) } ?? (index == 0 ? "baseline" : "–"),
          ]
        }
      }
  }

  /// What the table says.
  static let budgetsMeaning =
    "Each arm's loss at the end of each budget. The shorter runs are decays that leave the longest one, to the bits of runs of their own with its warm-up. The smaller budgets are a family of their own, corrected by Holm; the largest is the study's own comparison."
}
