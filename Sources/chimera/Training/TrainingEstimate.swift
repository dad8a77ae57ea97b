import Components
import Composition
import Describing
import Execution
import Files
import Kernels
import Training

/// What a run would take: memory by what takes it, and time as a few steps have it.
struct TrainingEstimate {
  private let need: MemoryNeed
  private let available: Int?
  private let prepared: PreparedTraining
  private let tokensPerSecond: Double?
  private let seconds: Double?

  /// Does a few steps when they fit; the first warms up and is not measured.
  init(_ prepared: PreparedTraining, _ need: MemoryNeed, pool: ThreadPool) throws {
    self.need = need
    self.prepared = prepared
    available = MemoryNeed.available()
    guard available.map({ need.total <= $0 }) ?? true else {
      (tokensPerSecond, seconds) = (nil, nil)
      return
    }
    let settings = prepared.description.settings
    let trainer = try prepared.trainer(pool: pool)
    _ = try trainer.advance()
    let clock = ContinuousClock()
    let start = clock.now
    var steps = 0
    while steps < 3 || (steps < 20 && clock.now - start < .seconds(2)) {
      _ = try trainer.advance()
      steps += 1
    }
    let passed = clock.now - start
    let step = (Double(passed.components.seconds) + Double(passed.components.attoseconds) * 1e-18) / Double(steps)
    tokensPerSecond = Double(settings.tokensPerStep) / step
    seconds = step * Double(settings.steps)
  }

  /// Writes it as the result, or refuses the run with the numbers.
  func write(json: Bool) throws {
    let settings = prepared.description.settings
    let plan = prepared.plan
    if json {
      var document = JSONObject()
      document["model"] = .string(plan.name)
      document["parameters"] = .integer(plan.parameterCount)
      document["bytes"] = [
        "parameters": .integer(need.parameters), "optimizer": .integer(need.moments), "working": .integer(need.working),
        "total": .integer(need.total), "available": available.map { .integer($0) } ?? .null,
      ]
      document["tokens"] = .integer(settings.tokens)
      document["tokens_per_second"] = tokensPerSecond.map { .number($0) } ?? .null
      document["seconds"] = seconds.map { .number($0) } ?? .null
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      var table = TextTable([.left, .right])
      table.add(["parameters", plan.parameterCount.grouped])
      switch prepared.corpus {
      case .text(let training, let validation):
        table.add(["training tokens", training.count.grouped])
        table.add(["validation tokens", (validation?.count ?? 0).grouped])
      case .pictures(let training, let validation):
        let isOfCaptions = (try? type(of: settings.makeObjective()).data) == .captions
        let items = isOfCaptions ? "captions" : "questions"
        table.add(["training \(items)", training.count.grouped])
        table.add(["validation \(items)", (validation?.count ?? 0).grouped])
      }
      table.add(["memory for parameters", Quantity.bytes(need.parameters)])
      table.add(["memory for the optimizer", Quantity.bytes(need.moments)])
      table.add(["memory for activations and gradients", Quantity.bytes(need.working)])
      table.add(["memory in total", Quantity.bytes(need.total)])
      if let available { table.add(["memory available", Quantity.bytes(available)]) }
      if let tokensPerSecond { table.add(["tokens/s", Int(rounding: tokensPerSecond).grouped]) }
      if let seconds { table.add(["time for \(settings.steps.grouped) steps", ProgressLine.time(seconds)]) }
      Console.write(table.text())
    }
    try need.check()
  }
}
