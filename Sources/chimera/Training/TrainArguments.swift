import ArgumentParser
import Checkpoints
import Components
import Files
import Specification
import Training

/// The options of `train` that are a run's settings; what is left out keeps its default, or what the run began with.
struct TrainArguments: ParsableArguments {
  @Option(parsing: .unconditional, help: "Steps of the optimizer. [2000]") var steps: Int?
  @Option(parsing: .unconditional, help: "Sequences in a batch. [12]") var batch: Int?
  @Option(parsing: .unconditional, help: "Tokens in a sequence. [the model's context, at most 256]") var context: Int?
  @Option(parsing: .unconditional, help: "Batches whose gradients make one step. [1]") var accumulate: Int?
  @Option(name: .customLong("lr"), parsing: .unconditional, help: "The peak learning rate. [the optimizer's own]") var rate: Double?
  @Option(parsing: .unconditional, help: "Steps in which the rate rises to its peak. [100]") var warmup: Int?
  @Option(help: "adamw, sgd, lion, muon, or {type: adamw, beta2: 0.99, …}. [adamw]") var optimizer: String?
  @Option(help: "constant, linear, cosine, wsd, or {type: cosine, final: 0.1}. [cosine]") var schedule: String?
  @Option(parsing: .unconditional, help: "The length gradients are cut to; 0 for not. [1]") var clip: Double?
  @Option(parsing: .unconditional, help: "The part of the residual line's inputs that is dropped. [0]") var dropout: Double?
  @Option(parsing: .unconditional, help: "Where random numbers start. [0]") var seed: UInt64?
  @Option(parsing: .unconditional, help: "Where the parameters' random numbers start. [the seed]") var initSeed: UInt64?
  @Option(parsing: .unconditional, help: "The last part of the data, kept for validation. [0.1]") var validationFraction: Double?
  @Option(parsing: .unconditional, help: "Steps between validations; 0 for none. [250]") var evalEvery: Int?
  @Option(parsing: .unconditional, help: "Batches of a validation; 0 for all data. [50]") var evalBatches: Int?
  @Option(parsing: .unconditional, help: "Steps between checkpoints; 0 for one at the end. [250]") var saveEvery: Int?
  @Option(parsing: .unconditional, help: "How many checkpoints are kept. [2]") var keep: Int?
  @Option(parsing: .unconditional, help: "Threads to compute on. [all cores]") var threads: Int?

  func validate() throws {
    func check(_ name: String, _ value: Int?, from least: Int, to most: Int = 1 << 40) throws {
      if let value, !(least...most).contains(value) { throw ValidationError("--\(name) takes a number from \(least) on") }
    }
    try check("steps", steps, from: 1)
    try check("batch", batch, from: 1, to: 1 << 20)
    try check("context", context, from: 1, to: 1 << 24)
    try check("accumulate", accumulate, from: 1, to: 1 << 15)
    try check("warmup", warmup, from: 0)
    try check("eval-every", evalEvery, from: 0)
    try check("eval-batches", evalBatches, from: 0)
    try check("save-every", saveEvery, from: 0)
    try check("keep", keep, from: 1)
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads takes a number from 1 to 1024") }
    if let rate, !(rate >= 0 && rate <= 1e3) { throw ValidationError("--lr takes a number from 0 to 1000") }
    if let clip, !(clip >= 0 && clip.isFinite) { throw ValidationError("--clip takes a number from 0 on") }
    if let dropout, !(dropout >= 0 && dropout < 1) { throw ValidationError("--dropout takes a number from 0 up to, but not, 1") }
    if let fraction = validationFraction, !(fraction >= 0 && fraction < 1) {
      throw ValidationError("--validation-fraction takes a number from 0 up to, but not, 1")
    }
  }

  /// `settings` with what was given.
  func apply(to settings: TrainingSettings) throws -> TrainingSettings {
    var settings = settings
    if let steps { settings.steps = steps }
    if let batch { settings.batch = batch }
    if let context { settings.context = context }
    if let accumulate { settings.accumulate = accumulate }
    if let rate { settings.rate = rate }
    if let warmup { settings.warmup = warmup }
    if let optimizer { settings.optimizer = try read(optimizer, "--optimizer") }
    if let schedule { settings.schedule = try read(schedule, "--schedule") }
    if let clip { settings.clip = clip }
    if let dropout { settings.dropout = dropout }
    if let seed { settings.seed = seed }
    if let initSeed { settings.initSeed = initSeed }
    if let validationFraction { settings.validationFraction = validationFraction }
    if let evalEvery { settings.validateEvery = evalEvery }
    if let evalBatches { settings.validationBatches = evalBatches }
    if let saveEvery { settings.saveEvery = saveEvery }
    if let keep { settings.keep = keep }
    if let threads { settings.threads = threads }
    _ = try settings.learningRate()
    return settings
  }

  private func read(_ text: String, _ option: String) throws -> Setting {
    try YAMLReader(source: option).read(text).withoutPlaces
  }
}

extension Setting {
  /// The same, however it was written: as JSON would give it back.
  fileprivate var withoutPlaces: Setting { JSONValue(self).setting }
}
