import Components
import Execution
import Files

/// One setting of a training run: what it is called, what it takes, what stands in for it, and where it is kept.
///
/// `all` is the one declaration of every setting. The options of `chimera train`, the `train` group of a study, a run's
/// `training.json` and `Documentation/TrainingSettings.md` are read from it; a new setting is a row here and a property of
/// `TrainingSettings`.
public struct TrainingSetting: Sendable {
  /// What a setting takes.
  public enum Kind: Sendable, Equatable {
    /// An integer of a range.
    case integer(ClosedRange<Int>)
    /// A number of a range.
    case number(ClosedRange<Double>)
    /// A number from 0 up to, but not, 1.
    case part
    /// A random seed: 64 bits.
    case seed
    /// One of these words.
    case word([String])
    /// Yes or no.
    case flag
    /// A component of this slot: its name, or a group of `type` and its options.
    case component(Slot)
    /// Names of parts of the model.
    case names
    /// What `AdapterSettings` reads.
    case adapter
  }

  /// Its key in studies and in a run's description.
  public let key: String
  /// Its option of `chimera train`, without the dashes.
  public let option: String
  /// What it takes.
  public let kind: Kind
  /// What it takes in a study; nil where a study has its own way to say it.
  public let kindInStudies: Kind?
  /// What it means, in a few words.
  public let meaning: String
  /// What stands in for it when it is left out, in words.
  public let usually: String
  /// The same in a study, where that differs.
  public let usuallyInStudies: String?
  /// What help calls its value.
  public let valueName: String
  /// Whether only complete help tells of it.
  public let isHidden: Bool
  /// Whether the result of a run follows from it.
  public let decidesResult: Bool
  /// Whether a run's description may lack it: it was left out, or an older version did not know it.
  let mayBeAbsent: Bool
  /// Whether a run's description is written without it where it says nothing.
  let isLeftOut: Bool
  /// What stands in for it, where that does not follow from something else; of studies, where that differs.
  let usual: JSONValue?
  let usualInStudies: JSONValue?
  let get: @Sendable (TrainingSettings) -> JSONValue
  /// Takes a value, null for what is absent; false when it is of another kind.
  let set: @Sendable (inout TrainingSettings, JSONValue) -> Bool
}

extension TrainingSetting {
  /// Every setting, in the order in which a run's description has them.
  public static let all: [TrainingSetting] = [
    integer(
      "steps", \.steps, "optimizer steps", 2000, inStudies: 1000, range: 1...most, inStudiesRange: 0...most),
    integer("batch", \.batch, "batch size in sequences", 12, inStudies: 16, range: 1...1 << 20),
    integer(
      "context", \.context, "sequence length in tokens", 256, usually: "the model's, at most 256", range: 1...1 << 24),
    integer("accumulate", \.accumulate, "gradient accumulation: batches per step", 1, range: 1...1 << 15),
    optionalNumber("lr", \.rate, "peak learning rate", usually: "by optimizer", range: 0...1e3),
    integer(
      "warmup", \.warmup, "warmup steps", 100, usually: "100, at most a tenth of the steps",
      range: 0...most),
    // Runs of before this was a setting had the usual one.
    TrainingSetting(
      "objective", kind: .component(.objective), inStudies: .component(.objective), "training objective", usually: "",
      valueName: "o",
      mayBeAbsent: true, isLeftOut: true,
      get: { $0.hasUsualObjective ? .null : JSONValue($0.objective) },
      set: { settings, json in
        settings.objective =
          json.isNull ? Setting(text: settings.registry.defaultNames[.objective] ?? "") : json.setting
        return true
      }),
    component("optimizer", \.optimizer, .optimizer, "optimizer", valueName: "o"),
    component("schedule", \.schedule, .schedule, "learning-rate schedule", valueName: "s"),
    number(
      "clip", \.clip, .number(0...1e30), inStudies: .number(0...1e30), "gradient-norm clip; 0 for none", 1),
    number(
      "dropout", \.dropout, .part, inStudies: .number(0...0.99), "dropout probability", 0),
    TrainingSetting(
      "lora", kind: .adapter, inStudies: nil, "train a LoRA adapter, saved as PEFT does",
      usually: "", valueName: "r", mayBeAbsent: true, isLeftOut: true,
      get: { $0.lora.map { .object($0.json) } ?? .null },
      set: { settings, json in
        settings.lora = json.object.flatMap { AdapterSettings($0) }
        return json.isNull || settings.lora != nil
      }),
    TrainingSetting(
      "freeze", kind: .names, inStudies: .names, "parts of the model that stay as they are: stacks.image, layers.0",
      usually: "none", valueName: "parts", mayBeAbsent: true, isLeftOut: true,
      get: { $0.frozen.isEmpty ? .null : .array($0.frozen.map { .string($0) }) },
      set: { settings, json in
        settings.frozen = json.array?.compactMap(\.string) ?? []
        return json.isNull || json.array?.count == settings.frozen.count
      }),
    TrainingSetting(
      "seed", kind: .seed, inStudies: nil, "random seed", usually: "0", usual: .string("0"),
      get: { .string(String($0.seed)) },  // as a text, for JSON's readers may round integers beyond 2⁵³
      set: { settings, json in
        guard let seed = json.string.flatMap({ UInt64($0) }) else { return false }
        settings.seed = seed
        return true
      }),
    TrainingSetting(
      "init_seed", kind: .seed, inStudies: nil, "random seed of the initial parameters", usually: "the seed",
      isHidden: true,
      mayBeAbsent: true, get: { $0.initSeed.map { .string(String($0)) } ?? .null },
      set: { settings, json in
        settings.initSeed = json.string.flatMap { UInt64($0) }
        return json.isNull || settings.initSeed != nil
      }),
    number(
      "validation_fraction", \.validationFraction, .part, inStudies: .number(0.0001...0.9999),
      "fraction of the data, its end, for validation", 0.1, isHidden: true),
    integer(
      "validation_batches", option: "eval-batches", \.validationBatches, "batches per validation; 0 for all data", 50,
      range: 0...most, isHidden: true),
    integer(
      "validate_every", option: "eval-every", \.validateEvery, "steps between validations; 0 for none", 250,
      usuallyInStudies: "a tenth of the steps", range: 0...most, inStudiesRange: 1...most),
    integer(
      "save_every", \.saveEvery, "steps between checkpoints; 0 for one at the end", 250, range: 0...most,
      isInStudies: false, decidesResult: false),
    integer(
      "keep", \.keep, "number of checkpoints to keep", 2, range: 1...most, isInStudies: false, decidesResult: false),
    integer(
      "threads", \.threads, "number of threads", 1, usually: "all cores", range: 1...1024, isInStudies: false),
    // Runs that were begun before these were settings were in f32, and kept all.
    TrainingSetting(
      "arithmetic", kind: .word(TrainingOptions.Precision.allCases.map(\.rawValue)),
      inStudies: .word(TrainingOptions.Precision.allCases.map(\.rawValue)),
      "compute type of matrix multiplications: f32 or bf16", usually: "f32", valueName: "a", mayBeAbsent: true,
      usual: .string("f32"),
      get: { .string($0.options.precision.rawValue) },
      set: { settings, json in
        guard let precision = TrainingOptions.Precision(rawValue: json.isNull ? "f32" : json.string ?? "") else {
          return false
        }
        settings.options.precision = precision
        return true
      }),
    TrainingSetting(
      "recompute", kind: .flag, inStudies: nil, "activation recomputation: less memory, some more time", usually: "no",
      isHidden: true, mayBeAbsent: true, usual: .bool(false),
      get: { .bool($0.options.recomputation == .cheap) },
      set: { settings, json in
        settings.options.recomputation = json.bool == true ? .cheap : .none
        return json.isNull || json.bool != nil
      }),
  ]

  /// The setting of `key`.
  public static func named(_ key: String) -> TrainingSetting? { all.first { $0.key == key } }

  /// More steps than a machine does in a century.
  private static let most = 1 << 40

  private init(
    _ key: String, option: String? = nil, kind: Kind, inStudies: Kind?, _ meaning: String, usually: String,
    usuallyInStudies: String? = nil, valueName: String = "n", isHidden: Bool = false, decidesResult: Bool = true,
    mayBeAbsent: Bool = false, isLeftOut: Bool = false, usual: JSONValue? = nil, usualInStudies: JSONValue? = nil,
    get: @escaping @Sendable (TrainingSettings) -> JSONValue,
    set: @escaping @Sendable (inout TrainingSettings, JSONValue) -> Bool
  ) {
    (self.key, self.option) = (key, option ?? key.replacing("_", with: "-"))
    (self.kind, kindInStudies, self.meaning) = (kind, inStudies, meaning)
    (self.usually, self.usuallyInStudies) = (usually, usuallyInStudies)
    (self.valueName, self.isHidden, self.decidesResult) = (valueName, isHidden, decidesResult)
    (self.mayBeAbsent, self.usual, self.usualInStudies) = (mayBeAbsent, usual, usualInStudies)
    self.isLeftOut = isLeftOut
    (self.get, self.set) = (get, set)
  }

  private static func integer(
    _ key: String, option: String? = nil, _ path: WritableKeyPath<TrainingSettings, Int> & Sendable, _ meaning: String,
    _ usual: Int, inStudies: Int? = nil, usually: String? = nil, usuallyInStudies: String? = nil,
    range: ClosedRange<Int>, inStudiesRange: ClosedRange<Int>? = nil, isInStudies: Bool = true, isHidden: Bool = false,
    decidesResult: Bool = true
  ) -> TrainingSetting {
    TrainingSetting(
      key, option: option, kind: .integer(range),
      inStudies: isInStudies ? .integer(inStudiesRange ?? range) : nil, meaning, usually: usually ?? String(usual),
      usuallyInStudies: usuallyInStudies ?? inStudies.map(String.init), isHidden: isHidden,
      decidesResult: decidesResult, usual: .integer(usual), usualInStudies: inStudies.map { .integer($0) },
      get: { .integer($0[keyPath: path]) },
      set: { settings, json in
        guard let value = json.integer else { return false }
        settings[keyPath: path] = value
        return true
      })
  }

  private static func number(
    _ key: String, _ path: WritableKeyPath<TrainingSettings, Double> & Sendable, _ kind: Kind, inStudies: Kind,
    _ meaning: String, _ usual: Double, isHidden: Bool = false
  ) -> TrainingSetting {
    TrainingSetting(
      key, kind: kind, inStudies: inStudies, meaning,
      usually: usual == usual.rounded() ? String(Int(rounding: usual)) : String(usual), valueName: "x",
      isHidden: isHidden, usual: .number(usual), get: { .number($0[keyPath: path]) },
      set: { settings, json in
        guard let value = json.number else { return false }
        settings[keyPath: path] = value
        return true
      })
  }

  private static func optionalNumber(
    _ key: String, _ path: WritableKeyPath<TrainingSettings, Double?> & Sendable, _ meaning: String, usually: String,
    range: ClosedRange<Double>
  ) -> TrainingSetting {
    TrainingSetting(
      key, kind: .number(range), inStudies: .number(range), meaning, usually: usually, valueName: "x",
      mayBeAbsent: true, get: { $0[keyPath: path].map { .number($0) } ?? .null },
      set: { settings, json in
        settings[keyPath: path] = json.number
        return json.isNull || json.number != nil
      })
  }

  private static func component(
    _ key: String, _ path: WritableKeyPath<TrainingSettings, Setting> & Sendable, _ slot: Slot, _ meaning: String,
    valueName: String
  ) -> TrainingSetting {
    TrainingSetting(
      key, kind: .component(slot), inStudies: .component(slot), meaning, usually: "", valueName: valueName,
      get: { JSONValue($0[keyPath: path]) },
      set: { settings, json in
        settings[keyPath: path] = json.setting
        return !json.isNull
      })
  }
}
