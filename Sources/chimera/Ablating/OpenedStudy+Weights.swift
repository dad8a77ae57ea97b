import Ablation
import Files

extension OpenedStudy {
  /// The arms, the baseline first, each with the folder of its run with the first seed and the shared settings, at the base's
  /// size. Throws where no run has kept its weights; the names of arms that have none are told.
  func arms() throws -> (kept: [(name: String, run: String)], missing: [String]) {
    if plan.isEvaluation {
      throw Failure(.invalid, "the study in '\(folder.path)' trains nothing, so its arms have no weights of their own")
    }
    var (kept, missing): ([(name: String, run: String)], [String]) = ([], [])
    for (index, arm) in plan.arms.enumerated() {
      let tasks = plan.tasks.filter { $0.arm == index && $0.probe == nil && $0.factor == nil && $0.rung == nil }
      let runs = tasks.filter { folder.outcome(of: $0) != nil }.map { folder.runFolder(of: $0) }
      if let run = runs.first(where: { kind(ofPath: $0 + "/model.safetensors") == .file }) {
        kept.append((arm.name, run))
      } else {
        missing.append(arm.name)
      }
    }
    if kept.isEmpty {
      throw Failure(
        .notFound,
        "no arm of the study in '\(folder.path)' has weights there: 'chimera ablate STUDY --keep-weights' keeps those of finished runs"
      )
    }
    return (kept, missing)
  }
}
