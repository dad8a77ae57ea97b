import Components
import Files
import Training

/// How the `train` group of a study is read as the settings of a run.
enum StudySettings {
  /// The settings that `training` writes; `tokens`, when given, decides the steps. Throws every problem with its place.
  ///
  /// Steps left out are 1,000, or none when a trained model only loses parts.
  static func read(
    _ training: Setting, context usualContext: Int, tokens: Int?, threads: Int, isHealing: Bool, _ registry: Registry
  ) throws(Problems) -> TrainingSettings {
    var own = training
    for key in ["optimizer", "schedule"] { own[key] = nil }
    let defaults = TrainingSettings(registry)
    var settings = try Options.reading(own, path: "train") { options in
      var settings = defaults
      settings.batch = options.integer("batch", default: 16, in: 1...1 << 20, "batch size in sequences")
      settings.context = options.integer(
        "context", default: min(usualContext, 256), in: 1...1 << 24, "sequence length in tokens")
      settings.accumulate = options.integer(
        "accumulate", default: 1, in: 1...1 << 15, "gradient accumulation: batches per step")
      settings.steps = options.integer(
        "steps", default: isHealing ? 0 : 1000, in: 0...1 << 40, "optimizer steps")
      settings.rate = options.setNumber("lr", in: 0...1e3, "the peak learning rate")
      settings.warmup =
        options.optionalInteger("warmup", in: 0...1 << 40, "warmup steps") ?? -1
      settings.clip = options.number("clip", default: 1, in: 0...1e30, "gradient-norm clip; 0 for none")
      settings.dropout = options.number(
        "dropout", default: 0, in: 0...0.99, "dropout probability")
      settings.options.precision = options.choice("arithmetic", default: .f32, "compute type of matrix multiplications")
      settings.validationFraction = options.number(
        "validation_fraction", default: 0.1, in: 0.0001...0.9999, "fraction of the data, its end, for validation")
      settings.validationBatches = options.integer(
        "validation_batches", default: 50, in: 0...1 << 40, "batches per validation; 0 for all")
      settings.validateEvery =
        options.optionalInteger(
          "validate_every", in: 1...1 << 40, "steps between validations; a tenth of all by default") ?? -1
      return settings
    }
    if let tokens {
      if let steps = training["steps"] {
        throw Problems([
          Problem(
            "'hold' gives every run \(tokens) tokens, so 'steps' is not free", at: steps.place,
            hint: "leave out one of them")
        ])
      }
      settings.steps = (tokens + settings.tokensPerStep - 1) / settings.tokensPerStep
    }
    if settings.warmup < 0 { settings.warmup = min(100, settings.steps / 10) }
    if settings.validateEvery < 0 { settings.validateEvery = max(1, settings.steps / 10) }
    if let optimizer = training["optimizer"] { settings.optimizer = optimizer }
    if let schedule = training["schedule"] { settings.schedule = schedule }
    settings.threads = threads
    _ = try settings.learningRate()
    settings.optimizer = JSONValue(settings.optimizer).setting
    settings.schedule = JSONValue(settings.schedule).setting
    return settings
  }

  /// The settings that decide a result, by name; not the seed, which is the task's, and not the threads.
  static func entries(of settings: TrainingSettings) -> [TrainingDescription.Entry] {
    let besides = ["seed", "init_seed", "save_every", "keep", "threads", "recompute"]
    return settings.json.filter { !besides.contains($0.0) && !$0.1.isNull }.map {
      TrainingDescription.Entry($0.0, $0.1.string ?? $0.1.serialized())
    }
  }
}

extension Options {
  /// The number under `key`, or nil when it is left out.
  fileprivate func setNumber(_ key: String, in range: ClosedRange<Double>, _ meaning: String) -> Double? {
    let unset = -Double.greatestFiniteMagnitude
    let value = number(key, default: unset, in: unset...range.upperBound, meaning)
    return value == unset ? nil : value
  }
}
