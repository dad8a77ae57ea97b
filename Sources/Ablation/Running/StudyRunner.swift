import Components
import Essentials
import Files

/// Runs the tasks of a study that have no outcome yet.
public struct StudyRunner {
  private let plan: StudyPlan
  private let folder: StudyFolder
  private let trainer: any ArmTrainer
  private let keepsRuns: Bool

  /// A runner of `plan` whose outcomes go to `folder`; the weights of finished runs are kept there only if `keepsRuns`.
  public init(_ plan: StudyPlan, in folder: StudyFolder, trainer: any ArmTrainer, keepsRuns: Bool = false) {
    self.keepsRuns = keepsRuns
    self.plan = plan
    self.folder = folder
    self.trainer = trainer
  }

  /// What happens while tasks run.
  public enum Event: Sendable {
    /// A task begins, or goes on where it was stopped.
    case began(StudyTask)
    /// A task is so far.
    case progress(StudyTask, TrainingProgress)
    /// A task has its outcome now.
    case finished(StudyTask, TaskOutcome)
    /// A task's file is not its outcome, for this reason; the task is run again.
    case damaged(StudyTask, String)
    /// A task has ended without an outcome, for this reason; the others go on.
    case failed(StudyTask, String)
    /// Another process of this machine has the tasks that are left.
    case waiting
  }

  /// Runs those of `tasks` that have no outcome; all of the study when nil, those that follow from others' included. `report` is told what happens, and returns
  /// whether to go on; false is returned when it did not.
  ///
  /// A task that another process has is left for last, and waited for. One that fails, for want of memory or whatever
  /// else, is told and noted in its folder, and the others go on; it throws only when that cannot be noted.
  public func run(_ tasks: [StudyTask]? = nil, report: (Event) -> Bool) throws -> Bool {
    var failed: Set<String> = []
    if let tasks { return try finish(tasks, &failed, report) }
    var done: Set<String> = []
    while true {
      let next = folder.tasks(of: plan).filter { !done.contains($0.key) }
      if next.isEmpty { return true }
      if try !finish(next, &failed, report) { return false }
      done.formUnion(next.map(\.key))
    }
  }

  private func finish(_ tasks: [StudyTask], _ failed: inout Set<String>, _ report: (Event) -> Bool) throws -> Bool {
    var pending = tasks
    while true {
      var taken: [StudyTask] = []
      for task in pending where !failed.contains(task.key) {
        let found = folder.found(of: task)
        if case .outcome = found, !folder.hasLeftovers(task) { continue }
        guard let lock = try folder.lock(task) else {
          if case .outcome = found { continue }
          taken.append(task)
          continue
        }
        let goesOn = try withExtendedLifetime(lock) { try runLocked(task, report, &failed) }
        if !goesOn { return false }
      }
      pending = taken
      if pending.isEmpty { return true }
      if !report(.waiting) { return false }
      usleep(500_000)
    }
  }

  private func runLocked(_ task: StudyTask, _ report: (Event) -> Bool, _ failed: inout Set<String>) throws -> Bool {
    // It may have been finished between the look and the lock.
    switch folder.found(of: task) {
    case .outcome:
      try folder.clear(task)
      return true
    case .damaged(let reason): if !report(.damaged(task, reason)) { return false }
    case .nothing: break
    }
    if !report(.began(task)) { return false }
    let outcome: TaskOutcome
    do {
      guard let measured = try measure(task, report) else { return false }
      outcome = measured
    } catch {
      failed.insert(task.key)
      let reason = Self.sentence(of: error)
      try folder.write(failure: reason, of: task)
      return report(.failed(task, reason))
    }
    try folder.write(outcome, of: task)
    try folder.clear(task)
    return report(.finished(task, outcome))
  }

  private func measure(_ task: StudyTask, _ report: (Event) -> Bool) throws -> TaskOutcome? {
    try folder.mark(task, keepsRun: keepsRuns)
    let arm = plan.arm(of: task)
    if let kind = task.probe {
      return try trainer.train(arm, on: Probe(kind), seed: task.runSeed) { report(.progress(task, $0)) }
    }
    return try trainer.train(
      arm, of: plan.sized(for: task).study, seed: task.runSeed, contexts: plan.contexts(of: arm),
      in: folder.runFolder(of: task)
    ) { report(.progress(task, $0)) }
  }

  /// What `error` says, on one line.
  public static func sentence(of error: any Error) -> String {
    let text = (error as? Problems)?.list.map(\.sentence).joined(separator: "; ") ?? "\(error)"
    return text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
