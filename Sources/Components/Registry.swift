/// The components that files can name, by slot and name.
public struct Registry: Sendable {
  private var types: [Slot: [String: any Component.Type]] = [:]
  private var documentation: [Slot: [String: String]] = [:]
  /// For each slot, the options that choose a component where no type is written, and the component's name.
  public private(set) var choosingOptions: [Slot: [String: String]] = [:]
  /// For each slot that has one, the component that it takes where nothing is named.
  public private(set) var defaultNames: [Slot: String] = [:]
  /// The words of the field that components know, and what they are written as.
  public private(set) var terms = FieldTerms()

  /// No component.
  public init() {}

  /// The components of `types`; throws when two have one name in one slot.
  public init(_ types: [any Component.Type], documentation: [String] = []) throws(Problems) {
    for (index, type) in types.enumerated() {
      try register(type, documentation: index < documentation.count ? documentation[index] : "")
    }
  }

  /// Adds `type`; throws when its slot has a component of that name already.
  public mutating func register(_ type: any Component.Type, documentation text: String) throws(Problems) {
    if let other = types[type.slot]?[type.name] {
      throw Problems([
        Problem(
          "two components are named '\(type.name)' in the slot '\(type.slot.rawValue)': \(other) and \(type)", at: nil)
      ])
    }
    if let option = type.choosingOption {
      if let other = choosingOptions[type.slot]?[option] {
        throw Problems([
          Problem(
            "two components of the slot '\(type.slot.rawValue)' are chosen by the option '\(option)': \(other) and \(type.name)",
            at: nil)
        ])
      }
      choosingOptions[type.slot, default: [:]][option] = type.name
    }
    if type.isDefault {
      if let other = defaultNames[type.slot] {
        throw Problems([
          Problem(
            "two components of the slot '\(type.slot.rawValue)' are the default: \(other) and \(type.name)", at: nil)
        ])
      }
      defaultNames[type.slot] = type.name
    }
    types[type.slot, default: [:]][type.name] = type
    documentation[type.slot, default: [:]][type.name] = text
    terms.add(from: text, of: ComponentName(slot: type.slot, name: type.name))
  }

  /// The names of the components of `slot`, sorted.
  public func names(in slot: Slot) -> [String] { (types[slot] ?? [:]).keys.sorted() }

  /// What each component says of itself, by slot and name.
  public func describe() -> [ComponentDescription] {
    Slot.allCases.flatMap { slot in
      names(in: slot).compactMap { name in
        types[slot]?[name].map { type in
          ComponentDescription(
            slot: slot, name: name, documentation: documentation[slot]?[name] ?? "", options: describe(type))
        }
      }
    }
  }

  /// What the component `name` of `slot` says of itself; nil when there is none.
  public func description(of name: String, in slot: Slot) -> ComponentDescription? {
    types[slot]?[name].map { type in
      ComponentDescription(
        slot: slot, name: name, documentation: documentation[slot]?[name] ?? "", options: describe(type))
    }
  }

  /// The options that `type` reads. A default that differs between two shapes follows from the sizes.
  private func describe(_ type: any Component.Type) -> [OptionDescription] {
    let first = describe(type, probe: 0)
    let second = describe(type, probe: 1)
    return first.map { option in
      let other = second.first { $0.path == option.path }
      return other?.defaultText == option.defaultText ? option : option.followingFromSizes
    }
  }

  /// The options that `type` reads, found by letting it read with nothing set, once for every word of every choice and
  /// flag.
  private func describe(_ type: any Component.Type, probe: Int) -> [OptionDescription] {
    let environment = Options.Environment(registry: self)
    environment.describing = true
    environment.probe = probe
    // Three times the width, so that a width for each of twice as many heads differs too.
    let shape = ModelShape(
      vocabSize: 256 << probe, contextLength: 64 << probe, hiddenSize: probe == 0 ? 64 : 192, layerCount: 2 << probe)
    let read = { _ = type.init(Options(Setting(.group([])), path: "", shape: shape, environment: environment)) }
    read()
    for option in environment.descriptions {
      let words: [String]
      switch option.kind {
      case .choice(let choices): words = choices
      case .flag: words = ["true", "false"]
      default: continue
      }
      for word in words {
        environment.forced = [option.path: word]
        read()
      }
    }
    return environment.descriptions
  }

  /// The component that `setting` chooses, by name or as a group of `type` and options, for a slot that is no model's;
  /// throws every problem.
  public func make<Wanted>(_ slot: Slot, _ setting: Setting, as: Wanted.Type = Wanted.self) throws(Problems) -> Wanted {
    let environment = Options.Environment(registry: self)
    let shape = ModelShape(vocabSize: 1, contextLength: 1, hiddenSize: 1, layerCount: 1)
    let spec = ComponentSpec(slot: slot, setting: setting.asComponent)
    let made = make(spec, shape: shape, environment: environment)
    try environment.problems.check()
    guard let component = made as? Wanted else {
      throw Problems([Problem("\(type(of: made)) is no \(slot.inWords)", at: setting.place)])
    }
    return component
  }

  /// The component that `spec` chooses; problems go to `environment`. `origin` stands before the paths of what it reads.
  func make(
    _ spec: ComponentSpec, origin: String = "", shape: ModelShape, environment: Options.Environment
  ) -> (any Component)? {
    let (slot, setting) = (spec.slot, spec.setting)
    let named = setting["type"]
    guard let name = named?.text ?? (slot.hasOwnComponent ? slot.rawValue : nil) else {
      environment.problems.add(
        Problem("'\(slot.rawValue)' has no type", at: setting.place, hint: "it takes " + list(names(in: slot))))
      return nil
    }
    guard let type = types[slot]?[name] else {
      environment.problems.add(
        Problem(
          "no \(slot.inWords) is named '\(name)'", at: named?.place ?? setting.place,
          hint: terms.hint(for: name, among: names(in: slot)) ?? "there are " + list(names(in: slot))))
      return nil
    }
    let options = Options(
      setting, path: "", of: (slot, name), origin: origin, shape: shape, environment: environment)
    let component = type.init(options)
    options.refuseUnread()
    return component
  }
}
