import Describing

/// The words of a study file.
enum StudyKeys {
  static let root = [
    "ablation", "base", "set", "weights", "tokenizer", "hold", "seeds", "arms", "vary", "combine", "data", "train",
    "contexts", "tune", "probes", "tasks", "budget", "ladder",
  ]
  static let hold = ["params", "flops", "by", "tokens", "data_order"]
  static let combine = ["each", "grid", "fractional", "path"]
  static let seeds = ["from", "to"]
  /// The key of an arm that is not the model's.
  static let training = "train"
  /// What a width is set to when it is to be found, by what it holds.
  static let sizings: [String: Hold.Quantity] = ["match_params": .params, "match_flops": .flops]

  static let seedLimit = 1_000
  static let armLimit = 1_000
}
