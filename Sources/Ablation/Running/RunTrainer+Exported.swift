import Components
import Execution
import Files
import Kernels
import Specification
import Tokenization
import Training

/// Runs of arms that another engine trains: what they start from, and what came of them.
extension RunTrainer {
  /// What a run starts from, wherever it is trained.
  public struct Beginning {
    /// The settings of the run.
    public let settings: TrainingSettings
    /// The tokens that are trained on.
    public let training: TokenText
    /// Those that it is validated on.
    public let validation: TokenText
  }

  /// What the run of `arm` from `seed` on starts from, beside its tensors.
  public func beginning(of arm: PlannedArm, _ study: Study, seed: Int) throws -> Beginning {
    let settings = try self.settings(of: arm, study, seed: seed)
    let (training, validation) = try split(study, settings)
    return Beginning(settings: settings, training: training, validation: validation)
  }

  /// The tensors that the run of `arm` with `settings` starts from.
  public func firstParameters(of arm: PlannedArm, _ settings: TrainingSettings) throws -> Parameters {
    let parameters = try Parameters(arm.plan, seed: settings.seed)
    start?.take(arm.plan, parameters)
    return parameters
  }

  /// What `run`, of `arm` from `seed` on, measured, and what its trained tensors, by canonical names, are worth at other
  /// `contexts` and questions, which are evaluated here. Throws when it is not that run, or was not whole.
  func outcome(
    of arm: PlannedArm, _ study: Study, seed: Int, contexts: [Int], _ run: ExportedRun,
    tensors: () throws -> [String: StoredTensor]
  ) throws -> TaskOutcome {
    let settings = try self.settings(of: arm, study, seed: seed)
    let measured = try run.metrics(settings)
    var curve = measured.curve
    if start != nil, let loss = try trainer(arm, study, settings).validate() {
      curve.insert(.init(tokens: 0, loss: loss), at: 0)
    }
    let times = TaskTimes(
      seconds: measured.seconds, tokensPerSecond: measured.tokensPerSecond, machine: run.device, engine: run.engine)
    guard run.divergedAfter == nil, let loss = curve.last?.loss, loss.isFinite else {
      return TaskOutcome(
        TaskResult(
          loss: .nan, curve: curve, contexts: [], stability: measured.stability,
          divergedAfter: run.divergedAfter ?? settings.steps), times)
    }
    var losses: [TaskResult.ContextLoss] = []
    var scores: [BenchmarkScore] = []
    if !contexts.isEmpty || !study.benchmarks.isEmpty {
      let trainer = try trainer(arm, study, settings)
      let (stored, own) = (try Parameters(arm.plan, stored: tensors()), trainer.parameters)
      for index in arm.plan.parameters.indices {
        guard let numbers = own.mutable(index) else { continue }
        _ = numbers.update(fromContentsOf: stored.values(index))
      }
      let windows = WindowLoss(trainer, text: try split(study, settings).last, pool: pool)
      for context in contexts {
        losses.append(
          .init(context: context, loss: try windows.loss(context: context, tokens: settings.validationTokens)))
      }
      scores = try answers(study, arm.plan, own, settings)
    }
    return TaskOutcome(
      TaskResult(loss: loss, curve: curve, contexts: losses, stability: measured.stability, benchmarks: scores), times)
  }
}

extension RunTrainer {
  /// What becomes of an exported run that is taken.
  public enum Taken: Sendable {
    /// It has its outcome.
    case outcome(StudyTask)
    /// It is not taken, for this reason.
    case failed(StudyTask, String)
  }

  /// Takes the exported runs of `plan` in `folder` that have ended and have no outcome yet; `tensors` reads the trained ones
  /// of a plan from a run's folder. What is taken is removed but for its outcome, unless `keepsRuns`. One that cannot be
  /// taken is told and noted as the task's failure, and stays.
  public func takeExportedRuns(
    of plan: StudyPlan, in folder: StudyFolder, keepsRuns: Bool,
    tensors: (_ plan: Plan, _ path: String) throws -> [String: StoredTensor], report: (Taken) -> Void
  ) throws {
    for task in folder.tasks(of: plan) where task.probe == nil {
      let path = folder.exportedRun(of: task)
      guard kind(ofPath: path) == .folder, let lock = try folder.lock(task) else { continue }
      try withExtendedLifetime(lock) {
        if case .outcome = folder.found(of: task) { return }
        let arm = plan.arm(of: task)
        do {
          guard let run = try ExportedRun(at: path) else { return }
          let outcome = try outcome(
            of: arm, plan.sized(for: task).study, seed: task.runSeed, contexts: plan.contexts(of: arm), run
          ) { try tensors(arm.plan, path) }
          try folder.write(outcome, of: task)
          if !keepsRuns { try removeFolder(folder.exportedFolder(of: task)) }
          report(.outcome(task))
        } catch {
          let reason = StudyRunner.sentence(of: error)
          try folder.write(failure: reason, of: task)
          report(.failed(task, reason))
        }
      }
    }
  }
}
