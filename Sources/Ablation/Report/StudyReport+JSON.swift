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
    document["noise_floor"] = Self.number(statistics.noiseFloor)
    document["arms"] = .array(rows.map { json(of: $0) })
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
    if let comparison = row.comparison {
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
      arm["difference"] = .object(difference)
    }
    if !row.failures.isEmpty {
      arm["failed"] = .array(row.failures.map { ["seed": .integer($0.seed), "reason": .string($0.reason)] })
    }
    arm["runs"] = .array(
      row.outcomes.map { run in
        var object = JSONObject()
        object["seed"] = .integer(run.seed)
        if case .object(let result) = run.outcome.result.json { for (key, value) in result { object[key] = value } }
        if includesTimes {
          object["seconds"] = .number(run.outcome.times.seconds)
          object["tokens_per_second"] = .number(run.outcome.times.tokensPerSecond)
        }
        return .object(object)
      })
    return .object(arm)
  }

  private static func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
}
