import Ablation
import Composition
import Describing

/// What the tasks of a study that are left will take, by measured steps.
struct StudyCost {
  /// Seconds of a run of each arm that was measured, in the plan's order; nil for arms with nothing left to run.
  let seconds: [Double?]
  /// Tasks that are left.
  let left: [StudyTask]
  private let plan: StudyPlan

  /// Measures every arm of which a task is left. An arm that cannot be measured is told to `failed`, and the others are.
  init(
    _ plan: StudyPlan, _ folder: StudyFolder, _ trainer: RunTrainer, began: (PlannedArm) -> Void,
    failed: (PlannedArm, String) -> Void
  ) {
    self.plan = plan
    var keys: Set<String> = []
    left = plan.tasks.filter { folder.outcome(of: $0) == nil && keys.insert($0.key).inserted }
    let arms = Set(left.map(\.arm))
    seconds = plan.arms.enumerated().map { index, arm in
      guard arms.contains(index), !StopSignals.came else { return nil }
      began(arm)
      do { return try trainer.estimate(arm, of: plan.study) } catch {
        failed(arm, StudyRunner.sentence(of: error))
        return nil
      }
    }
  }

  /// Seconds that `task` will take.
  func seconds(of task: StudyTask) -> Double { seconds[task.arm] ?? 0 }

  /// Whether a task of the arm at `index` is left.
  func isLeft(_ index: Int) -> Bool { left.contains { $0.arm == index } }

  /// Seconds of all tasks that are left, one after the other.
  var total: Double { left.reduce(0) { $0 + seconds(of: $1) } }

  /// Seconds of the longest task.
  var longestTask: Double? { seconds.compactMap { $0 }.max() }

  /// Bytes of the largest task.
  var memory: Int { plan.arms.map(\.training.memory).max() ?? 0 }

  /// All of it for a person.
  var sentence: String {
    let done = plan.tasks.count - left.count
    if left.isEmpty { return "all \(plan.tasks.count) runs are finished" }
    return
      "\(left.count) runs to go\(done > 0 ? ", \(done) finished" : "") · about \(Wording.duration(total)) one after the other "
      + "· up to \(Quantity.bytes(memory)) of memory"
  }
}
