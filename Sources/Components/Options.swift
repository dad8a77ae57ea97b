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

  private let setting: Setting
  private let path: String
  /// The component whose options these are; nil while it is described.
  private let component: (slot: Slot, name: String)?
  /// What stands before `path` in the paths of readings: the key of the component that this one is part of.
  private let origin: String
  let environment: Environment
  private var read: [String] = ["type"]

  /// What the options of one composition share.
  final class Environment {
    let registry: Registry
    var problems = Problems()
    /// What stands in the slots of the layer that the component is part of: the layer's own norm, for the norms inside
    /// attention.
    var layer: [Slot: ComponentSpec] = [:]
    /// When set, options are being described: nothing is required.
    var describing = false
    /// Which of two descriptions is made: a default that differs between them follows from the sizes.
    var probe = 0
    var descriptions: [OptionDescription] = []
    /// The words that choices and flags take while a component is described, by path.
    var forced: [String: String] = [:]
    /// What the components made so far read, each option with the value that takes effect.
    var readings: [OptionReading] = []

    init(registry: Registry) { self.registry = registry }

    /// Notes an option once: a component is read several times while it is described.
    func describe(_ option: OptionDescription) {
      if !descriptions.contains(where: { $0.path == option.path }) { descriptions.append(option) }
    }
  }

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

  // One reading: note it, describe it, return the setting unless it is left out.
  private func find(
    _ key: String, _ kind: OptionKind, default defaultText: String?, _ meaning: String, required: Bool = false
  )
    -> Setting?
  {
    read.append(key)
    if environment.describing {
      environment.describe(
        OptionDescription(
          path: full(key), kind: kind, defaultText: defaultText, meaning: meaning, isRequired: required))
    }
    guard let found = setting[key], !found.isNull else {
      if required && !environment.describing {
        report("\(owner) needs '\(key)': \(meaning)", at: place)
      }
      return nil
    }
    return found
  }

  private func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Notes that `value`, which `setting` writes, takes effect for `key`; nil when nothing does.
  private func taking<Value>(_ value: Value, for key: String, written setting: Setting?, slot: Slot? = nil) -> Value {
    if !environment.describing {
      environment.readings.append(
        OptionReading(path: origin + full(key), value: setting, isSet: isSet(key), slot: slot))
    }
    return value
  }

  private func taking(_ value: Double, for key: String) -> Double {
    taking(value, for: key, written: Setting(text: describe(value)))
  }

  private func taking(_ value: Int, for key: String) -> Int {
    taking(value, for: key, written: Setting(text: String(value)))
  }

  private func taking(_ value: Bool, for key: String) -> Bool {
    taking(value, for: key, written: Setting(text: String(value)))
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

  private func wrong(_ key: String, _ found: Setting, expected: String) {
    report("'\(key)' takes \(expected), not \(found.kindInWords)", at: found.place ?? place)
  }

  private func report(_ sentence: String, at place: Place?, hint: String? = nil) {
    environment.problems.add(Problem(sentence, at: place, hint: hint))
  }

  /// Notes that the value of `key` cannot be: `sentence` says what was found and what was expected.
  public func fail(_ key: String, _ sentence: String, hint: String? = nil) {
    report(sentence, at: setting[key]?.place ?? place, hint: hint)
  }

  /// Where `key` was written, or else where the component was chosen.
  public func place(of key: String) -> Place? { setting[key]?.place ?? place }

  /// Whether `key` is set at all.
  public func isSet(_ key: String) -> Bool { !(setting[key]?.isNull ?? true) }

  // Numbers

  /// The number under `key`, which must lie in `range`.
  public func number(
    _ key: String, default fallback: Double, in range: ClosedRange<Double> = -1e30...1e30, _ meaning: String
  ) -> Double {
    guard let found = find(key, .number, default: describe(fallback), meaning) else {
      return taking(fallback, for: key)
    }
    return taking(number(key, found, in: range) ?? fallback, for: key)
  }

  /// The number under `key`, or nil when it is left out.
  public func optionalNumber(_ key: String, in range: ClosedRange<Double> = -1e30...1e30, _ meaning: String) -> Double?
  {
    guard let found = find(key, .number, default: nil, meaning) else { return taking(nil, for: key, written: nil) }
    return number(key, found, in: range).map { taking($0, for: key) }
  }

  /// The number under `key`, which must be given.
  public func requiredNumber(_ key: String, in range: ClosedRange<Double> = -1e30...1e30, _ meaning: String) -> Double {
    guard let found = find(key, .number, default: nil, meaning, required: true) else { return range.lowerBound }
    return taking(number(key, found, in: range) ?? range.lowerBound, for: key)
  }

  /// The number under `key`, or one that a word stands for.
  public func number(_ key: String, default fallback: Double, words: [String: Double], _ meaning: String) -> Double {
    let names = words.keys.sorted()
    let word = words.first { $0.value == fallback }?.key
    guard let found = find(key, .numberOrWord(names), default: word ?? describe(fallback), meaning) else {
      return taking(fallback, for: key)
    }
    if let text = found.text, let value = words[text] { return taking(value, for: key) }
    guard let value = found.number else {
      wrong(key, found, expected: names.isEmpty ? "a number" : "a number or " + list(names))
      return fallback
    }
    return taking(value, for: key)
  }

  /// The numbers under `key`, or nil when they are left out.
  public func numbers(_ key: String, _ meaning: String) -> [Double]? {
    guard let found = find(key, .numbers, default: nil, meaning) else { return taking(nil, for: key, written: nil) }
    guard let items = found.list, case let values = items.compactMap(\.number), values.count == items.count else {
      let item = found.list?.first { $0.number == nil }
      wrong(key, item ?? found, expected: item == nil ? "a list of numbers" : "numbers")
      return nil
    }
    return taking(values, for: key, written: Setting(.list(values.map { Setting(text: describe($0)) })))
  }

  /// The numbers in the group under `key`, each under a name of the user's, in the order written.
  public func namedNumbers(_ key: String, _ meaning: String) -> [(name: String, value: Double)] {
    guard let found = find(key, .namedNumbers, default: nil, meaning) else {
      return taking([], for: key, written: nil)
    }
    guard let entries = found.entries else {
      wrong(key, found, expected: "a group of numbers, each under a name")
      return []
    }
    var numbers: [(name: String, value: Double)] = []
    for entry in entries where !entry.value.isNull {
      if let value = entry.value.number {
        numbers.append((entry.key, value))
      } else {
        wrong("\(key).\(entry.key)", entry.value, expected: "a number")
      }
    }
    let written = numbers.map { Setting.Entry($0.name, Setting(text: describe($0.value))) }
    return taking(numbers, for: key, written: Setting(.group(written)))
  }

  private func number(_ key: String, _ found: Setting, in range: ClosedRange<Double>) -> Double? {
    guard let value = found.number else {
      wrong(key, found, expected: "a number")
      return nil
    }
    guard range.contains(value) else {
      report(
        "'\(key)' must lie between \(describe(range.lowerBound)) and \(describe(range.upperBound)), not \(describe(value))",
        at: found.place ?? place)
      return nil
    }
    return value
  }

  /// The integer under `key`, which must lie in `range`.
  public func integer(
    _ key: String, default fallback: Int, in range: ClosedRange<Int> = 1...Int(Int32.max), _ meaning: String
  ) -> Int {
    guard let found = find(key, .integer, default: String(fallback), meaning) else { return taking(fallback, for: key) }
    return taking(integer(key, found, in: range) ?? fallback, for: key)
  }

  /// The integer under `key`, or nil when it is left out.
  public func optionalInteger(_ key: String, in range: ClosedRange<Int> = 1...Int(Int32.max), _ meaning: String) -> Int?
  {
    guard let found = find(key, .integer, default: nil, meaning) else { return taking(nil, for: key, written: nil) }
    return integer(key, found, in: range).map { taking($0, for: key) }
  }

  /// The integer under `key`, which must be given.
  public func requiredInteger(_ key: String, in range: ClosedRange<Int> = 1...Int(Int32.max), _ meaning: String) -> Int
  {
    guard let found = find(key, .integer, default: nil, meaning, required: true) else {
      // Two probes with different numbers tell which defaults follow from this one.
      return environment.describing ? min(range.upperBound, range.lowerBound + environment.probe) : range.lowerBound
    }
    return taking(integer(key, found, in: range) ?? range.lowerBound, for: key)
  }

  private func integer(_ key: String, _ found: Setting, in range: ClosedRange<Int>) -> Int? {
    if let value = found.integer, range.contains(value) { return value }
    // A number too large for 64 bits is whole and out of range all the same.
    guard let number = found.number, number.rounded() == number, let text = found.text?.prefix(40) else {
      wrong(key, found, expected: "an integer")
      return nil
    }
    report(
      "'\(key)' must lie between \(range.lowerBound) and \(range.upperBound), not \(text)", at: found.place ?? place)
    return nil
  }

  // Words

  /// The flag under `key`.
  public func flag(_ key: String, default fallback: Bool, _ meaning: String) -> Bool {
    let found = find(key, .flag, default: String(fallback), meaning)
    if let forced = environment.forced[full(key)] { return forced == "true" }
    guard let found else { return taking(fallback, for: key) }
    guard let value = found.flag else {
      wrong(key, found, expected: "true or false")
      return fallback
    }
    return taking(value, for: key)
  }

  /// The flag under `key`, or nil when it is left out.
  public func optionalFlag(_ key: String, _ meaning: String) -> Bool? {
    guard let found = find(key, .flag, default: nil, meaning) else { return taking(nil, for: key, written: nil) }
    if found.flag == nil { wrong(key, found, expected: "true or false") }
    return found.flag.map { taking($0, for: key) }
  }

  /// The flags under `key`: one for all of `parts`, or a group naming some, the others being false.
  public func flags(_ key: String, _ parts: [String], default fallback: Bool, _ meaning: String) -> [String: Bool] {
    let all = { (value: Bool) in Dictionary(uniqueKeysWithValues: parts.map { ($0, value) }) }
    guard let found = find(key, .flags(parts), default: String(fallback), meaning) else {
      return all(taking(fallback, for: key))
    }
    if let value = found.flag { return all(taking(value, for: key)) }
    guard let entries = found.entries else {
      wrong(key, found, expected: "true, false or a group of " + list(parts))
      return all(fallback)
    }
    var values = all(false)
    for entry in entries where !entry.value.isNull {
      if !parts.contains(entry.key) {
        report("'\(key)' has no part '\(entry.key)'", at: entry.place, hint: "its parts are " + list(parts))
      } else if let value = entry.value.flag {
        values[entry.key] = value
      } else {
        wrong("\(key).\(entry.key)", entry.value, expected: "true or false")
      }
    }
    if Set(values.values).count == 1, let same = values.values.first { return all(taking(same, for: key)) }
    let chosen = parts.filter { values[$0] == true }
    return taking(values, for: key, written: Setting(.group(chosen.map { Setting.Entry($0, Setting(text: "true")) })))
  }

  /// The text under `key`, which must be given.
  public func requiredText(_ key: String, _ meaning: String) -> String {
    guard let found = find(key, .text, default: nil, meaning, required: true) else { return "" }
    guard let text = found.text else {
      wrong(key, found, expected: "a text")
      return ""
    }
    return taking(text, for: key, written: Setting(.scalar(text, quoted: true)))
  }

  /// Whether options are only being described, with nothing set and nothing to check.
  public var isDescribing: Bool { environment.describing }

  /// The word under `key`, one of the cases of `Word`.
  public func choice<Word>(_ key: String, default fallback: Word, _ meaning: String) -> Word
  where Word: RawRepresentable<String> & CaseIterable {
    let words = Word.allCases.map(\.rawValue)
    let found = find(key, .choice(words), default: fallback.rawValue, meaning)
    if let forced = environment.forced[full(key)], let word = Word(rawValue: forced) { return word }
    guard let found else { return taking(fallback, for: key, written: Setting(text: fallback.rawValue)) }
    guard let word = found.text.flatMap(Word.init(rawValue:)) else {
      let hint = found.text.flatMap { environment.registry.terms.hint(for: $0, among: words) }
      report("'\(key)' takes \(list(words)), not \(found.kindInWords)", at: found.place ?? place, hint: hint)
      return fallback
    }
    return taking(word, for: key, written: Setting(text: word.rawValue))
  }

  // Groups and components

  /// What `read` makes of the group under `key`, or nil when the group is left out.
  public func group<Result>(_ key: String, _ meaning: String, _ read: (Options) -> Result) -> Result? {
    let found = find(key, .group, default: nil, meaning)
    if found == nil && !environment.describing { return taking(nil, for: key, written: nil) }
    if let found, found.entries == nil {
      wrong(key, found, expected: "a group of keys")
      return nil
    }
    let inner = Options(
      found ?? Setting(.group([]), at: place), path: full(key), of: component, origin: origin, shape: shape,
      environment: environment)
    let result = read(inner)
    inner.refuseUnread()
    return result
  }

  /// The component under `key`: a name, or a group with `type` and the component's own options.
  public func component<Wanted>(
    _ key: String, default fallback: String, as: Wanted.Type = Wanted.self, slot: Slot, _ meaning: String
  )
    -> Wanted?
  {
    let found = find(key, .component(slot), default: fallback, meaning)
    if environment.describing { return nil }
    if let found, found.list != nil {
      wrong(key, found, expected: "a component's name or a group with its options")
      return nil
    }
    var setting = (found ?? Setting(text: fallback, at: place)).asComponent
    if let type = setting["type"], type.text == nil, !type.isNull {
      wrong("\(key).type", type, expected: "a component's name")
      return nil
    }
    let chosen = setting["type"]?.text ?? fallback
    if setting["type"]?.text == nil { setting["type"] = Setting(text: chosen, at: setting.place) }
    taking((), for: key, written: Setting(text: chosen), slot: slot)
    return environment.registry.make(
      ComponentSpec(slot: slot, setting: setting), origin: "\(origin)\(full(key)).", shape: shape,
      environment: environment)
      as? Wanted
  }

  /// The component whose options stand among these, on top of what the layer has in that slot: the norm inside
  /// attention is the layer's norm with the options given here.
  public func inheritedComponent<Wanted>(as: Wanted.Type = Wanted.self, slot: Slot, ignoring others: [String])
    -> Wanted?
  {
    if environment.describing {
      environment.describe(
        OptionDescription(
          path: full("*"), kind: .component(slot), defaultText: nil,
          meaning: "the options of the layer's own \(slot.inWords)",
          isRequired: false))
      return nil
    }
    var own = setting
    for key in others { own[key] = nil }
    read.append(contentsOf: own.entries?.map(\.key) ?? [])
    var base = environment.layer[slot]?.setting ?? Setting(.group([]))
    if let type = own["type"]?.text, type != base["type"]?.text { base = Setting(.group([])) }
    for entry in own.entries ?? [] { base[entry.key] = entry.value.isNull ? nil : entry.value }
    base.place = place
    taking((), for: "type", written: Setting(text: base["type"]?.text ?? slot.rawValue), slot: slot)
    return environment.registry.make(
      ComponentSpec(slot: slot, setting: base), origin: "\(origin)\(path).", shape: shape, environment: environment)
      as? Wanted
  }

  /// What the layer has in a slot, with the options under `key` on top; the layer's own when the key is left out.
  public func inheritedComponent<Wanted>(_ key: String, as: Wanted.Type = Wanted.self, slot: Slot, _ meaning: String)
    -> Wanted?
  {
    let found = find(key, .group, default: nil, meaning)
    if let found, found.entries == nil {
      wrong(key, found, expected: "a group of keys")
      return nil
    }
    let inner = Options(
      found ?? Setting(.group([]), at: place), path: full(key), of: component, origin: origin, shape: shape,
      environment: environment)
    return inner.inheritedComponent(slot: slot, ignoring: [])
  }

  private func subject(of entry: Setting.Entry) -> String {
    (path.isEmpty ? "no option here" : "no option of '\(path)'") + " is named '\(entry.key)'"
  }

  /// Notes every key that was not read: nothing a user writes is skipped in silence.
  func refuseUnread() {
    guard !environment.describing else { return }
    for entry in setting.entries ?? [] where !read.contains(entry.key) {
      let known = read.filter { $0 != "type" }
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

extension Setting {
  /// A component's name as the group that it stands for.
  public var asComponent: Setting {
    guard case .scalar = content else { return self }
    return Setting(.group([Entry("type", self, at: place)]), at: place)
  }
}

/// A number without a needless fraction.
private func describe(_ value: Double) -> String {
  value.rounded() == value && abs(value) < 1e15 ? String(Int(value)) : String(value)
}
