import Files

/// What trains the runs of a study.
public enum StudyEngine: String, Sendable, CaseIterable {
  /// This program.
  case chimera
  /// The arms, exported, by PyTorch.
  case torch

  /// The engine that an outcome names, nil of this program.
  init(named name: String?) { self = name == nil ? .chimera : .torch }

  /// What a sentence calls it.
  var words: String { self == .chimera ? "this program" : "torch" }
}

/// Why runs of a study are not taken together, or not begun.
public enum EngineProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// Finished runs are of two engines; how many of each, and the first task of each.
  case mixed(path: String, counts: [String])
  /// Runs are there or planned for one engine, and others are asked of another.
  case other(path: String, found: StudyEngine, wanted: StudyEngine, isFinished: Bool)
  /// An engine has no form of what the study asks.
  case unavailable(String)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .mixed(let path, let counts):
      "the runs in '\(path)' are of two engines, \(counts.joined(separator: " and ")), and arms may differ by it; "
        + "--mixed-engines takes them together all the same"
    case .other(let path, let found, let wanted, let isFinished):
      "the study in '\(path)' \(isFinished ? "has runs by" : "is planned for") \(found.words), and arms may differ by the "
        + "engine; "
        + (found == .torch
          ? "chimera ablate plan \(path) --engine torch --torchrun writes the script that trains them"
          : "chimera ablate \(path) goes on with it")
        + ", --mixed-engines has the rest trained by \(wanted.words) all the same"
    case .unavailable(let sentence): sentence
    }
  }
}

extension StudyFolder {
  /// The folder in which a task's arm stands exported, with what trains it.
  public func exportedFolder(of task: StudyTask) -> String { folder(of: task) + "/exported" }

  /// Where such a task's program leaves what it measured.
  public func exportedRun(of task: StudyTask) -> String { exportedFolder(of: task) + "/run" }

  /// Throws `EngineProblem` when the finished runs of `plan` are not all by one engine.
  public func requireOneEngine(_ plan: StudyPlan) throws(EngineProblem) {
    var counts: [StudyEngine: Int] = [:]
    for task in tasks(of: plan) {
      if let outcome = outcome(of: task) { counts[StudyEngine(named: outcome.times.engine), default: 0] += 1 }
    }
    if counts.count < 2 { return }
    throw .mixed(
      path: path,
      counts: StudyEngine.allCases.compactMap { engine in counts[engine].map { "\($0) by \(engine.words)" } })
  }

  /// Throws `EngineProblem` when runs are left of `plan`, and those that are finished or planned are not by `engine`.
  public func require(_ engine: StudyEngine, _ plan: StudyPlan) throws(EngineProblem) {
    let tasks = tasks(of: plan)
    let outcomes = tasks.map { outcome(of: $0) }
    if !outcomes.contains(where: { $0 == nil }) { return }
    for outcome in outcomes.compactMap({ $0 }) {
      let found = StudyEngine(named: outcome.times.engine)
      if found != engine { throw .other(path: path, found: found, wanted: engine, isFinished: true) }
    }
    if engine == .chimera, tasks.contains(where: { kind(ofPath: exportedFolder(of: $0)) == .folder }) {
      throw .other(path: path, found: .torch, wanted: engine, isFinished: false)
    }
  }
}
