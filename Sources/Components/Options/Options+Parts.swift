extension Options {
  /// What `read` makes of the group under `key`, or nil when the group is left out.
  public func group<Result>(_ key: String, _ meaning: String, _ read: (Options) -> Result) -> Result? {
    let found = find(key, .group, default: nil, meaning)
    if found == nil && !isDescribing {
      note(nil, for: key)
      return nil
    }
    if let found, found.entries == nil {
      wrong(key, found, expected: "a group of keys")
      return nil
    }
    let inner = inner(key, found)
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
    if isDescribing { return nil }
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
    note(Setting(text: chosen), for: key, slot: slot)
    return make(ComponentSpec(slot: slot, setting: setting), at: full(key))
  }

  /// The component whose options stand among these, on top of what the layer has in that slot: the norm inside
  /// attention is the layer's norm with the options given here.
  public func inheritedComponent<Wanted>(as: Wanted.Type = Wanted.self, slot: Slot, ignoring others: [String])
    -> Wanted?
  {
    if isDescribing {
      environment.describe(
        OptionDescription(
          path: full("*"), kind: .component(slot), defaultText: nil,
          meaning: "the options of the layer's own \(slot.inWords)", isRequired: false))
      return nil
    }
    var own = setting
    for key in others { own[key] = nil }
    leave(own.entries?.map(\.key) ?? [])
    var base = environment.layer[slot]?.setting ?? Setting(.group([]))
    if let type = own["type"]?.text, type != base["type"]?.text { base = Setting(.group([])) }
    for entry in own.entries ?? [] { base[entry.key] = entry.value.isNull ? nil : entry.value }
    base.place = place
    note(Setting(text: base["type"]?.text ?? slot.rawValue), for: "type", slot: slot)
    return make(ComponentSpec(slot: slot, setting: base), at: path)
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
    return inner(key, found).inheritedComponent(slot: slot, ignoring: [])
  }

  private func make<Wanted>(_ spec: ComponentSpec, at path: String) -> Wanted? {
    environment.registry.make(spec, origin: "\(origin)\(path).", shape: shape, environment: environment) as? Wanted
  }
}
