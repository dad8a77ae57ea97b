import Checkpoints
import Components
import Execution
import Files

/// What a run is told besides its model: everything that its result follows from, and how often it looks up.
public struct TrainingSettings: Sendable {
  /// Steps of the optimizer.
  public var steps = 2000
  /// Sequences in a batch.
  public var batch = 12
  /// Tokens in a sequence.
  public var context = 64
  /// Batches whose gradients are averaged for one step.
  public var accumulate = 1
  /// The peak learning rate; what suits the optimizer when nil.
  public var rate: Double?
  /// Steps over which the rate rises to its peak.
  public var warmup = 100
  /// The optimizer: its name, or a group of `type` and its options.
  public var optimizer: Setting
  /// The schedule, likewise.
  public var schedule: Setting
  /// The length that gradients are cut to; 0 for not.
  public var clip = 1.0
  /// What part of the numbers on their way to the residual stream are set to zero.
  public var dropout = 0.0
  /// Where random numbers start: the data's order and dropout.
  public var seed: UInt64 = 0
  /// Where the parameters' random numbers start; `seed` when nil.
  public var initSeed: UInt64?
  /// The part of the data that is kept for validation.
  public var validationFraction = 0.1
  /// Batches of a validation, spread evenly over the data; 0 for all.
  public var validationBatches = 50
  /// Steps from one validation to the next; 0 for none.
  public var validateEvery = 250
  /// Steps from one checkpoint to the next; 0 for one at the end.
  public var saveEvery = 250
  /// How many checkpoints are kept.
  public var keep = 2
  /// Threads to compute on.
  public var threads = 1
  /// What steps compute in, and what they keep.
  public var options = TrainingOptions()

  /// The optimizers and schedules that can be named.
  let registry: Registry

  /// 2,000 steps of what is usual in `registry`.
  public init(_ registry: Registry) {
    self.registry = registry
    optimizer = Setting(text: registry.usualNames[.optimizer] ?? "")
    schedule = Setting(text: registry.usualNames[.schedule] ?? "")
  }

  /// Tokens in a step.
  public var tokensPerStep: Int { batch * context * accumulate }

  /// The learning rate of every step; throws what is wrong with the optimizer or the schedule.
  public func learningRate() throws(Problems) -> LearningRate {
    let optimizer = try makeOptimizer()
    return LearningRate(
      peak: rate ?? type(of: optimizer).usualRate, warmup: warmup, steps: steps,
      schedule: try registry.make(.schedule, schedule, as: (any Schedule).self))
  }

  /// The optimizer; throws what is wrong with it.
  func makeOptimizer() throws(Problems) -> any Optimizer {
    try registry.make(.optimizer, optimizer, as: (any Optimizer).self)
  }
}

extension TrainingSettings {
  /// The settings as JSON, one member each.
  public var json: JSONObject {
    var json = JSONObject()
    json["steps"] = .integer(steps)
    json["batch"] = .integer(batch)
    json["context"] = .integer(context)
    json["accumulate"] = .integer(accumulate)
    json["lr"] = rate.map { .number($0) } ?? .null
    json["warmup"] = .integer(warmup)
    json["optimizer"] = JSONValue(optimizer)
    json["schedule"] = JSONValue(schedule)
    json["clip"] = .number(clip)
    json["dropout"] = .number(dropout)
    json["seed"] = .string(String(seed))  // as a text, for JSON's readers may round integers beyond 2⁵³
    json["init_seed"] = initSeed.map { .string(String($0)) } ?? .null
    json["validation_fraction"] = .number(validationFraction)
    json["validation_batches"] = .integer(validationBatches)
    json["validate_every"] = .integer(validateEvery)
    json["save_every"] = .integer(saveEvery)
    json["keep"] = .integer(keep)
    json["threads"] = .integer(threads)
    json["arithmetic"] = .string(options.precision.rawValue)
    json["recompute"] = .bool(options.recomputation == .cheap)
    return json
  }

  /// The settings that `json` holds, with what `registry` names; nil when one is missing or of another kind.
  public init?(_ json: JSONObject, _ registry: Registry) {
    self.init(registry)
    func integer(_ key: String) -> Int? { json[key]?.integer }
    func number(_ key: String) -> Double? { json[key]?.number }
    guard let steps = integer("steps"), let batch = integer("batch"), let context = integer("context"),
      let accumulate = integer("accumulate"), let warmup = integer("warmup"), let optimizer = json["optimizer"],
      let schedule = json["schedule"], let clip = number("clip"), let dropout = number("dropout"),
      let seed = json["seed"]?.string.flatMap({ UInt64($0) }), let fraction = number("validation_fraction"),
      let validationBatches = integer("validation_batches"), let validateEvery = integer("validate_every"),
      let saveEvery = integer("save_every"), let keep = integer("keep"), let threads = integer("threads")
    else { return nil }
    (self.steps, self.batch, self.context, self.accumulate) = (steps, batch, context, accumulate)
    (self.warmup, self.clip, self.dropout, self.seed) = (warmup, clip, dropout, seed)
    rate = number("lr")
    initSeed = json["init_seed"]?.string.flatMap { UInt64($0) }
    self.optimizer = optimizer.setting
    self.schedule = schedule.setting
    validationFraction = fraction
    (self.validationBatches, self.validateEvery, self.saveEvery) = (validationBatches, validateEvery, saveEvery)
    (self.keep, self.threads) = (keep, threads)
    // Runs that were begun before these were settings were in f32, and kept all.
    guard let precision = TrainingOptions.Precision(rawValue: json["arithmetic"]?.string ?? "f32") else { return nil }
    options.precision = precision
    options.recomputation = json["recompute"]?.bool == true ? .cheap : .none
  }
}
