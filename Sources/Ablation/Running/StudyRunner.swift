import Files
import Foundation

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
    /// Another process of this machine has the tasks that are left.
    case waiting
  }

  /// Runs those of `tasks` that have no outcome; all of the study when nil. `report` is told what happens, and returns
  /// whether to go on; false is returned when it did not.
  ///
  /// A task that another process has is left for last, and waited for.
  public func run(_ tasks: [StudyTask]? = nil, report: (Event) -> Bool) throws -> Bool {
    var pending = tasks ?? plan.tasks
    while true {
      var taken: [StudyTask] = []
      for task in pending where folder.outcome(of: task) == nil {
        guard let lock = try folder.lock(task) else {
          taken.append(task)
          continue
        }
        let goesOn = try withExtendedLifetime(lock) { try runLocked(task, report) }
        if !goesOn { return false }
      }
      pending = taken
      if pending.isEmpty { return true }
      if !report(.waiting) { return false }
      Thread.sleep(forTimeInterval: 0.5)
    }
  }

  private func runLocked(_ task: StudyTask, _ report: (Event) -> Bool) throws -> Bool {
    // It may have been finished between the look and the lock.
    guard folder.outcome(of: task) == nil else { return true }
    if !report(.began(task)) { return false }
    let arm = plan.arms[task.arm]
    let outcome = try trainer.train(
      arm, of: plan.study, seed: task.runSeed, contexts: plan.contexts(of: arm), in: folder.runFolder(of: task)
    ) { report(.progress(task, $0)) }
    guard let outcome else { return false }
    try folder.write(outcome, of: task)
    if !keepsRuns { try removeFolder(folder.runFolder(of: task)) }
    return report(.finished(task, outcome))
  }
}
