import Essentials
import Files

extension StudyReport {
  func json(of finding: BenchmarkFinding) -> JSONValue {
    [
      "name": .string(finding.benchmark.name), "questions": .integer(finding.benchmark.items.count),
      "chance": .number(finding.benchmark.chance), "fingerprint": .string(finding.benchmark.fingerprint),
      "arms": .array(
        rows.indices.map { index in
          var arm = JSONObject()
          arm["name"] = .string(rows[index].arm.name)
          arm["accuracy"] = Self.number(finding.sample(index, \.accuracy).mean)
          arm["normalized"] = Self.number(finding.sample(index, \.normalized).mean)
          arm["bits_per_byte"] = Self.number(finding.sample(index, \.bitsPerByte).mean)
          if index > 0, let comparison = finding.comparisons[index - 1] {
            arm["difference"] = .object(json(of: comparison))
          }
          return .object(arm)
        }),
    ]
  }

  func json(of finding: BudgetFinding) -> JSONValue {
    [
      "amount": .number(finding.amount),
      "arms": .array(
        rows.indices.map { index in
          var arm = JSONObject()
          arm["name"] = .string(rows[index].arm.name)
          arm["losses"] = .array(
            finding.losses[index].sorted { $0.key < $1.key }.map {
              ["seed": .integer($0.key), "loss": Self.number($0.value)]
            })
          if index > 0, let comparison = finding.comparisons[index - 1] {
            arm["difference"] = .object(json(of: comparison))
          }
          return .object(arm)
        }),
    ]
  }

  func json(of finding: CostFinding) -> JSONValue {
    [
      "equal": .string(finding.quantity.rawValue), "amount": .number(finding.amount),
      "arms": .array(
        finding.comparisons.enumerated().map { index, comparison in
          [
            "name": .string(rows[index + 1].arm.name),
            "difference": comparison.map { .object(json(of: $0)) } ?? .null,
          ]
        }),
    ]
  }

  func json(of ladder: LadderFinding) -> JSONValue {
    [
      "sizes": .array(ladder.factors.map { .number($0) }),
      "parameters": .array(
        (ladder.sizes.map { ($0.factor, $0.report.plan.baseline.parameterCount) } + [(1, plan.baseline.parameterCount)])
          .sorted { $0.0 < $1.0 }.map { .integer($0.1) }),
      "arms": .array(
        ladder.arms.enumerated().map { index, finding in
          var arm = JSONObject()
          arm["name"] = .string(rows[index].arm.name)
          arm["flops"] = .array(finding.line.compute.map { .number($0) })
          arm["losses"] = .array(
            finding.line.losses.map { losses in
              .array(
                losses.sorted { $0.key < $1.key }.map {
                  ["seed": .integer($0.key), "loss": Self.number($0.value.isFinite ? $0.value : nil)]
                })
            })
          if let curve = finding.curve {
            arm["curve"] = [
              "limit": .number(curve.limit), "scale": .number(curve.scale), "exponent": .number(curve.exponent),
              "unit_flops": .number(curve.unit),
            ]
          }
          if let statistics = finding.statistics {
            arm["multipliers"] = .array(
              statistics.multipliers.map { Self.number($0?.mean.map { exp(-$0) }) })
          }
          if let multiplier = finding.multiplier {
            arm["multiplier"] = Self.number(multiplier.difference.mean.map { exp(-$0) })
            arm["log_compute"] = .object(json(of: multiplier))
          }
          if let trend = finding.trend { arm["trend"] = .object(json(of: trend)) }
          if let prediction = finding.statistics?.prediction, Wording.prediction(prediction) != nil {
            arm["predicted_difference"] = [
              "times_compute": .number(LadderStatistics.beyond), "mean": Self.number(prediction.mean),
              "half_width_95": Self.number(prediction.halfWidth(level: StudyStatistics.level)),
            ]
          }
          return .object(arm)
        }),
    ]
  }
}
