import Composition

/// What arms cost, and how they compare where the same is spent.
public struct CostFinding: Sendable {
  /// What is spent equally.
  public let quantity: Budget.Quantity
  /// How much of it: what the arm that spends least does in a whole run.
  public let amount: Double
  /// How each arm but the baseline compares there; nil where a run was not evaluated on the way.
  public let comparisons: [Comparison?]
}

extension StudyReport {
  /// The losses at equal FLOPs and, where times are part of the report, at equal seconds of training, read from the curves on the
  /// way. Their comparisons are a family of their own.
  public var costs: [CostFinding] {
    if plan.isEvaluation { return [] }
    let each = rows.map { row -> [Budget.Quantity: Double] in
      var costs: [Budget.Quantity: Double] = [.flops: 3 * row.arm.flopsPerToken]
      if includesTimes, let rate = row.tokensPerSecond { costs[.seconds] = 1 / rate }
      return costs
    }
    let quantities = ([.flops, .seconds] as [Budget.Quantity]).filter { quantity in
      each.allSatisfy { $0[quantity] != nil }
    }
    var differences: [PairedDifference?] = []
    var amounts: [Double] = []
    for quantity in quantities {
      let costs = each.map { $0[quantity] ?? 1 }
      let amount = zip(rows, costs).map { Double($0.arm.training.tokens) * $1 }.min() ?? 0
      amounts.append(amount)
      let losses = zip(rows, costs).map { row, cost in
        Dictionary(
          row.outcomes.compactMap { run in
            Self.loss(run.outcome.result.curve, at: amount / cost).map { (run.seed, $0) }
          }
        ) { first, _ in first }
      }
      differences += losses.dropFirst().map {
        $0.isEmpty || losses[0].isEmpty ? nil : PairedDifference(arm: $0, baseline: losses[0])
      }
    }
    let tested = StudyStatistics(baseline: ArmLosses(runs: [:]), arms: [], further: differences).further
    let count = rows.count - 1
    return quantities.indices.map { place in
      CostFinding(
        quantity: quantities[place], amount: amounts[place],
        comparisons: Array(tested[place * count..<(place + 1) * count]))
    }
  }

  /// The loss after `tokens`, between two points of `curve` on a straight line; nil outside of it, and of no number.
  static func loss(_ curve: [TaskResult.Point], at tokens: Double) -> Double? {
    guard let last = curve.last, tokens <= Double(last.tokens) * 1.001,
      let next = curve.firstIndex(where: { Double($0.tokens) * 1.001 >= tokens })
    else { return nil }
    let (end, loss) = (Double(curve[next].tokens), curve[next].loss)
    guard tokens < end * 0.999 else { return loss.isFinite ? loss : nil }
    guard next > 0 else { return nil }
    let (start, before) = (Double(curve[next - 1].tokens), curve[next - 1].loss)
    let value = before + (loss - before) * (tokens - start) / (end - start)
    return value.isFinite ? value : nil
  }

  /// The columns of the costs, and a row for each arm.
  public var costsTable: [[String]] {
    let costs = costs
    if costs.isEmpty || rows.allSatisfy(\.outcomes.isEmpty) { return [] }
    var head =
      ["arm", "Δ nats at equal tokens"] + costs.map { "at equal \($0.quantity == .flops ? "FLOPs" : "seconds")" }
    head += ["FLOPs/token", "FLOPs of a run", "KV bytes/token"]
    if includesTimes { head += ["training tokens/s", "decoded tokens/s"] }
    func text(_ comparison: Comparison?) -> String {
      guard let comparison else { return "–" }
      let verdict =
        comparison.verdict == .better || comparison.verdict == .worse ? ", \(comparison.verdict.rawValue)" : ""
      return Wording.difference(comparison) + verdict
    }
    return [head]
      + rows.enumerated().map { index, row in
        var cells = [row.arm.name]
        if index == 0 {
          cells += (0...costs.count).map { _ in "" }
        } else {
          let differs = rows[0].arm.training.tokens != row.arm.training.tokens
          cells += [differs ? "–" : text(row.comparison)] + costs.map { text($0.comparisons[index - 1]) }
        }
        cells += [
          Wording.operations(row.arm.flopsPerToken), Wording.operations(row.arm.trainingFlops),
          Wording.count(row.arm.plan.stateBytesPerToken(in: .f32)),
        ]
        if includesTimes {
          cells += [
            row.tokensPerSecond.map { Wording.count(Int(rounding: $0)) } ?? "–",
            Sample(row.outcomes.compactMap(\.outcome.times.decodedPerSecond)).mean
              .map { Wording.count(Int(rounding: $0)) } ?? "–",
          ]
        }
        return cells
      }
  }

  /// What the table says.
  public static let costsMeaning =
    "What arms cost, and their differences where each spends what the cheapest spends in a whole run. Losses at equal FLOPs and seconds are read from the curves on the way, where an arm that costs more had not come to the end of its schedule; 'budget: {flops: …}' or '{seconds: …}' trains each arm to its end. These cells are a family of their own, corrected by Holm. KV bytes are of f32; tokens are decoded one by one behind a few others."
}
