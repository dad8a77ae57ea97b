import Components
import Files
import Specification

/// Where a study lives: its question, and what its tasks have measured.
///
///     study.yaml               the study, to be read again by any machine
///     base.yaml                the base as it was resolved, so that no zoo is needed
///     tasks.json               the keys of its tasks, which say whether another study is meant
///     tasks/KEY/outcome.json   what the task of that key measured, with its hash
///     tasks/KEY/failure.txt    why it measured nothing when it was last run
///     tasks/KEY/run/           a run under way
///     report.html, report.md, results.json
///
/// An outcome is written whole or not at all, and named by everything that decides it. So tasks may run twice, in any
/// order, on any machine, and die: what counts is only which outcomes are there.
public struct StudyFolder: Sendable {
  /// Its path.
  public let path: String

  /// The folder at `path`, which need not be there yet.
  public init(path: String) { self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path }

  /// The study's file.
  public var studyPath: String { path + "/study.yaml" }
  /// The base's file.
  var basePath: String { path + "/base.yaml" }
  package var tasksPath: String { path + "/tasks.json" }
  var tasksFolder: String { path + "/tasks" }

  /// Whether a study stands here.
  public var isBegun: Bool { kind(ofPath: studyPath) == .file }

  /// The study's tree.
  public func tree() throws -> Setting {
    let file = try MappedFile(path: studyPath)
    return try withExtendedLifetime(file) { try YAMLReader(source: studyPath).read(Array(file.bytes)) }
  }

  /// The folder of a task.
  package func folder(of task: StudyTask) -> String { "\(tasksFolder)/\(task.key)" }

  /// Where a task's run leaves what it needs to go on.
  package func runFolder(of task: StudyTask) -> String { folder(of: task) + "/run" }

  package func outcomePath(of task: StudyTask) -> String { folder(of: task) + "/outcome.json" }

  private func failurePath(of task: StudyTask) -> String { folder(of: task) + "/failure.txt" }

  /// What is there of a task.
  public enum Found: Sendable {
    /// It has not ended yet.
    case nothing
    /// What it measured.
    case outcome(TaskOutcome)
    /// A file that is not its outcome, and what is wrong with that.
    case damaged(String)
  }

  /// What is there of `task`.
  public func found(of task: StudyTask) -> Found {
    let path = outcomePath(of: task)
    switch kind(ofPath: path) {
    case .nothing: return .nothing
    case .file: break
    case .folder, .other: return .damaged("is not a file")
    }
    do {
      return .outcome(try TaskOutcome(JSONValue(contentsOf: path, limit: 64 << 20), key: task.key))
    } catch let damage as OutcomeDamage {
      return .damaged(damage.sentence)
    } catch let problem as FileProblem {
      return .damaged("cannot be read: \(problem.sentence)")
    } catch {
      return .damaged("cannot be read: \(error)")
    }
  }

  /// What a task measured; nil when it has not, or what is there is not whole.
  public func outcome(of task: StudyTask) -> TaskOutcome? {
    if case .outcome(let outcome) = found(of: task) { outcome } else { nil }
  }

  /// What has become of `task`.
  public func state(of task: StudyTask) -> StudyPlan.TaskState {
    if let outcome = outcome(of: task) { return .measured(outcome.result.loss) }
    return failure(of: task) == nil ? .open : .failed
  }

  /// Every task of `plan` that follows from what is here.
  public func tasks(of plan: StudyPlan) -> [StudyTask] { plan.tasks { state(of: $0) } }

  /// The outcomes of `plan` that are damaged, with what is wrong with each.
  public func damages(of plan: StudyPlan) -> [(task: StudyTask, sentence: String)] {
    tasks(of: plan).compactMap { task in
      if case .damaged(let sentence) = found(of: task) { (task, sentence) } else { nil }
    }
  }

  /// Where the outcome of `task` is, from the folder on.
  public func outcomeName(of task: StudyTask) -> String { "tasks/\(task.key)/outcome.json" }

  /// Notes what a task measured.
  func write(_ outcome: TaskOutcome, of task: StudyTask) throws {
    try makeFolder(folder(of: task))
    try writeAtomically(outcome.json(key: task.key).serialized(pretty: true) + "\n", to: outcomePath(of: task))
    try removeFile(failurePath(of: task))
  }

  /// Notes why a task has measured nothing.
  func write(failure: String, of task: StudyTask) throws {
    try makeFolder(folder(of: task))
    try writeAtomically(failure + "\n", to: failurePath(of: task))
  }

  /// Why a task measured nothing when it was last run; nil when it did, or was not run.
  public func failure(of task: StudyTask) -> String? {
    let path = failurePath(of: task)
    guard kind(ofPath: path) == .file, kind(ofPath: outcomePath(of: task)) == .nothing,
      let file = try? MappedFile(path: path)
    else { return nil }
    return withExtendedLifetime(file) {
      String(decoding: file.bytes.prefix(1000), as: UTF8.self).split(separator: "\n").first.map(String.init)
    }
  }

  private func markPath(of task: StudyTask) -> String { folder(of: task) + "/run-is-temporary" }

  /// Notes whether the run of `task` is to be kept when it has ended: what is not is removed, by another process when
  /// this one dies before.
  package func mark(_ task: StudyTask, keepsRun: Bool) throws {
    try makeFolder(folder(of: task))
    if keepsRun { try removeFile(markPath(of: task)) } else { try writeAtomically("", to: markPath(of: task)) }
  }

  /// Whether a process has left something of `task`, which has its outcome.
  func hasLeftovers(_ task: StudyTask) -> Bool {
    kind(ofPath: markPath(of: task)) != .nothing
      || ((try? namesInFolder(folder(of: task))) ?? []).contains { $0.hasSuffix(".tmp") }
  }

  /// Removes what processes have left of `task`, which has its outcome.
  func clear(_ task: StudyTask) throws {
    for name in try namesInFolder(folder(of: task)) where name.hasSuffix(".tmp") {
      try removeFile(folder(of: task) + "/" + name)
    }
    guard kind(ofPath: markPath(of: task)) != .nothing else { return }
    try removeFolder(runFolder(of: task))
    try removeFile(markPath(of: task))
  }

  /// Keeps a task for this process; nil when another one of this machine has it.
  func lock(_ task: StudyTask) throws -> FileLock? {
    try makeFolder(folder(of: task))
    return try FileLock(path: folder(of: task) + "/lock")
  }
}
