import Components
import Files
import Specification

/// Where a study lives: its question, and what its tasks have measured.
///
///     study.yaml               the study, to be read again by any machine
///     base.yaml                the base as it was resolved, so that no zoo is needed
///     tasks/KEY/outcome.json   what the task of that key measured
///     tasks/KEY/run/           a run under way
///     report.html, report.md, results.json
///
/// An outcome is written whole or not at all, and named by everything that decides it. So tasks may run twice, in any
/// order, on any machine, and die: what counts is only which outcomes are there.
public struct StudyFolder: Sendable {
  /// Its path.
  public let path: String

  /// The folder at `path`, which need not be there yet.
  public init(path: String) { self.path = path }

  /// The study's file.
  public var studyPath: String { path + "/study.yaml" }
  private var basePath: String { path + "/base.yaml" }

  /// Writes the study, with its changes of the base in the base, so that tasks can be run from this folder alone; `tree` is the study as it was read, whose data
  /// are named by absolute paths.
  public func write(_ tree: Setting, base: Architecture) throws {
    _ = try writeBase(base)
    var tree = tree
    tree["base"] = Setting(text: "./base.yaml")
    tree["set"] = nil
    try writeAtomically(YAMLWriter().write(tree), to: studyPath)
  }

  /// Writes `architecture` as the base of the study to come, and gives the path of its spec.
  public func writeBase(_ architecture: Architecture) throws -> String {
    try makeFolder(path)
    var spec = architecture.resolved
    // The count is the zoo's own check.
    spec["expected_params"] = nil
    try writeAtomically(YAMLWriter().write(spec), to: basePath)
    return basePath
  }

  /// The study's tree.
  public func tree() throws -> Setting {
    let file = try MappedFile(path: studyPath)
    return try withExtendedLifetime(file) { try YAMLReader(source: studyPath).read(Array(file.bytes)) }
  }

  /// The folder of a task.
  func folder(of task: StudyTask) -> String { "\(path)/tasks/\(task.key)" }

  /// Where a task's run leaves what it needs to go on.
  func runFolder(of task: StudyTask) -> String { folder(of: task) + "/run" }

  private func outcomePath(of task: StudyTask) -> String { folder(of: task) + "/outcome.json" }

  /// What a task measured; nil when it has not, or what is there is not whole.
  public func outcome(of task: StudyTask) -> TaskOutcome? {
    let path = outcomePath(of: task)
    guard kind(ofPath: path) == .file, let json = try? JSONValue(contentsOf: path, limit: 64 << 20) else { return nil }
    return TaskOutcome(json, key: task.key)
  }

  /// Notes what a task measured.
  func write(_ outcome: TaskOutcome, of task: StudyTask) throws {
    try makeFolder(folder(of: task))
    try writeAtomically(outcome.json(key: task.key).serialized(pretty: true) + "\n", to: outcomePath(of: task))
  }

  /// Keeps a task for this process; nil when another one of this machine has it.
  func lock(_ task: StudyTask) throws -> FileLock? {
    try makeFolder(folder(of: task))
    return try FileLock(path: folder(of: task) + "/lock")
  }
}
