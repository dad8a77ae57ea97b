import Ablation
import Components
import Composition
import Files

/// What a study would do, before it does it.
struct PlanText {
  private let plan: StudyPlan
  private let cost: StudyCost

  init(_ plan: StudyPlan, _ cost: StudyCost) { (self.plan, self.cost) = (plan, cost) }

  var text: String {
    var table = TextTable([.left, .right, .right, .right, .right, .right, .left], flexible: [0, 6])
    table.add("arm", "parameters", "Δ params", "FLOPs/token", "memory", "time each", "sized")
    for (index, arm) in plan.arms.enumerated() {
      table.add([
        arm.name, Wording.count(arm.parameterCount),
        arm.isBaseline ? "baseline" : Wording.mismatch(arm, plan.study.hold),
        Wording.operations(arm.flopsPerToken), Wording.bytes(arm.training.memory),
        cost.runs[index].map { Wording.duration($0.seconds) } ?? (cost.isLeft(index) ? "unknown" : "finished"),
        arm.sizing.map { "\($0.path) = \($0.width)" } ?? "",
      ])
    }
    for (place, rung) in plan.rungs.enumerated() {
      let base = rung.plan.baseline
      table.add([
        "\(plan.baseline.name) at the size \(Tuning.words(rung.factor))", Wording.count(base.parameterCount), "",
        Wording.operations(base.flopsPerToken), Wording.bytes(base.training.memory),
        (cost.sizedRuns[place].first ?? nil).map { Wording.duration($0.seconds) } ?? "",
        "\(Wording.count(base.training.tokens)) tokens a run",
      ])
    }
    let tokens = plan.baseline.training.tokens
    return table.text(width: Console.width) + "\n"
      + "\(plan.arms.count) arms × \(plan.seeds.count) seeds"
      + (plan.rungs.isEmpty ? "" : " × \(plan.rungs.count + 1) sizes")
      + ", \(Wording.count(tokens)) tokens each\(plan.rungs.isEmpty ? "" : " at the base's size"): \(cost.sentence)\n"
      + (power.map { $0 + "\n" } ?? "")
  }

  /// What differences the seeds will show; nil while nothing is known of how much pairs stray.
  private var power: String? {
    guard let power = cost.power, plan.seeds.count > 1 else { return nil }
    let loss = power.loss
    let counts = Set([3, 5, 10] + [plan.seeds.count]).sorted()
    let parts = counts.compactMap { count in
      power.power.smallestDetectable(seeds: count).map {
        "\(count) from \(Wording.loss($0)) nats (\(Wording.percent($0 / loss * 100).replacing("+", with: ""))) on"
      }
    }
    var text =
      "Power, from \(power.source): differences are found four times in five with \(parts.joined(separator: ", with ")), among "
      + "\(power.power.comparisons) comparisons."
    if let schedule = plan.study.schedule, let least = power.power.smallestDetectable(seeds: plan.seeds.count) {
      let chance = schedule.chance(
        of: least, spread: power.power.spread, comparisons: power.power.comparisons)
      text +=
        " With looks on the way the last of these is found \(Int(rounding: chance.found * 100)) times in 100, with "
        + "\(Int(rounding: chance.seeds)) seeds on average."
    }
    return text
  }

  var json: JSONValue {
    [
      "study": .string(plan.study.name), "fingerprint": .string(plan.fingerprint),
      "seconds_left": .number(cost.total), "memory_bytes": .integer(cost.memory),
      "arms": .array(
        plan.arms.enumerated().map { index, arm in
          [
            "name": .string(arm.name), "parameters": .integer(arm.parameterCount), "mismatch": .number(arm.mismatch),
            "matched": .bool(arm.isMatched), "flops_per_token": .number(arm.flopsPerToken),
            "memory_bytes": .integer(arm.training.memory),
            "seconds": cost.runs[index].map { .number($0.seconds) } ?? .null,
            "sized": arm.sizing.map { [$0.path: .integer($0.width)] } ?? .null,
          ]
        }),
      "smallest_detectable": cost.power?.power.smallestDetectable(seeds: plan.seeds.count).map { .number($0) } ?? .null,
      "tasks": .array(
        cost.known.map {
          [
            "task": .integer($0.index), "arm": .string(plan.runName(of: $0)), "seed": .integer($0.seed),
            "key": .string($0.key),
          ]
        }),
    ]
  }
}
