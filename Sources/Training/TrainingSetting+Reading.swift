import Components
import Files

extension TrainingSetting {
  /// What `text`, the value of a command's option, says; nil when it is not what the setting takes. Components are read
  /// by whoever reads YAML.
  public func value(ofOption text: String) -> JSONValue? {
    switch kind {
    case .integer(let range): Int(text).flatMap { range.contains($0) ? .integer($0) : nil }
    case .number(let range): Double(text).flatMap { range.contains($0) ? .number($0) : nil }
    case .part: Double(text).flatMap { $0 >= 0 && $0 < 1 ? .number($0) : nil }
    case .seed: UInt64(text).map { .string(String($0)) }
    case .word(let words): words.contains(text) ? .string(text) : nil
    case .flag: text == "true" || text == "false" ? .bool(text == "true") : nil
    case .component: .string(text)
    case .names:
      text.isEmpty
        ? nil : .array(text.split(separator: ",", omittingEmptySubsequences: false).map { .string(String($0)) })
    case .adapter: AdapterSettings(text).map { .object($0.json) }
    }
  }

  /// What it takes, in words: `a number from 1 on`.
  public var expectation: String {
    switch kind {
    case .integer(let range):
      range.upperBound > 1 << 14
        ? "a number of at least \(range.lowerBound)" : "a number from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range):
      range.upperBound > 1e6 ? "a number of at least 0" : "a number from 0 to \(Int(rounding: range.upperBound))"
    case .part: "a number from 0 up to, but not, 1"
    case .seed: "an integer from 0 to 2⁶⁴ − 1"
    case .word(let words): words.joined(separator: " or ")
    case .flag: "yes or no"
    case .component: "a name, or a group of YAML"
    case .names: "names, joined by commas"
    case .adapter: AdapterSettings.expectation
    }
  }
}

extension TrainingSettings {
  /// What the rows of `TrainingSetting.all` say is usual, in a study when `inStudy`.
  mutating func takeUsual(inStudy: Bool) {
    for setting in TrainingSetting.all {
      guard let value = (inStudy ? setting.usualInStudies : nil) ?? setting.usual else { continue }
      _ = setting.set(&self, value)
    }
  }

  /// Fills in what follows from the model's context, from the steps and from the machine, where `given`, the keys that
  /// were set, has not said it. A study validates ten times on the way.
  ///
  /// `tokens`, when given, are those of the run, and decide the steps; how many a step reads is known only when the context is.
  public mutating func settle(given: Set<String>, modelContext: Int, tokens: Int?, inStudy: Bool) {
    if !given.contains("context") { context = min(modelContext, context) }
    if let tokens { steps = (tokens - 1) / max(1, tokensPerStep) + 1 }
    if !given.contains("warmup") { warmup = min(warmup, steps / 10) }
    if inStudy, !given.contains("validate_every") { validateEvery = max(1, steps / 10) }
  }

  /// Sets `key` to `value`; false when that is of another kind.
  public mutating func set(_ key: String, to value: JSONValue) -> Bool {
    TrainingSetting.named(key).map { $0.set(&self, value) } ?? false
  }

  /// The settings that differ in `other`, of those that a result follows from.
  public func differences(from other: TrainingSettings) -> [TrainingSetting] {
    TrainingSetting.all.filter { $0.decidesResult && $0.get(self) != $0.get(other) }
  }
}

extension TrainingSetting {
  /// All settings as a table of Markdown.
  public static var table: String {
    var text = "| `train` option | key of `train:` in a study | takes | default | in a study | what it is |\n"
    text += "|---|---|---|---|---|---|\n"
    for setting in all {
      let cells = [
        "`--\(setting.option)`", setting.kindInStudies == nil ? "" : "`\(setting.key)`", setting.expectation,
        setting.usually, setting.kindInStudies == nil ? "" : setting.usuallyInStudies ?? "", setting.meaning,
      ]
      text += "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }
    return text
  }
}
