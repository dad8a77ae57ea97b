import Components
import Files
import Specification

/// A study ready to run: its arms composed, and a task for each arm and seed.
public struct StudyPlan: Sendable {
  /// The question.
  public let study: Study
  /// The arms, the baseline first.
  public let arms: [PlannedArm]
  /// What the data is, as the trainer fingerprints it.
  public let dataFingerprint: String
  /// A task for each arm and seed; all arms of a seed stand together, so that a study that is stopped early has whole
  /// comparisons.
  public let tasks: [StudyTask]
  /// Whether nothing is trained: every arm is evaluated once as it is.
  public let isEvaluation: Bool
  /// The seeds that are run: those of the study, or one where nothing is trained.
  public let seeds: [Int]

  init(study: Study, arms: [PlannedArm], dataFingerprint: String) {
    self.study = study
    self.arms = arms
    self.dataFingerprint = dataFingerprint
    // Where nothing is trained, seeds change nothing.
    isEvaluation = arms.allSatisfy { $0.training.tokens == 0 }
    seeds = isEvaluation ? Array(study.seeds.prefix(1)) : study.seeds
    var tasks: [StudyTask] = []
    for seed in seeds {
      for arm in arms.indices {
        let runSeed = study.hold.dataOrder == .same ? seed : seed + 100_000 * arm
        let key = StudyTask.key(
          arms[arm], seed: runSeed, data: dataFingerprint,
          contexts: study.contexts.map { $0.tokens(trainedAt: arms[arm].training.context) })
        tasks.append(StudyTask(index: tasks.count, arm: arm, seed: seed, runSeed: runSeed, key: key))
      }
    }
    self.tasks = tasks
  }

  /// What a person calls `task`: `task 3 (rope, seed 2)`.
  public func name(of task: StudyTask) -> String {
    "task \(task.index) (\(arms[task.arm].name), seed \(task.seed))"
  }

  /// The baseline.
  public var baseline: PlannedArm { arms[0] }

  /// One name for everything that decides the results.
  public var fingerprint: String {
    var hash = SHA256()
    hash.update(tasks.map(\.key).joined(separator: "\n"))
    return String(hash.hexadecimal().prefix(16))
  }

  /// The lengths that `arm` is evaluated at besides the trained one, in tokens, ascending.
  public func contexts(of arm: PlannedArm) -> [Int] {
    Set(study.contexts.map { $0.tokens(trainedAt: arm.training.context) }).sorted()
  }
}

/// One run: an arm with a seed.
public struct StudyTask: Sendable, Hashable {
  /// Its number in the study, from 0 on.
  public let index: Int
  /// The arm's place among the plan's arms.
  public let arm: Int
  /// The seed as the study lists it.
  public let seed: Int
  /// The seed of the run itself.
  public let runSeed: Int
  /// What names its result: a digest of everything that decides it.
  public let key: String

  /// The digest of the resolved specification, the training settings, the data, the lengths evaluated and the seed.
  ///
  /// Names and facts have no part in it: two arms that compose the same model share their results.
  static func key(_ arm: PlannedArm, seed: Int, data: String, contexts: [Int]) -> String {
    var hash = SHA256()
    hash.update("chimera ablation task 1\n")
    hash.update(YAMLWriter().write(arm.architecture.decisive))
    for entry in arm.training.settings { hash.update("\(entry.key)=\(entry.value)\n") }
    hash.update("data=\(data)\ncontexts=\(contexts.map(String.init).joined(separator: ","))\nseed=\(seed)\n")
    return String(hash.hexadecimal().prefix(24))
  }
}

extension Architecture {
  /// The part of the resolved specification that decides what a run computes; a component's name alone is written as
  /// the group that it stands for.
  var decisive: Setting {
    let indecisive = ["name", "facts", "expected_params", "checkpoint", "config", "gguf", "chat"]
    let entries = (resolved.entries ?? []).filter { !indecisive.contains($0.key) }
    return Setting(
      .group(entries.map { Setting.Entry($0.key, Slot(rawValue: $0.key) == nil ? $0.value : $0.value.asComponent) }))
  }
}
