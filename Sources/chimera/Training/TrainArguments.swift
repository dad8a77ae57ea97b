import ArgumentParser
import Checkpoints
import Components
import Execution
import Files
import Specification
import Training

/// The options of `train` that are a run's settings; what is left out keeps its default, or what the run began with.
struct TrainArguments: ParsableArguments {
  @Option(parsing: .unconditional, help: "Optimizer steps. [2000]".with("n")) var steps: Int?
  @Option(parsing: .unconditional, help: "Batch size in sequences. [12]".with("n")) var batch: Int?
  @Option(parsing: .unconditional, help: "Sequence length in tokens. [the model's, at most 256]".with("n")) var context:
    Int?
  @Option(parsing: .unconditional, help: "Gradient accumulation: batches per step. [1]".with("n")) var accumulate: Int?
  @Option(name: .customLong("lr"), parsing: .unconditional, help: "Peak learning rate. [by optimizer]".with("x"))
  var rate: Double?
  @Option(parsing: .unconditional, help: "Warmup steps. [100]".with("n")) var warmup: Int?
  @Option(help: "adamw, sgd, lion, muon, {type: adamw, beta2: 0.99}".with("o")) var optimizer: String?
  @Option(help: "cosine, linear, wsd, constant, {type: wsd, …}".with("s")) var schedule: String?
  @Option(parsing: .unconditional, help: "Gradient-norm clip; 0: none. [1]".with("x")) var clip: Double?
  @Option(parsing: .unconditional, help: "Dropout probability. [0]".with("x")) var dropout: Double?
  @Option(parsing: .unconditional, help: "Random seed. [0]".with("n")) var seed: UInt64?
  @Option(parsing: .unconditional, help: "Random seed of the initial parameters. [the seed]".hidden("n"))
  var initSeed: UInt64?
  @Option(parsing: .unconditional, help: "Fraction of the data, its end, for validation. [0.1]".hidden("x"))
  var validationFraction: Double?
  @Option(parsing: .unconditional, help: "Steps between validations; 0: none. [250]".with("n")) var evalEvery: Int?
  @Option(parsing: .unconditional, help: "Batches per validation; 0 for all data. [50]".hidden("n")) var evalBatches:
    Int?
  @Option(parsing: .unconditional, help: "Steps between checkpoints; 0: at the end. [250]".with("n")) var saveEvery:
    Int?
  @Option(parsing: .unconditional, help: "Number of checkpoints to keep. [2]".with("n")) var keep: Int?
  @Option(parsing: .unconditional, help: "Number of threads. [all cores]".with("n")) var threads: Int?
  @Option(help: "Compute type of matrix multiplications: f32 or bf16. [f32]".with("a")) var arithmetic:
    TrainingOptions.Precision?
  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp("Activation recomputation: less memory, some more time.", visibility: .hidden)
  )
  var recompute: Bool?

  /// The options that take YAML.
  static let sources = ["--optimizer", "--schedule"]

  func validate() throws {
    var mistakes = Mistakes()
    func check(_ name: String, _ value: Int?, from least: Int, to most: Int = 1 << 40) {
      mistakes.note(
        "--\(name) takes a number of at least \(least)", if: value.map { !(least...most).contains($0) } ?? false)
    }
    check("steps", steps, from: 1)
    check("batch", batch, from: 1, to: 1 << 20)
    check("context", context, from: 1, to: 1 << 24)
    check("accumulate", accumulate, from: 1, to: 1 << 15)
    check("warmup", warmup, from: 0)
    check("eval-every", evalEvery, from: 0)
    check("eval-batches", evalBatches, from: 0)
    check("save-every", saveEvery, from: 0)
    check("keep", keep, from: 1)
    mistakes.note("--threads takes a number from 1 to 1024", if: threads.map { !(1...1024).contains($0) } ?? false)
    mistakes.note("--lr takes a number from 0 to 1000", if: rate.map { !($0 >= 0 && $0 <= 1e3) } ?? false)
    mistakes.note("--clip takes a number of at least 0", if: clip.map { !($0 >= 0 && $0.isFinite) } ?? false)
    mistakes.note(
      "--dropout takes a number from 0 up to, but not, 1", if: dropout.map { !($0 >= 0 && $0 < 1) } ?? false)
    mistakes.note(
      "--validation-fraction takes a number from 0 up to, but not, 1",
      if: validationFraction.map { !($0 >= 0 && $0 < 1) } ?? false)
    try mistakes.check()
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
    if let arithmetic { settings.options.precision = arithmetic }
    if let recompute { settings.options.recomputation = recompute ? .cheap : .none }
    _ = try settings.learningRate()
    // As the run's description will give them back, however they were written.
    settings.optimizer = JSONValue(settings.optimizer).setting
    settings.schedule = JSONValue(settings.schedule).setting
    return settings
  }

  /// The setting that `text` writes, the value of `option`.
  private func read(_ text: String, _ option: String) throws -> Setting { try YAMLReader(source: option).read(text) }
}

extension TrainingOptions.Precision: ExpressibleByArgument {}

extension String {
  /// The text as an option's help, whose value is called `name`.
  func with(_ name: String) -> ArgumentHelp { ArgumentHelp(self, valueName: name) }
  /// The same for an option that only --help-hidden tells of.
  func hidden(_ name: String) -> ArgumentHelp { ArgumentHelp(self, valueName: name, visibility: .hidden) }
}
