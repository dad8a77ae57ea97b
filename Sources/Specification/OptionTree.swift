import Components

/// Options by their dotted paths: `scaling` with `scaling.type` and `scaling.factor` in it.
struct OptionTree {
  /// The key that this stands at; empty at the root.
  let key: String
  /// The descriptions of that key, which differ where components of a slot use a word differently.
  private(set) var options: [OptionDescription] = []
  /// The keys in it, in the order in which they were described.
  private(set) var children: [OptionTree] = []
  /// A slot whose components' options stand among these, described under the key `*`.
  private(set) var openTo: Slot?

  /// Whether there is something in it.
  var isGroup: Bool { !children.isEmpty || openTo != nil }

  /// The tree of `options`.
  init(_ options: [OptionDescription], key: String = "") {
    self.key = key
    for option in options { insert(option, at: option.path.split(separator: ".")[...]) }
  }

  private mutating func insert(_ option: OptionDescription, at path: ArraySlice<Substring>) {
    guard let key = path.first.map(String.init) else {
      options.append(option)
      return
    }
    if path.count == 1, key == "*", case .component(let slot) = option.kind {
      openTo = slot
      return
    }
    let index = children.firstIndex { $0.key == key } ?? children.count
    if index == children.count { children.append(OptionTree([], key: key)) }
    children[index].insert(option, at: path.dropFirst())
  }
}
