import Components

extension Setting {
  /// The tree with the stack `text` of its stacks at the root, where that stack is written: both are one, and of what both
  /// say the stack's word counts.
  var withTextAtRoot: Setting {
    guard let stacks = self["stacks"]?.entries, let text = stacks.first(where: { $0.key == ArchitectureKeys.text }),
      let own = text.value.entries
    else { return self }
    var tree = self
    let others = stacks.filter { $0.key != ArchitectureKeys.text }
    tree["stacks"] = others.isEmpty ? nil : Setting(.group(others), at: self["stacks"]?.place)
    for entry in own { tree[entry.key] = entry.value }
    return tree
  }
}
