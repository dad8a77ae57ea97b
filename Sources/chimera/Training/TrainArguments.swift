import ArgumentParser
import Components
import Files
import Specification
import Training

/// The options of `train` that are a run's settings, one for each row of `TrainingSetting.all`; what is left out keeps its
/// default, or what the run began with.
///
/// Options are usually properties, which argument-parser finds by reflection. These are handed to it by a mirror of its
/// own instead, so that a setting is declared in one place.
struct TrainArguments: ParsableArguments, CustomReflectable {
  /// What was given, by the settings' keys, as it was written.
  private var texts: [String: String] = [:]

  init() {}

  /// What `pairs` say, each an option's name without dashes and its value: `steps=50`.
  init(_ pairs: [String], option: String) throws {
    for pair in pairs {
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2,
        let setting = TrainingSetting.all.first(where: { $0.option == parts[0] || $0.key == parts[0] })
      else {
        let known = TrainingSetting.all.map(\.option).joined(separator: ", ")
        throw ValidationError(
          "\(option) takes a setting of train and its value, such as steps=50, not '\(pair.prefix(60))'; there are \(known)"
        )
      }
      texts[setting.key] = parts[1] == "yes" ? "true" : parts[1] == "no" ? "false" : parts[1]
    }
    try validate()
  }

  var customMirror: Mirror {
    Mirror(self, children: TrainingSetting.all.map { (label: "_" + $0.key, value: Self.argument($0)) })
  }

  /// The components that help tells of.
  private static let names: [Slot: [String]] = {
    guard let registry = try? Extensions.registry() else { return [:] }
    let slots = TrainingSetting.all.compactMap { if case .component(let slot) = $0.kind { slot } else { nil as Slot? } }
    return Dictionary(uniqueKeysWithValues: slots.map { ($0, registry.names(in: $0)) })
  }()

  private static func argument(_ setting: TrainingSetting) -> Any {
    let name = NameSpecification.customLong(setting.option)
    let usually = setting.usually.isEmpty || setting.kind == .flag ? "" : " [\(setting.usually)]"
    let meaning = setting.meaning.prefix(1).uppercased() + setting.meaning.dropFirst()
    var text = "\(meaning).\(usually)"
    if case .component(let slot) = setting.kind {
      text = "\(meaning): \((names[slot] ?? []).joined(separator: ", ")), or {type: NAME, option: value}."
    }
    let help = ArgumentHelp(
      text, valueName: setting.valueName, visibility: setting.isHidden ? .hidden : .default)
    if setting.kind == .flag { return Flag<Bool?>(name: name, inversion: .prefixedNo, help: help) }
    return Option<String?>(name: name, parsing: .unconditional, help: help)
  }

  private struct Key: CodingKey {
    let stringValue: String
    let intValue: Int? = nil
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for setting in TrainingSetting.all {
      let key = Key(stringValue: setting.key)
      if setting.kind == .flag {
        if let value = try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue {
          texts[setting.key] = String(value)
        }
      } else if let value = try container.decode(Option<String?>.self, forKey: key).wrappedValue {
        texts[setting.key] = value
      }
    }
  }

  /// The options that take YAML.
  static let sources = TrainingSetting.all.compactMap { setting in
    if case .component = setting.kind { "--" + setting.option } else { nil }
  }

  /// The keys of the settings that were given.
  var given: Set<String> { Set(texts.keys) }

  func validate() throws {
    var mistakes = Mistakes()
    for setting in TrainingSetting.all {
      guard let text = texts[setting.key] else { continue }
      mistakes.note(
        "--\(setting.option) takes \(setting.expectation), not '\(text.prefix(60))'",
        if: setting.value(ofOption: text) == nil)
    }
    try mistakes.check()
  }

  /// `settings` with what was given.
  func apply(to settings: TrainingSettings) throws -> TrainingSettings {
    var settings = settings
    for setting in TrainingSetting.all {
      guard let text = texts[setting.key] else { continue }
      let value: JSONValue
      if case .component(let slot) = setting.kind {
        let tree = try YAMLReader(source: "--" + setting.option).read(text)
        // What is wrong is told here, where it has a place.
        _ = try settings.registry.make(slot, tree, as: (any Component).self)
        value = JSONValue(tree)
      } else {
        value = setting.value(ofOption: text) ?? .null
      }
      _ = settings.set(setting.key, to: value)
    }
    return settings
  }
}

extension String {
  /// The text as an option's help, whose value is called `name`.
  func with(_ name: String) -> ArgumentHelp { ArgumentHelp(self, valueName: name) }
  /// The same for an option that only --help-hidden tells of.
  func hidden(_ name: String) -> ArgumentHelp { ArgumentHelp(self, valueName: name, visibility: .hidden) }
}
