import Components
import Files
import Training

/// How the `train` group of a study is read as the settings of a run: by the rows of `TrainingSetting.all`.
enum StudySettings {
  /// The settings that `training` writes; `tokens`, when given, decides the steps. Throws every problem with its place.
  ///
  /// Steps left out are none when a trained model only loses parts.
  static func read(
    _ training: Setting, context usualContext: Int, tokens: Int?, threads: Int, isHealing: Bool, _ registry: Registry
  ) throws(Problems) -> TrainingSettings {
    var defaults = TrainingSettings(registry, inStudy: true)
    if isHealing { defaults.steps = 0 }
    var own = training
    for setting in TrainingSetting.all {
      if case .component = setting.kindInStudies { own[setting.key] = nil }
      if setting.kindInStudies == .names { own[setting.key] = nil }
    }
    var names: [String: JSONValue] = [:]
    for setting in TrainingSetting.all where setting.kindInStudies == .names {
      guard let written = training[setting.key] else { continue }
      let items = written.list?.map(\.text) ?? [written.text]
      guard items.allSatisfy({ $0 != nil }) else {
        throw Problems([
          Problem(
            "'\(setting.key)' takes a list of names, not \(written.kindInWords)", at: written.place,
            hint: "\(setting.key): [stacks.image]")
        ])
      }
      names[setting.key] = .array(items.compactMap(\.self).map { .string($0) })
    }
    var given: Set<String> = []
    var settings = try Options.reading(own, path: "train") { options in
      var settings = defaults
      for setting in TrainingSetting.all {
        guard let value = read(setting, options) else { continue }
        given.insert(setting.key)
        _ = settings.set(setting.key, to: value)
      }
      return settings
    }
    if let tokens, let steps = training["steps"] {
      throw Problems([
        Problem(
          "'hold' or 'budget' gives every run \(tokens) tokens, so 'steps' is not free", at: steps.place,
          hint: "leave out one of them")
      ])
    }
    settings.settle(given: given, modelContext: usualContext, tokens: tokens, inStudy: true)
    if let objective = training["objective"] { settings.objective = objective }
    if let optimizer = training["optimizer"] { settings.optimizer = optimizer }
    if let schedule = training["schedule"] { settings.schedule = schedule }
    for (key, value) in names { _ = settings.set(key, to: value) }
    settings.threads = threads
    try settings.normalize()
    return settings
  }

  /// What `options` say of `setting`; nil when they leave it out, or it is no study's.
  private static func read(_ setting: TrainingSetting, _ options: Options) -> JSONValue? {
    switch setting.kindInStudies {
    case nil, .component, .names, .seed, .adapter: nil
    case .integer(let range): options.optionalInteger(setting.key, in: range, setting.meaning).map { .integer($0) }
    case .number(let range): options.optionalNumber(setting.key, in: range, setting.meaning).map { .number($0) }
    case .part: options.optionalNumber(setting.key, in: 0...0.9999, setting.meaning).map { .number($0) }
    case .word(let words): options.optionalWord(setting.key, words, setting.meaning).map { .string($0) }
    case .flag: options.optionalFlag(setting.key, setting.meaning).map { .bool($0) }
    }
  }

  /// The settings that decide a result, by name; not the seed, which is the task's, and not the threads.
  static func entries(of settings: TrainingSettings) -> [TrainingDescription.Entry] {
    let keys = Set(TrainingSetting.all.filter { $0.kindInStudies != nil }.map(\.key))
    return settings.json.filter { keys.contains($0.0) && !$0.1.isNull }.map {
      TrainingDescription.Entry($0.0, $0.1.string ?? $0.1.serialized())
    }
  }
}
