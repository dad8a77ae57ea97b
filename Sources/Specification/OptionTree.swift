import Components

/// Options by their dotted paths: `scaling` with `scaling.type` and `scaling.factor` in it.
struct OptionTree {
  /// The descriptions of one key, which differ where components of a slot use a word differently, and what is in it.
  struct Node {
    var options: [OptionDescription] = []
    var inner: OptionTree?
  }

  /// The keys in the order in which they were described.
  private(set) var children: [(key: String, node: Node)] = []
  /// A slot whose components' options stand among these, described under the key `*`.
  private(set) var openTo: Slot?

  /// The tree of `options`.
  init(_ options: [OptionDescription]) {
    for option in options { insert(option, at: option.path.split(separator: ".")[...]) }
  }

  private mutating func insert(_ option: OptionDescription, at path: ArraySlice<Substring>) {
    guard let key = path.first.map(String.init) else { return }
    if path.count == 1, key == "*", case .component(let slot) = option.kind {
      openTo = slot
      return
    }
    let index = children.firstIndex { $0.key == key } ?? children.count
    if index == children.count { children.append((key, Node())) }
    if path.count == 1 {
      children[index].node.options.append(option)
    } else {
      var inner = children[index].node.inner ?? OptionTree([])
      inner.insert(option, at: path.dropFirst())
      children[index].node.inner = inner
    }
  }
}
