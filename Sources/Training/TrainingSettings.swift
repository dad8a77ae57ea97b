import Checkpoints
import Components
import Execution
import Files

/// What a run is told besides its model: everything that its result follows from, and how often it validates and saves.
///
/// What each is called elsewhere, what it takes and what is usual stands in `TrainingSetting.all`, and nowhere else.
public struct TrainingSettings: Sendable {
  /// Steps of the optimizer.
  public var steps = 0
  /// Sequences in a batch.
  public var batch = 0
  /// Tokens in a sequence.
  public var context = 0
  /// Batches whose gradients are averaged for one step.
  public var accumulate = 0
  /// The peak learning rate; what suits the optimizer when nil.
  public var rate: Double?
  /// Steps over which the rate rises to its peak.
  public var warmup = 0
  /// The objective: its name, or a group of `type` and its options.
  public var objective: Setting
  /// The optimizer: its name, or a group of `type` and its options.
  public var optimizer: Setting
  /// The schedule, likewise.
  public var schedule: Setting
  /// The largest norm of all gradients together (gradient-norm clip); 0 for none.
  public var clip = 0.0
  /// What part of the numbers on their way to the residual stream are set to zero.
  public var dropout = 0.0
  /// The adapter that is trained instead of the model's own tensors; nil for none.
  public var lora: AdapterSettings?
  /// The parts of the model that stay as they are, by name.
  public var frozen: [String] = []
  /// The random seed: the data's order and dropout.
  public var seed: UInt64 = 0
  /// The random seed of the parameters; `seed` when nil.
  public var initSeed: UInt64?
  /// The part of the data that is kept for validation.
  public var validationFraction = 0.0
  /// Batches of a validation, spread evenly over the data; 0 for all.
  public var validationBatches = 0
  /// Steps from one validation to the next; 0 for none.
  public var validateEvery = 0
  /// Steps from one checkpoint to the next; 0 for one at the end.
  public var saveEvery = 0
  /// How many checkpoints are kept.
  public var keep = 0
  /// Threads to compute on.
  public var threads = 0
  /// What steps compute in, and what they keep.
  public var options = TrainingOptions(precision: .f32)

  /// The objectives, optimizers and schedules that can be named.
  public let registry: Registry

  /// What is usual, with what is usual in `registry`; in a study when `inStudy`.
  public init(_ registry: Registry, inStudy: Bool) {
    self.registry = registry
    objective = Setting(text: registry.defaultNames[.objective] ?? "")
    optimizer = Setting(text: registry.defaultNames[.optimizer] ?? "")
    schedule = Setting(text: registry.defaultNames[.schedule] ?? "")
    takeUsual(inStudy: inStudy)
  }

  /// Tokens in a step.
  public var tokensPerStep: Int { batch.multiplied(upTo: context).multiplied(upTo: accumulate) }

  /// Tokens in a whole run.
  public var tokens: Int { steps.multiplied(upTo: tokensPerStep) }

  /// The learning rate of every step; throws what is wrong with the optimizer or the schedule.
  public func learningRate() throws(Problems) -> LearningRate {
    let optimizer = try makeOptimizer()
    return LearningRate(
      peak: rate ?? type(of: optimizer).defaultLearningRate, warmup: warmup, steps: steps,
      schedule: try registry.make(.schedule, schedule, as: (any Schedule).self))
  }

  /// The optimizer; throws what is wrong with it.
  public func makeOptimizer() throws(Problems) -> any Optimizer {
    try registry.make(.optimizer, optimizer, as: (any Optimizer).self)
  }

  /// The objective; throws what is wrong with it.
  public func makeObjective() throws(Problems) -> any Objective {
    try registry.make(.objective, objective, as: (any Objective).self)
  }

  /// Whether the objective is the one that is meant where none is named.
  public var hasUsualObjective: Bool {
    let group = objective.asComponent
    return group["type"]?.text == registry.defaultNames[.objective] && group.entries?.count == 1
  }

  /// The components as a run's description will give them back, however they were written; throws what is wrong with
  /// them.
  public mutating func normalize() throws(Problems) {
    _ = try learningRate()
    _ = try makeObjective()
    objective = JSONValue(objective).setting
    optimizer = JSONValue(optimizer).setting
    schedule = JSONValue(schedule).setting
  }
}

extension TrainingSettings {
  /// The settings as JSON, one member each.
  public var json: JSONObject {
    var json = JSONObject()
    // What an older version did not know is written where it says anything, so that older runs keep their fingerprint.
    for setting in TrainingSetting.all {
      let value = setting.get(self)
      if !value.isNull || !setting.isLeftOut { json[setting.key] = value }
    }
    return json
  }

  /// The settings that `json` holds, with what `registry` names; nil when one is missing or of another kind.
  public init?(_ json: JSONObject, _ registry: Registry) {
    self.init(registry, inStudy: false)
    for setting in TrainingSetting.all {
      guard let value = json[setting.key] ?? (setting.mayBeAbsent ? .null : nil), setting.set(&self, value) else {
        return nil
      }
    }
  }
}
