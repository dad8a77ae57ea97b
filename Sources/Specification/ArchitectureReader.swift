import Components

/// Reads an architecture out of a merged tree, and collects everything that is wrong with the tree.
struct ArchitectureReader {
  private let tree: Setting
  private let resolution: Resolution
  private let terms: FieldTerms
  private var problems: Problems

  /// A reader of the tree of `resolution`, whose problems it adds to.
  init(_ resolution: Resolution, terms: FieldTerms) {
    self.resolution = resolution
    self.terms = terms
    tree = resolution.tree
    problems = resolution.problems
  }

  /// The architecture as far as it can be read, with every problem found: nil where what is wrong decides sizes or
  /// layers, so that all else would follow from it.
  mutating func read() -> (architecture: Architecture?, problems: Problems) {
    let missing = noteMissingKeys()
    let before = problems.list.count
    let name = name()
    let vocabSize = size("vocab_size")
    let contextLength = size("context_length")
    let hiddenSize = size("hidden_size")
    var components: [Slot: ComponentSpec] = [:]
    for slot in Slot.atRoot {
      let entry = tree.entries?.first { $0.key == slot.rawValue }
      let component = ComponentSpec(slot, entry, problems: &problems)
      if slot.isOutsideLayers { components[slot] = component }
    }
    var isSound = !missing && resolution.nulledKeys.isEmpty && problems.list.count == before
    let facts = facts()
    let expected = expectedParams()
    for key in ["tokenizer", "chat", "init"] {
      guard let setting = tree[key], setting.text == nil, setting.entries == nil else { continue }
      note(Problem("'\(key)' takes a name or a group of keys, not \(setting.kindInWords)", at: setting.place))
    }
    for key in ArchitectureKeys.bindings + ["texts", "images"] {
      guard let setting = tree[key], setting.entries == nil else { continue }
      note(Problem("'\(key)' takes a group of keys, not \(setting.kindInWords)", at: setting.place))
    }
    var layerReader = LayerReader(tree, problems: problems, terms: terms, choosing: resolution.choosing)
    let layers = layerReader.read()
    problems = layerReader.problems
    isSound = isSound && !layers.specs.isEmpty
    var stackReader = StackReader(
      tree, sizes: (vocabSize, contextLength, hiddenSize), problems: problems, terms: terms,
      choosing: resolution.choosing)
    let stacks = stackReader.read()
    problems = stackReader.problems
    isSound = isSound && stacks != nil
    guard isSound, let stacks else { return (nil, problems) }
    let architecture = Architecture(
      name: name, family: resolution.family,
      shape: ModelShape(
        vocabSize: vocabSize, contextLength: contextLength, hiddenSize: hiddenSize, layerCount: layers.specs.count),
      components: components, layers: layers.specs, layerKinds: layers.kinds, stacks: stacks, facts: facts,
      expectedParams: expected,
      tokenizer: tree["tokenizer"], texts: tree["texts"], chat: tree["chat"], images: tree["images"],
      checkpoint: tree["checkpoint"],
      config: tree["config"],
      gguf: tree["gguf"], initialization: tree["init"], resolved: inReadingOrder(named: name), files: resolution.files,
      typeChanges: resolution.typeChanges + layerReader.typeChanges + stackReader.typeChanges)
    return (architecture, problems)
  }

  /// Whether keys that every model needs are missing.
  private mutating func noteMissingKeys() -> Bool {
    let missing = ArchitectureKeys.required.filter { tree[$0.key] == nil && !resolution.nulledKeys.contains($0.key) }
    if missing.count == 1 {
      note(
        Problem(
          "the key '\(missing[0].key)' is missing", at: resolution.place,
          hint: "\(missing[0].key): \(missing[0].meaning)"))
    } else if !missing.isEmpty {
      note(Problem("these keys are missing: \(missing.map(\.key).joined(separator: ", "))", at: resolution.place))
    }
    return !missing.isEmpty
  }

  // MARK: Values

  private mutating func name() -> String {
    guard let setting = tree["name"] else {
      return resolution.isFamily ? resolution.family ?? resolution.name : resolution.name
    }
    guard let text = setting.text else {
      note(Problem("'name' takes a text, not \(setting.kindInWords)", at: setting.place))
      return ""
    }
    if text.isEmpty || text.utf8.count > 200 || text.unicodeScalars.contains(where: { $0.value < 0x20 }) {
      note(Problem("'name' takes a text of one line and at most 200 bytes", at: setting.place))
    }
    return text
  }

  /// The integer under `key`, from 1 to what a size may be.
  private mutating func size(_ key: String) -> Int {
    guard let setting = tree[key] else { return 1 }
    return wholeNumber(setting, of: key, limit: ArchitectureKeys.sizeLimit, problems: &problems) ?? 1
  }

  private mutating func expectedParams() -> Int? {
    guard let setting = tree["expected_params"] else { return nil }
    return wholeNumber(setting, of: "expected_params", limit: 1 << 60, problems: &problems)
  }

  private mutating func facts() -> Facts {
    var facts = Facts()
    guard let setting = tree["facts"] else { return facts }
    guard let entries = setting.entries else {
      note(Problem("'facts' takes a group of keys, not \(setting.kindInWords)", at: setting.place))
      return facts
    }
    for entry in entries {
      switch entry.key {
      case "year": facts.year = wholeNumber(entry.value, of: "year", limit: 9999, problems: &problems)
      case "authors": facts.authors = (entry.value.list ?? [entry.value]).compactMap { text($0, of: "authors") }
      case "title": facts.title = text(entry.value, of: entry.key)
      case "paper": facts.paper = text(entry.value, of: entry.key)
      case "licence": facts.licence = text(entry.value, of: entry.key)
      case "weights": facts.weights = text(entry.value, of: entry.key)
      case "revision":
        facts.revision = text(entry.value, of: entry.key)
        let isCommit =
          facts.revision.map { text in
            text.utf8.count == 40 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
          } ?? true
        if !isCommit {
          note(Problem("'revision' takes a commit, 40 hexadecimal digits in lower case", at: entry.value.place))
        }
      case "note": facts.note = text(entry.value, of: entry.key)
      default: note(unknownKey(entry, in: "'facts'", among: ArchitectureKeys.facts))
      }
    }
    return facts
  }

  private mutating func text(_ setting: Setting, of key: String) -> String? {
    guard let text = setting.text else {
      note(Problem("'\(key)' takes a text, not \(setting.kindInWords)", at: setting.place))
      return nil
    }
    return text
  }

  /// The tree with its keys in the order in which they read best, and a name.
  private func inReadingOrder(named name: String) -> Setting {
    let entries = tree.entries ?? []
    var ordered = entries.contains { $0.key == "name" } ? [] : [Setting.Entry("name", Setting(text: name))]
    for key in ArchitectureKeys.root {
      if let entry = entries.first(where: { $0.key == key }) { ordered.append(entry) }
    }
    return Setting(.group(ordered), at: resolution.place)
  }

  private mutating func note(_ problem: Problem) {
    if problems.list.count < Resolution.problemLimit { problems.add(problem) }
  }
}

/// The integer from 1 to `limit` that `setting`, the value of `key`, writes; notes a problem when it does not.
func wholeNumber(_ setting: Setting, of key: String, limit: Int, problems: inout Problems) -> Int? {
  if setting.isNull { return nil }
  if let value = setting.integer, (1...limit).contains(value) { return value }
  var sentence = "takes an integer, not \(setting.kindInWords)"
  if let number = setting.number, let text = setting.text?.prefix(40) {
    sentence =
      number < 1
      ? "must be at least 1, not \(text)"
      : number > Double(limit) ? "must be at most \(limit), not \(text)" : "takes an integer, not \(text)"
  }
  var hint: String?
  if case .scalar(let text, quoted: true) = setting.content, Setting(text: text).integer != nil {
    hint = "without quotes it is a number"
  }
  problems.add(Problem("'\(key)' \(sentence)", at: setting.place, hint: hint))
  return nil
}

extension ComponentSpec {
  /// The component that `entry` of a model or a layer chooses for `slot`, or what the slot holds without one; nil for
  /// nothing. Notes what is wrong with it.
  init?(_ slot: Slot, _ entry: Setting.Entry?, problems: inout Problems) {
    guard let entry else {
      if slot.whenUnwritten == .nothing { return nil }
      self.init(slot: slot)
      return
    }
    let setting = entry.value
    guard let entries = MergeRegion.root.under(slot.rawValue).group(setting) else {
      if !setting.isNull {
        problems.add(
          Problem(
            "'\(slot.rawValue)' takes a component's name or a group with its options, not \(setting.kindInWords)",
            at: setting.place))
      }
      if setting.isNull, slot.whenUnwritten == .nothing { return nil }
      self.init(slot: slot, setting: Setting(.group([]), at: entry.place))
      return
    }
    let type = entries.first { $0.key == "type" }?.value
    if let type, type.text == nil || type.flag != nil || type.number != nil {
      problems.add(Problem("'type' takes a component's name, not \(type.kindInWords)", at: type.place))
    }
    self.init(
      slot: slot,
      setting: Setting(
        .group(entries.filter { $0.key != "type" || !$0.value.isNull }),
        at: type?.place ?? entry.place ?? setting.place))
  }
}
