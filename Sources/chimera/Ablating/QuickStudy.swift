import Ablation
import Components
import Files

/// The short form of a study: the base's size alone, no probes, and runs cut so that all of it takes about ten minutes on
/// this machine. Its answers are of shorter runs, and it is a study of its own, in a folder of its own.
struct QuickStudy {
  /// What it is to take, in seconds.
  static let seconds = 600.0
  /// Batches of a validation, where the study does not say.
  private static let validationBatches = 15
  private static let validation = "validation_batches"
  private static let validateEvery = "validate_every"
  /// The fewest steps of a run, below which nothing is learned.
  private static let fewestSteps = 20

  /// `tree` with what the short form leaves out left out; throws where what a run is long by is not its steps.
  static func trimmed(_ tree: Setting) throws -> Setting {
    if let place = (tree["budget"] ?? tree["hold"]?["tokens"])?.place {
      throw Problems([
        Problem("--quick says how long runs are, and the study does", at: place, hint: "leave one of them out")
      ])
    }
    var tree = tree
    for key in ["ladder", "probes"] { tree[key] = nil }
    // Arms read the same batches, so fewer of them tell arms apart almost as well; else short runs mostly validate.
    if tree["train"]?[validation] == nil {
      tree[path: "train." + validation] = Setting(text: String(validationBatches))
    }
    if let name = tree["ablation"]?.text { tree["ablation"] = Setting(.scalar(name + " quick", quoted: true)) }
    return tree
  }

  /// `tree` with runs of `steps`, validated at every quarter of them: at every tenth, a short run mostly validates.
  static func lasting(_ steps: Int, _ tree: Setting) -> Setting {
    var tree = tree
    tree[path: "train.steps"] = Setting(text: String(steps))
    if tree["train"]?[validateEvery] == nil {
      tree[path: "train." + validateEvery] = Setting(text: String(max(1, (steps + 3) / 4)))
    }
    return tree
  }

  /// The steps of a run with which the study that takes `cost` with runs of `whole` steps is short.
  static func steps(of whole: Int, _ cost: StudyCost) -> Int {
    let (steps, rest) = (cost.expected(\.steps), cost.expected(\.rest))
    guard steps > 0, steps + rest > seconds else { return whole }
    return min(whole, max(fewestSteps, Int(rounding: Double(whole) * max(0, seconds - rest) / steps)))
  }
}
