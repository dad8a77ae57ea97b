import Components

/// What a file says together with everything it extends.
struct Resolution: Sendable {
  /// The merged tree, without `extends`.
  var tree = Setting(.group([]))
  /// What a file that extends this one starts from.
  private(set) var heritage = Setting(.group([]))
  /// The map of names that each binding builds on.
  var namings: [String: String] = [:]
  /// The family it belongs to.
  private(set) var family: String?
  /// The files it was read from, its own first.
  private(set) var files: [String]
  /// The folder that its own file stands in, links followed.
  private let home: String
  /// The options by which components are chosen.
  let choosing: [Slot: [String: String]]
  /// Where the file itself begins.
  var place: Place?
  /// What is wrong with it.
  private(set) var problems = Problems()
  /// The changes of a component's type by patches, which dropped the old type's options.
  private(set) var typeChanges: [TypeChange] = []
  /// The required keys that were set to null, which is a problem already noted.
  private(set) var nulledKeys: Set<String> = []
  /// Whether a file could not be read, so that looking further would report what only follows from that.
  var isBroken = false

  /// How many problems of one tree are kept.
  static let problemLimit = 200

  /// Nothing yet, of the file at `path`, which with its links followed is `identity`.
  init(path: String, identity: String, family: String?, choosing: [Slot: [String: String]]) {
    self.choosing = choosing
    // Asked at every step of a merge.
    isFragment =
      Specification.folder(of: path).utf8.split(separator: UInt8(ascii: "/")).last
      .map { $0.elementsEqual(Catalog.namingFolder.utf8) } ?? false
    files = [path]
    home = Specification.folder(of: identity)
    self.family = family
  }

  /// The file's own path.
  var path: String { files[0] }
  /// The file's name without its ending.
  var name: String { baseName(of: path) }
  /// Whether it is a family's own file.
  var isFamily: Bool { name == Catalog.familyFile }
  /// Whether it is a map of names, not an architecture.
  let isFragment: Bool

  /// Starts from what `base` hands on; of several bases the later one wins.
  mutating func inherit(_ base: Resolution) {
    add(base)
    family = family ?? base.family
    for (section, name) in base.namings where namings[section] != name {
      tree[section] = nil
      namings[section] = name
    }
    var heritage = base.heritage
    // A model made from another family's is not that family's: neither its year nor its authors.
    if !isFamily, home != base.home { heritage["facts"] = nil }
    tree = merge(tree, heritage, isFragment ? .plain : .root)
  }

  /// Takes over the files and problems of `other`.
  mutating func add(_ other: Resolution) {
    for file in other.files where !files.contains(file) { files.append(file) }
    for problem in other.problems.list { note(problem) }
    nulledKeys.formUnion(other.nulledKeys)
    typeChanges += other.typeChanges
    isBroken = isBroken || other.isBroken
  }

  /// `base` with `patch` over it; a null written for what is not there is a problem.
  mutating func merge(_ base: Setting, _ patch: Setting, _ region: MergeRegion) -> Setting {
    var merger = Merger(choosing: choosing)
    let merged = merger.merge(base, patch, region)
    typeChanges += merger.typeChanges
    for deletion in merger.emptyDeletions {
      let near = nearestName(to: deletion.key, in: deletion.keys)
      note(
        Problem(
          "there is no '\(deletion.key.prefix(60))' here that null could delete", at: deletion.place,
          hint: near.map { "did you mean '\($0)'?" } ?? "leave the line out"))
    }
    return merged
  }

  /// Decides what is handed on, once the tree is complete: facts are a family's to give.
  mutating func setHeritage(inheritedFacts: Setting?) {
    heritage = tree
    for key in ArchitectureKeys.own { heritage[key] = nil }
    if !isFamily { heritage["facts"] = inheritedFacts }
  }

  /// Notes a problem.
  mutating func note(_ problem: Problem) {
    if problems.list.count < Self.problemLimit { problems.add(problem) }
  }

  /// Notes that the required `key` is set to null.
  mutating func noteNull(under key: String, at place: Place?) {
    note(Problem("'\(key)' cannot be null: every model needs it", at: place))
    nulledKeys.insert(key)
  }

  /// Notes a problem after which the tree is not worth looking at.
  mutating func breakOff(_ problem: Problem) {
    note(problem)
    isBroken = true
  }
}
