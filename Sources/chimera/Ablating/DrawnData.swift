import Components
import Files
import Images

/// Pictures that are drawn for a study: `data: {shapes: {count: 2000, seed: 1, size: 64, only: [shapes], conversations: true}}`.
struct DrawnData {
  private let count: Int
  private let seed: Int
  private let size: Int
  private let kinds: [DrawnScene.Kind]
  private let conversations: Bool

  private static let key = "shapes"

  /// What `setting` asks for; nil where it names files. Throws `Problems` for a group that is none.
  init?(_ setting: Setting?) throws(Problems) {
    guard let setting, let entries = setting.entries else { return nil }
    var problems = Problems()
    for entry in entries where entry.key != Self.key {
      problems.add(
        Problem("'data' has no key '\(entry.key)'", at: entry.place, hint: "data: {\(Self.key): {count: 2000}}"))
    }
    let group = setting[Self.key] ?? Setting(.group([]))
    let known = ["count", "seed", "size", "only", "conversations"]
    for entry in group.entries ?? [] where !known.contains(entry.key) {
      problems.add(
        Problem(
          "'\(Self.key)' has no key '\(entry.key)'", at: entry.place,
          hint: "its keys are \(known.joined(separator: ", "))"))
    }
    func integer(_ key: String, usually: Int, in range: ClosedRange<Int>) -> Int {
      guard let written = group[key] else { return usually }
      guard let number = written.integer, range.contains(number) else {
        problems.add(
          Problem(
            "'\(key)' takes a number from \(range.lowerBound) to \(range.upperBound), not \(written.kindInWords)",
            at: written.place))
        return usually
      }
      return number
    }
    count = integer("count", usually: 1000, in: 1...1_000_000)
    seed = integer("seed", usually: 1, in: 0...Int(Int32.max))
    size = integer("size", usually: 64, in: 48...1024)
    let all = DrawnScene.Kind.allCases
    if let only = group["only"] {
      let read = (only.list ?? [only]).map { $0.text.flatMap(DrawnScene.Kind.init(rawValue:)) }
      kinds = all.filter(read.contains)
      if kinds.isEmpty || read.contains(nil) {
        problems.add(
          Problem(
            "'only' takes a list of kinds", at: only.place, hint: all.map(\.rawValue).joined(separator: ", ")))
      }
    } else {
      kinds = all
    }
    conversations = group["conversations"]?.flag ?? false
    if let written = group["conversations"], written.flag == nil {
      problems.add(
        Problem("'conversations' takes true or false, not \(written.kindInWords)", at: written.place))
    }
    try problems.check()
  }

  /// `tree`, a study, with the file of its data in the place of what is to be drawn, which is drawn where it is not yet; as it is where
  /// its data is in files. The file is the one for the study's objective, one of `registry`.
  static func drawn(in tree: Setting, for registry: Registry) throws -> Setting {
    guard let wanted = try DrawnData(tree["data"]) else { return tree }
    let form = wanted.kinds.map(\.rawValue).joined(separator: "-") + (wanted.conversations ? "-conversations" : "")
    let folder = Caches.pictures + "/\(form)-\(wanted.size)-\(wanted.seed)-\(wanted.count)"
    if kind(ofPath: folder) == .nothing {
      try makeFolder(Caches.pictures)
      Console.note("drawing \(wanted.count) pictures: \(folder)")
      try DrawnScene.write(
        0..<wanted.count, seed: UInt64(wanted.seed), side: wanted.size, of: wanted.kinds,
        conversations: wanted.conversations, to: folder)
    }
    // What is wrong with the objective is told with the study's other problems.
    let objective = tree[path: "train.objective"].flatMap {
      try? registry.make(.objective, $0, as: (any Objective).self)
    }
    let file = objective.map { type(of: $0).data } == .captions ? "captions" : "data"
    var tree = tree
    tree["data"] = Setting(.scalar("\(folder)/\(file).jsonl", quoted: true), at: tree["data"]?.place)
    return tree
  }
}
