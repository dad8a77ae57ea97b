import Files

extension StudyReport {
  /// Everything measured and everything concluded, for other programs.
  public var json: JSONValue {
    var document = JSONObject()
    document["study"] = .string(plan.study.name)
    document["fingerprint"] = .string(plan.fingerprint)
    document["headline"] = .string(headline)
    document["complete"] = .bool(isComplete)
    document["base"] = .string(plan.baseline.architecture.name)
    document["baseline"] = .string(plan.baseline.name)
    document["seeds"] = .array(plan.seeds.map { .integer($0) })
    document["hold"] = [
      "quantity": .string(plan.study.hold.quantity.rawValue), "tolerance": .number(plan.study.hold.tolerance),
      "data_order": .string(plan.study.hold.dataOrder.rawValue),
    ]
    document["data"] = .string(plan.dataFingerprint)
    document["data_files"] = .string(dataNames)
    document["noise_floor"] = Self.number(statistics.noiseFloor)
    document["sentences"] = .array(sentences.map { .string($0) })
    if let schedule = plan.study.schedule {
      document["looks"] = .array(schedule.looks.map { .integer($0) })
      document["finished_looks"] = .integer(statistics.finishedLooks)
    }
    document["arms"] = .array(rows.map { json(of: $0) })
    if !effects.isEmpty {
      document["effects"] = .array(
        effects.map { effect in
          var object = json(of: effect.comparison)
          object["name"] = .string(effect.contrast.name)
          object["kind"] = .string(effect.contrast.kind.rawValue)
          if let shared = effect.shared { object["at_shared"] = .object(json(of: shared)) }
          return .object(object)
        })
    }
    if let origin {
      document["version"] = .string(origin.version)
      document["date"] = .string(origin.date)
    }
    if let budget = plan.study.budget {
      document["budget"] = [
        budget.quantity.rawValue: budget.smaller.isEmpty
          ? .number(budget.amount) : .array((budget.smaller + [budget.amount]).map { .number($0) })
      ]
    }
    if !budgets.isEmpty { document["budgets"] = .array(budgets.map { json(of: $0) }) }
    if !benchmarks.isEmpty { document["tasks"] = .array(benchmarks.map { json(of: $0) }) }
    if let ladder { document["ladder"] = json(of: ladder) }
    if !costs.isEmpty { document["costs"] = .array(costs.map { json(of: $0) }) }
    if !probes.isEmpty { document["probes"] = .array(probes.map { json(of: $0) }) }
    if !enginesTable.isEmpty { document["engines"] = .array(engineShares.map { json(of: $0) }) }
    if includesTimes { document["machines"] = .array(machines.map { .string($0) }) }
    return .object(document)
  }

  private func json(of row: Row) -> JSONValue {
    var arm = JSONObject()
    arm["name"] = .string(row.arm.name)
    arm["changes"] = .string(yaml(of: row.arm))
    arm["parameters"] = .integer(row.arm.parameterCount)
    arm["flops_per_token"] = .number(row.arm.flopsPerToken)
    arm["memory_bytes"] = .integer(row.arm.training.memory)
    arm["mismatch"] = .number(row.arm.mismatch)
    arm["matched"] = .bool(row.arm.isMatched)
    if let sizing = row.arm.sizing { arm["sized"] = [sizing.path: .integer(sizing.width)] }
    arm["training"] = .object(
      row.arm.training.settings.reduce(into: JSONObject()) { $0[$1.key] = .string($1.value) })
    arm["loss_mean"] = Self.number(row.losses.mean)
    arm["loss_deviation"] = Self.number(row.losses.standardDeviation)
    if let comparison = row.comparison { arm["difference"] = .object(json(of: comparison)) }
    if let tuned = row.tuned { arm["tuned"] = .object(json(of: tuned)) }
    if !row.failures.isEmpty {
      arm["failed"] = .array(row.failures.map { ["seed": .integer($0.seed), "reason": .string($0.reason)] })
    }
    arm["runs"] = .array(
      row.outcomes.map { run in
        var object = JSONObject()
        object["seed"] = .integer(run.seed)
        if case .object(let result) = run.outcome.result.json { for (key, value) in result { object[key] = value } }
        object["engine"] = run.outcome.times.engine.map { .string($0) }
        if includesTimes {
          object["seconds"] = .number(run.outcome.times.seconds)
          object["tokens_per_second"] = .number(run.outcome.times.tokensPerSecond)
        }
        return .object(object)
      })
    return .object(arm)
  }

  private func json(of finding: ProbeFinding) -> JSONValue {
    [
      "name": .string(finding.probe.name), "chance": .number(finding.probe.chance), "ceiling": 1,
      "arms": .array(
        rows.indices.map { index in
          var arm = JSONObject()
          arm["name"] = .string(rows[index].arm.name)
          arm["accuracies"] = .array(
            finding.accuracies[index].sorted { $0.key < $1.key }.map {
              ["seed": .integer($0.key), "accuracy": Self.number($0.value.isFinite ? $0.value : nil)]
            })
          if index > 0, let comparison = finding.comparisons[index - 1] {
            arm["wrong_answers"] = .object(json(of: comparison))
          }
          return .object(arm)
        }),
    ]
  }

  private func json(of tuned: TunedArm) -> JSONObject {
    var object = JSONObject()
    object["setting"] = .string(plan.study.tuning?.key ?? "")
    object["curve"] = .array(
      tuned.curve.points.map { ["factor": .number($0.factor), "loss": Self.number($0.loss.isFinite ? $0.loss : nil)] })
    object["best_at_edge"] = .bool(tuned.curve.isAtEdge)
    object["vertex"] = Self.number(tuned.curve.vertex)
    object["finalists"] = .array(
      tuned.finalists.map { finalist in
        [
          "factor": .number(finalist.factor), "value": .number(finalist.value),
          "losses": .array(
            finalist.losses.sorted { $0.key < $1.key }.map {
              ["seed": .integer($0.key), "loss": Self.number($0.value.isFinite ? $0.value : nil)]
            }),
        ]
      })
    object["best_factor"] = Self.number(tuned.chosen?.factor)
    object["best"] = Self.number(tuned.chosen?.value)
    if let comparison = tuned.comparison { object["difference"] = .object(json(of: comparison)) }
    return object
  }

  func json(of comparison: Comparison) -> JSONObject {
    var difference = JSONObject()
    difference["mean"] = Self.number(comparison.difference.mean)
    difference["percent"] = Self.number(comparison.percent)
    difference["half_width_95"] = Self.number(comparison.uncorrectedHalfWidth)
    difference["half_width"] = Self.number(comparison.halfWidth)
    difference["confidence"] = .number(comparison.confidence)
    difference["pairs"] = .string(comparison.difference.basis == .seeds ? "seeds" : "windows")
    difference["probability"] = Self.number(comparison.difference.probability)
    difference["probability_holm"] = Self.number(comparison.correctedProbability)
    difference["smallest_detectable"] = Self.number(comparison.smallestDetectable)
    difference["verdict"] = .string(comparison.verdict.rawValue)
    if let seeds = comparison.decidedAt { difference["decided_at_seeds"] = .integer(seeds) }
    return difference
  }

  static func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
}
