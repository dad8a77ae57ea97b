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

  /// The steps of a run for the study that `measure` tells the seconds and the steps of, for a number of steps; nil for as many
  /// as it has. What a run takes besides its steps is found from two numbers of them.
  static func steps(_ measure: (Int?) throws -> (seconds: Double, steps: Int)) rethrows -> Int? {
    let whole = try measure(nil)
    if whole.seconds <= seconds || whole.steps <= fewestSteps { return nil }
    let first = max(fewestSteps, Int(rounding: Double(whole.steps) * seconds / whole.seconds))
    let short = try measure(first)
    let slope = (whole.seconds - short.seconds) / Double(max(1, whole.steps - short.steps))
    guard slope > 0 else { return first }
    let rest = max(0, short.seconds - slope * Double(short.steps))
    return min(whole.steps, max(fewestSteps, Int(rounding: (seconds - rest) / slope)))
  }
}
