/// The options of one component, read once: each reading says the key, the type, the default and the meaning.
///
/// Reading never throws. A wrong value is noted as a problem at its place and the default is returned, so that one run
/// finds every mistake; what was never read is an unknown key. The same readings, with nothing set, describe the
/// component (see `Registry.describe`).
///
/// A careful reader's mistake: reading an option only under a condition leaves it unknown otherwise. That is meant:
/// an option that has no effect where it stands is an error.
public final class Options {
  /// The sizes of the model the component is for.
  public let shape: ModelShape
  /// Where the component was chosen.
  public let place: Place?

  let setting: Setting
  let path: String
  /// The component whose options these are; nil while it is described.
  let component: (slot: Slot, name: String)?
  /// What stands before `path` in the paths of readings: the key of the component that this one is part of.
  let origin: String
  let environment: Environment
  private var keysRead: [String] = ["type"]

  init(
    _ setting: Setting, path: String, of component: (slot: Slot, name: String)? = nil, origin: String = "",
    shape: ModelShape, environment: Environment
  ) {
    self.setting = setting
    self.component = component
    self.place = setting.place
    self.path = path
    self.origin = origin
    self.shape = shape
    self.environment = environment
  }

  /// One reading, of which all others are made: describes the option, finds it, and notes the value that takes effect.
  ///
  /// - Parameters:
  ///   - fallback: what stands in for an option that is left out or wrong.
  ///   - text: the default in a description; nil where there is none to tell.
  ///   - written: a value as a file would write it; nil where nothing takes effect.
  ///   - parse: the value that a setting writes; nil when it is wrong, which `parse` notes.
  func read<Value>(
    _ key: String, _ kind: OptionKind, default fallback: Value, text: String? = nil, _ meaning: String,
    isRequired: Bool = false, written: (Value) -> Setting?, parse: (Setting) -> Value?
  ) -> Value {
    let found = find(key, kind, default: text, meaning, isRequired: isRequired)
    if environment.describing {
      return environment.forced[full(key)].flatMap { parse(Setting(text: $0)) } ?? fallback
    }
    let value = found.map { parse($0) ?? fallback } ?? fallback
    note(written(value), for: key)
    return value
  }

  /// The setting under `key`, unless it is left out; describes the option.
  func find(
    _ key: String, _ kind: OptionKind, default text: String?, _ meaning: String, isRequired: Bool = false
  ) -> Setting? {
    keysRead.append(key)
    if environment.describing {
      environment.describe(
        OptionDescription(path: full(key), kind: kind, defaultText: text, meaning: meaning, isRequired: isRequired))
    }
    guard let found = setting[key], !found.isNull else {
      if isRequired && !environment.describing { report("\(owner) needs '\(key)': \(meaning)", at: place) }
      return nil
    }
    return found
  }

  /// Notes that `value` takes effect for `key`; nil where nothing does. `slot` is that of the component it names.
  func note(_ value: Setting?, for key: String, slot: Slot? = nil) {
    if environment.describing { return }
    environment.readings.append(OptionReading(path: origin + full(key), value: value, isSet: isSet(key), slot: slot))
  }

  /// The options of the group `found` under `key`, which is empty where nothing is written.
  func inner(_ key: String, _ found: Setting?) -> Options {
    Options(
      found ?? Setting(.group([]), at: place), path: full(key), of: component, origin: origin, shape: shape,
      environment: environment)
  }

  /// The whole path of `key`, after those of the groups it stands in.
  func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Counts `keys` as read: a component that stands among these options reads them.
  func leave(_ keys: [String]) { keysRead += keys }

  /// Whether `key` is set at all.
  public func isSet(_ key: String) -> Bool { !(setting[key]?.isNull ?? true) }

  /// Where `key` was written, or else where the component was chosen.
  public func place(of key: String) -> Place? { setting[key]?.place ?? place }

  /// Whether the component is for a stack beside the text's: what only such a stack has is no option of the text's.
  public var isOfOtherStack: Bool { environment.describing || environment.stack != nil }

  /// Whether options are only being described, with nothing set and nothing to check.
  public var isDescribing: Bool { environment.describing }

  // Problems

  /// Notes that the value of `key` cannot be: `sentence` says what was found and what was expected.
  public func fail(_ key: String, _ sentence: String, hint: String? = nil) {
    report(sentence, at: place(of: key), hint: hint)
  }

  func wrong(_ key: String, _ found: Setting, expected: String) {
    report("'\(key)' takes \(expected), not \(found.kindInWords)", at: found.place ?? place)
  }

  func report(_ sentence: String, at place: Place?, hint: String? = nil) {
    environment.problems.add(Problem(sentence, at: place, hint: hint))
  }

  private var owner: String { path.isEmpty ? componentInWords : "'\(path)' of \(componentInWords)" }

  private var componentInWords: String {
    guard let component else { return "this component" }
    return component.name == component.slot.rawValue
      ? "'\(component.name)'" : "the \(component.slot.inWords) '\(component.name)'"
  }

  /// Whether the component reads an option at `path` when its other options are set otherwise.
  private func isReadElsewhere(_ path: String) -> Bool {
    guard let component else { return false }
    return environment.registry.description(of: component.name, in: component.slot)?.options
      .contains { $0.path == path } ?? false
  }

  private func subject(of entry: Setting.Entry) -> String {
    (path.isEmpty ? "no option here" : "no option of '\(path)'") + " is named '\(entry.key)'"
  }

  /// Notes every key that was not read: nothing a user writes is skipped in silence.
  func refuseUnread() {
    guard !environment.describing else { return }
    for entry in setting.entries ?? [] where !keysRead.contains(entry.key) {
      let known = keysRead.filter { $0 != "type" }
      if isReadElsewhere(full(entry.key)) {
        report(
          subject(of: entry), at: entry.place ?? entry.value.place ?? place,
          hint: "\(componentInWords) has it, but it has no effect beside the other options that are set here")
        continue
      }
      let near = environment.registry.terms.hint(for: entry.key, among: known)
      let hint = near ?? (known.isEmpty ? "it takes no options" : "it takes " + list(known))
      report(subject(of: entry), at: entry.place ?? entry.value.place ?? place, hint: hint)
    }
  }
}
