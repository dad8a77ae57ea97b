import Components

extension Setting {
  /// The tree with a `type` in each group of a slot that has none, but has an option by which a component is chosen.
  ///
  /// It is written before trees are merged, so that a patch with such an option changes the type like one that names it.
  func withTypes(chosenBy options: [Slot: [String: String]]) -> Setting { typed(by: options) ?? self }

  /// The tree with the types; nil where none is missing, so that nothing is copied or compared.
  private func typed(by options: [Slot: [String: String]]) -> Setting? {
    switch content {
    case .scalar: return nil
    case .list(let list):
      // Overrides of layers are a list of groups.
      var changed: [Setting]?
      for (index, item) in list.enumerated() {
        guard let inner = item.typed(by: options) else { continue }
        changed = changed ?? list
        changed?[index] = inner
      }
      return changed.map { Setting(.list($0), at: place) }
    case .group(let entries):
      var changed: [Entry]?
      for (index, entry) in entries.enumerated() {
        var value = entry.value.typed(by: options)
        if let own = (value ?? entry.value).entries, !own.contains(where: { $0.key == "type" }),
          let names = Slot(rawValue: entry.key).flatMap({ options[$0] }),
          let choosing = own.first(where: { names[$0.key] != nil && !$0.value.isNull })
        {
          var chosen = value ?? entry.value
          chosen["type"] = names[choosing.key].map { Setting(text: $0, at: choosing.place) }
          value = chosen
        }
        guard let value else { continue }
        changed = changed ?? entries
        changed?[index] = Entry(entry.key, value, at: entry.place)
      }
      return changed.map { Setting(.group($0), at: place) }
    }
  }
}
