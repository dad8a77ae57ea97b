import Components

/// Reads the stacks beside the text's out of a merged tree, each in the words of a model.
///
/// A stack says everything that it is made of but the sizes, which are the text's where it says none. `like: text` makes it
/// all that the text's stack is, but for its cross-attention and its head, and then what it says itself lies over that: groups merge,
/// a changed `type` drops the old type's options, `null` deletes.
struct StackReader {
  /// What is wrong so far.
  private(set) var problems: Problems
  /// The changes of a component's type, which dropped the old type's options.
  private(set) var typeChanges: [TypeChange] = []

  private let tree: Setting
  private let sizes: (vocabulary: Int, context: Int, width: Int)
  private let terms: FieldTerms
  private let choosing: [Slot: [String: String]]

  /// A reader of the stacks of `tree`, whose text has these sizes, that adds to `problems`.
  init(
    _ tree: Setting, sizes: (Int, Int, Int), problems: Problems, terms: FieldTerms, choosing: [Slot: [String: String]]
  ) {
    self.tree = tree
    self.sizes = sizes
    self.problems = problems
    self.terms = terms
    self.choosing = choosing
  }

  /// The stacks in the order of the file; nil where what is wrong decides sizes or layers.
  mutating func read() -> [Architecture.Stack]? {
    guard let setting = tree["stacks"], !setting.isNull else { return [] }
    guard let entries = setting.entries else {
      problems.add(
        Problem(
          "'stacks' takes a group of stacks by name, not \(setting.kindInWords)", at: setting.place,
          hint: "write {source: {like: text, attention: {mask: full}}}"))
      return nil
    }
    guard entries.count <= ArchitectureKeys.stackLimit else {
      problems.add(Problem("there are more than \(ArchitectureKeys.stackLimit) stacks", at: setting.place))
      return nil
    }
    let stacks = entries.map { stack($0, among: entries) }
    return stacks.contains { $0 == nil } ? nil : stacks.compactMap(\.self)
  }

  private mutating func stack(_ entry: Setting.Entry, among all: [Setting.Entry]) -> Architecture.Stack? {
    let before = problems.list.count
    let name = entry.key
    if !Self.isName(name) {
      problems.add(
        Problem(
          "'\(name.prefix(60))' cannot be a stack's name", at: entry.place,
          hint: Self.reserved.contains(name)
            ? "the names of tensors have this word" : "small letters, digits and '_', a letter first, at most 40"))
    }
    guard let own = complete(entry, among: all, chain: []) else { return nil }
    for key in ["position", "norm", "layers"] where own[key] == nil {
      problems.add(
        Problem(
          "the key '\(key)' is missing in the stack '\(name)'", at: entry.place ?? entry.value.place,
          hint: "or write 'like: text', to have what the text's stack has"))
    }
    let vocabulary = size("vocab_size", of: own, otherwise: sizes.vocabulary)
    let context = size("context_length", of: own, otherwise: sizes.context)
    let width = size("hidden_size", of: own, otherwise: sizes.width)
    var components: [Slot: ComponentSpec] = [:]
    for slot in Slot.ofStacks {
      let component = ComponentSpec(slot, own.entries?.first { $0.key == slot.rawValue }, problems: &problems)
      if slot.isOutsideLayers || slot.standing == .stack { components[slot] = component }
    }
    guard own["layers"] != nil, problems.list.count == before else { return nil }
    var reader = LayerReader(own, problems: problems, terms: terms, choosing: choosing)
    let layers = reader.read()
    problems = reader.problems
    typeChanges += reader.typeChanges
    guard !layers.specs.isEmpty, problems.list.count == before else { return nil }
    return Architecture.Stack(
      name: name,
      shape: ModelShape(
        vocabSize: vocabulary, contextLength: context, hiddenSize: width, layerCount: layers.specs.count),
      components: components, layers: layers.specs, layerKinds: layers.kinds, place: entry.place ?? entry.value.place)
  }

  /// Everything that a stack says, with that of the stack that it is like; `chain` are those that are like it.
  private mutating func complete(
    _ entry: Setting.Entry, among all: [Setting.Entry], chain: [String]
  ) -> Setting? {
    guard let entries = entry.value.entries else {
      problems.add(
        Problem(
          "the stack '\(entry.key.prefix(60))' takes a group of keys, not \(entry.value.kindInWords)",
          at: entry.value.place ?? entry.place))
      return nil
    }
    for entry in chain.isEmpty ? entries : [] where !ArchitectureKeys.stack.contains(entry.key) {
      problems.add(unknownKey(entry, in: "a stack", among: ArchitectureKeys.stack, terms: terms))
    }
    var base = Setting(.group([]), at: entry.value.place)
    if let like = entry.value["like"], !like.isNull {
      guard let found = model(like, of: entry.key, among: all, chain: chain + [entry.key]) else { return nil }
      base = found
    }
    var merger = Merger(choosing: choosing)
    let own = Setting(.group(entries.filter { $0.key != "like" }), at: entry.value.place)
    let merged = merger.merge(base, own, .root)
    guard chain.isEmpty else { return merged }
    typeChanges += merger.typeChanges
    for deletion in merger.emptyDeletions {
      let near = nearestName(to: deletion.key, in: deletion.keys)
      problems.add(
        Problem(
          "there is no '\(deletion.key.prefix(60))' here that null could delete", at: deletion.place,
          hint: near.map { "did you mean '\($0)'?" } ?? "leave the line out"))
    }
    return merged
  }

  /// What the stack that `like` names says.
  private mutating func model(
    _ like: Setting, of name: String, among all: [Setting.Entry], chain: [String]
  ) -> Setting? {
    guard let wanted = like.text else {
      problems.add(Problem("'like' takes a stack's name, not \(like.kindInWords)", at: like.place))
      return nil
    }
    if wanted == ArchitectureKeys.text {
      let keys = Set(ArchitectureKeys.stack).subtracting(["like", Slot.crossAttention.rawValue])
      return Setting(.group((tree.entries ?? []).filter { keys.contains($0.key) }), at: tree.place)
    }
    if chain.contains(wanted) {
      problems.add(
        Problem(
          "stacks are like each other in a circle: \((chain + [wanted]).joined(separator: " → "))", at: like.place))
      return nil
    }
    guard let entry = all.first(where: { $0.key == wanted }) else {
      let names = [ArchitectureKeys.text] + all.map(\.key).filter { $0 != name }
      problems.add(
        Problem(
          "no stack is named '\(wanted.prefix(60))'", at: like.place,
          hint: nearestName(to: wanted, in: names).map { "did you mean '\($0)'?" }
            ?? "there are \(names.joined(separator: ", "))"))
      return nil
    }
    return complete(entry, among: all, chain: chain)
  }

  private mutating func size(_ key: String, of stack: Setting, otherwise size: Int) -> Int {
    guard let setting = stack[key], !setting.isNull else { return size }
    return wholeNumber(setting, of: key, limit: ArchitectureKeys.sizeLimit, problems: &problems) ?? size
  }

  /// Words that the names of tensors begin with in the text's stack.
  private static let reserved =
    Set(Slot.allCases.compactMap(\.scope) + ["layers", "final_norm", ArchitectureKeys.text])

  private static func isName(_ name: String) -> Bool {
    let isWord = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    return isWord && (1...40).contains(name.utf8.count) && name.first?.isLetter == true && !reserved.contains(name)
  }
}
