import Components
import Essentials
import Files
import Specification

/// Why a study cannot be in a folder.
public enum StudyProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// Another study is there; what it says otherwise.
  case another(path: String, differences: [String])
  /// The study in the folder no longer has the tasks that it was begun with.
  case changed(path: String)
  /// Something of that name is there, and is not a study's.
  case occupied(path: String, name: String)
  /// Outcomes that cannot be merged: their tasks, their files, and what is wrong with each.
  case damaged(path: String, outcomes: [(task: String, file: String, sentence: String)])

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .another(let path, let differences):
      "another study was begun in '\(path)'"
        + (differences.isEmpty ? "" : " (\(differences.joined(separator: ", ")) differ)")
        + "; chimera ablate '\(path)' goes on with it; name another folder with --out"
    case .changed(let path):
      "the study in '\(path)' was begun with other data, another base or other settings than are there now; "
        + "put them back, or begin it in another folder with --out"
    case .occupied(let path, let name):
      "'\(path)' has '\(name)' and no study; name another folder with --out, for a study would overwrite it"
    case .damaged(let path, let outcomes):
      outcomes.map { "\($0.task): the outcome \($0.sentence) (\(path)/\($0.file))" }.joined(separator: "\n")
        + "\nnothing was merged; chimera ablate '\(path)' runs "
        + (outcomes.count == 1 ? "this task" : "these tasks") + " again"
    }
  }

  public static func == (left: StudyProblem, right: StudyProblem) -> Bool { left.description == right.description }
}

extension StudyFolder {
  /// Takes the folder for `plan`, whose study is `tree` as it was read, its data named by absolute paths: writes the
  /// study, with its changes of the base in the base, so that tasks can be run from this folder alone.
  ///
  /// A study that is there already goes on when its tasks are all among those of `plan`, so that nothing it measured is
  /// lost: the same study, or the same with more seeds or arms. Throws `StudyProblem` when it is another one, or when
  /// something else is there that would be overwritten. Nothing is changed then.
  public func begin(_ tree: Setting, _ plan: StudyPlan) throws {
    try makeFolder(path)
    let lock = try waitForLock()
    try withExtendedLifetime(lock) {
      var tree = tree
      tree["base"] = Setting(text: "./base.yaml")
      tree["set"] = nil
      let study = YAMLWriter().write(tree)
      let base = plan.baseline.architecture.text(withFormats: true)
      if isBegun {
        let known = try keys()
        let isWhole = known != nil
        let begun = known ?? begunKeys()
        let isSame = (try? text(studyPath)) == study && ((try? text(basePath)) ?? base) == base
        let own = Set(plan.tasks.map(\.key))
        guard isSame && !isWhole || (isWhole || !begun.isEmpty) && begun.isSubset(of: own) else {
          throw StudyProblem.another(path: path, differences: try differences(tree, base))
        }
      } else {
        for name in Self.names where kind(ofPath: path + "/" + name) != .nothing {
          throw StudyProblem.occupied(path: path, name: name)
        }
      }
      // The study first: what is half begun is a study, which the same command finishes.
      for (content, file) in [(study, studyPath), (base, basePath), (Self.keysText(plan), tasksPath)]
      where (try? text(file)) != content {
        try writeAtomically(content, to: file)
      }
      for name in try namesInFolder(path) where name.hasSuffix(".tmp") && Self.isOwn(name) {
        try removeFile(path + "/" + name)
      }
    }
  }

  /// Throws `StudyProblem` when `plan`, made from what stands in the folder, has not the tasks that it was begun with.
  public func requireSame(_ plan: StudyPlan) throws {
    guard let begun = try keys() else { return }
    if !begun.isSubset(of: Set(plan.tasks.map(\.key))) { throw StudyProblem.changed(path: path) }
  }

  /// Throws `StudyProblem` when an outcome of `plan` is damaged.
  public func requireWhole(_ plan: StudyPlan) throws {
    let damages = damages(of: plan)
    if damages.isEmpty { return }
    throw StudyProblem.damaged(
      path: path, outcomes: damages.map { (plan.name(of: $0.task), outcomeName(of: $0.task), $0.sentence) })
  }

  /// What a study writes, and what tells that a run of `train` is there.
  private static let names = [
    "study.yaml", "base.yaml", "tasks.json", "tasks", "report.html", "report.md", "results.json", "results.tsv",
    "training.json",
    "resolved.yaml",
  ]

  /// Whether a temporary file's name begins with that of a file of a study.
  private static func isOwn(_ name: String) -> Bool { names.contains { name.hasPrefix($0 + ".") } }

  private func text(_ path: String) throws -> String {
    let file = try MappedFile(path: path)
    return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
  }

  private static func keysText(_ plan: StudyPlan) -> String {
    let json: JSONValue = [
      "format": 1, "fingerprint": .string(plan.fingerprint),
      "tasks": .array(plan.tasks.map { .string($0.key) }),
    ]
    return json.serialized(pretty: true) + "\n"
  }

  /// The keys of the tasks that the study was begun with; nil where an older version, or a process that died, has not
  /// noted them.
  private func keys() throws -> Set<String>? {
    guard kind(ofPath: tasksPath) == .file else { return nil }
    let json = try JSONValue(contentsOf: tasksPath, limit: 64 << 20)
    guard let tasks = json["tasks"]?.array else { throw FileProblem(path: tasksPath, sentence: "it lists no tasks") }
    return Set(tasks.compactMap(\.string))
  }

  /// The keys of the tasks that have begun.
  private func begunKeys() -> Set<String> { Set((try? namesInFolder(tasksFolder)) ?? []) }

  /// The keys of the study in the folder that `tree` and `base` have otherwise.
  private func differences(_ tree: Setting, _ base: String) throws -> [String] {
    guard let begun = try? self.tree() else { return [] }
    let keys = StudyKeys.root.filter { key in
      let texts = [begun, tree].map { $0[key].map { YAMLWriter().write(Setting(.group([Setting.Entry(key, $0)]))) } }
      return texts[0] != texts[1]
    }
    let isOtherBase = (try? text(basePath)) != base
    let found = keys.filter { $0 != "base" || isOtherBase } + (isOtherBase && !keys.contains("base") ? ["base"] : [])
    return found.isEmpty ? ["what the data holds"] : found
  }

  /// The lock of the folder's own files, which is held for no longer than it takes to write them.
  private func waitForLock() throws -> FileLock {
    for _ in 0..<200 {
      if let lock = try FileLock(path: path + "/.lock") { return lock }
      usleep(50_000)
    }
    throw FileProblem(path: path, sentence: "another process has begun a study there and does not end")
  }
}
