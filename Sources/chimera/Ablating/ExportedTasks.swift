import Ablation
import Components
import Composition
import Essentials
import Execution
import Export
import Files
import Specification

/// The tasks of a study as exported arms: written for PyTorch, and what it measured taken.
struct ExportedTasks {
  private let opened: OpenedStudy
  private var plan: StudyPlan { opened.plan }
  private var folder: StudyFolder { opened.folder }

  /// The exported tasks of `opened`.
  init(_ opened: OpenedStudy) { self.opened = opened }

  /// Throws when a part of `plan` has no form in PyTorch, before anything is written.
  static func check(_ plan: StudyPlan, _ trainer: RunTrainer) throws {
    if plan.isEvaluation {
      throw EngineProblem.unavailable("the study trains nothing, so there is nothing that torch could train")
    }
    if !plan.study.probes.isEmpty {
      throw EngineProblem.unavailable("probes have no form in train.py; leave them out, or train by this program")
    }
    if plan.study.budget?.quantity == .seconds {
      throw EngineProblem.unavailable(
        "a budget in seconds is of this program's speed here, and torch has another; give tokens or flops")
    }
    let registry = try Zoo().registry
    var seen: Set<String> = []
    for task in plan.tasks {
      let arm = plan.arm(of: task)
      guard seen.insert(arm.name + arm.training.settings.description).inserted else { continue }
      _ = try ExportedArm(arm, plan.sized(for: task).study, seed: task.runSeed, trainer, registry)
    }
  }

  /// Writes each task that is left and is not there yet, and gives those that are left, each once.
  func write() throws -> [StudyTask] {
    let registry = try Zoo().registry
    var keys: Set<String> = []
    let left = folder.tasks(of: plan).filter { folder.outcome(of: $0) == nil && keys.insert($0.key).inserted }
    for task in left where kind(ofPath: folder.exportedFolder(of: task)) == .nothing {
      let exported = try ExportedArm(
        plan.arm(of: task), plan.sized(for: task).study, seed: task.runSeed, opened.trainer, registry)
      try exported.write(to: folder.exportedFolder(of: task), tokens: folder.path)
    }
    return left
  }

  /// Takes what exported tasks have measured since.
  func take() throws {
    var count = 0
    try opened.trainer.takeExportedRuns(of: plan, in: folder, keepsRuns: opened.keepsRuns) { plan, path in
      try Dictionary(uniqueKeysWithValues: ImportedFolder(plan, at: path).tensors.map { ($0.name, $0) })
    } report: { taken in
      switch taken {
      case .outcome: count += 1
      case .failed(let task, let reason):
        Console.note("\(plan.name(of: task)): its exported run cannot be taken: \(reason)")
      }
    }
    if count > 0 { Console.note("\(count) exported \(count == 1 ? "run is" : "runs are") taken") }
  }
}

/// A task's arm as a folder of PyTorch: what `export --train` writes, its tokens apart, for other tasks have the same.
private struct ExportedArm {
  private let arm: PlannedArm
  private let trainer: RunTrainer
  private let beginning: RunTrainer.Beginning
  private let folder: ExportedFolder
  private let training: TrainingFiles

  /// Where a study's tokens stand, from its folder on.
  private var tokens: String { Self.tokens(beginning) }
  private static func tokens(_ beginning: RunTrainer.Beginning) -> String {
    "exported-tokens/validation-\(beginning.settings.validationFraction)"
  }

  /// The run of `arm` from `seed` on. Throws a failure that names the arm and what has no form in PyTorch.
  init(_ arm: PlannedArm, _ study: Study, seed: Int, _ trainer: RunTrainer, _ registry: Registry) throws {
    (self.arm, self.trainer) = (arm, trainer)
    let command = "chimera ablate plan --engine torch"
    do {
      beginning = try trainer.beginning(of: arm, study, seed: seed)
      let words = DocumentedParts(try Composer(registry).assemble(arm.architecture).choices, registry)
      let file = try PyTorchFile(arm.plan, command: command) { words.words($0) }
      folder = ExportedFolder(arm.plan, file)
      // The program stands in tasks/KEY/exported of the study's folder.
      training = try TrainingFiles(
        arm.plan, names: folder.tensorNames, beginning.settings, training: beginning.training,
        validation: beginning.validation, command: command, data: "HERE.parents[2] / \"\(Self.tokens(beginning))\"")
    } catch let problem as ExportProblem {
      throw Failure(.invalid, "arm '\(arm.name)': \(problem)")
    } catch let failure as ExportFailure {
      throw Failure(.failed, "arm '\(arm.name)': \(failure.description)")
    }
  }

  /// Writes it at `path`, and its tokens into the study's folder `study` where they are not there yet.
  func write(to path: String, tokens study: String) throws {
    let data = study + "/" + tokens
    if kind(ofPath: data) == .nothing {
      try writeFolderAtomically(to: data) { try training.writeTokens(to: $0) }
    }
    let parameters = try trainer.firstParameters(of: arm, beginning.settings)
    let others = ["spec.yaml": arm.architecture.text(withFormats: true), "train.py": training.program]
    try folder.write(to: path, parameters: parameters, others: others) { _ in }
  }
}
