import Components

extension Setting {
  /// The tree with a `type` in each group of a slot that has none, but has an option by which a component is chosen.
  ///
  /// It is written before trees are merged, so that a patch with such an option changes the type like one that names it.
  func withTypes(chosenBy options: [Slot: [String: String]]) -> Setting {
    if let list {
      // Overrides of layers are a list of groups.
      let inner = list.map { $0.withTypes(chosenBy: options) }
      return inner == list ? self : Setting(.list(inner), at: place)
    }
    guard let entries else { return self }
    var changed = false
    let inner = entries.map { entry -> Entry in
      var value = entry.value.withTypes(chosenBy: options)
      if let slot = Slot(rawValue: entry.key), let names = options[slot], let own = value.entries, value["type"] == nil,
        let choosing = own.first(where: { names[$0.key] != nil && !$0.value.isNull })
      {
        value["type"] = names[choosing.key].map { Setting(text: $0, at: choosing.place) }
      }
      changed = changed || value != entry.value
      return Entry(entry.key, value, at: entry.place)
    }
    return changed ? Setting(.group(inner), at: place) : self
  }
}
