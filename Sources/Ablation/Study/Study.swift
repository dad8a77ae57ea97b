import Components
import Files

/// A question about an architecture: a base, the arms that differ from it, and what is held equal between them.
public struct Study: Sendable {
  /// Its name.
  public let name: String
  /// The model that the arms are patches of, as it was named: of the zoo, or a file.
  public let base: String
  /// Where the base was named.
  public let basePlace: Place?
  /// What is changed in the base for every arm.
  public let basePatch: Setting
  /// The trained model that runs start from; nil for random numbers.
  public let weights: String?
  /// The tokenizer that reads the data, a path or `bytes`; nil for the model's own.
  public let tokenizer: String?
  /// The arms, in the order they were written.
  public let arms: [Arm]
  /// The seeds: each trains every arm, and the baseline, once.
  public let seeds: [Int]
  /// What is held equal.
  public let hold: Hold
  /// How arms are trained, for the trainer to read; an arm may say otherwise.
  public let training: Setting
  /// The files that are trained on.
  public let data: [DataFile]
  /// The lengths at which the trained arms are evaluated besides the one they are trained at.
  public let contexts: [EvaluatedContext]
  /// How the arms go together.
  public let design: StudyDesign
  /// The looks at which seeds are added until arms are decided; nil where every arm has all seeds.
  public let schedule: SeedSchedule?
  /// The abilities that arms are tested for beside the loss.
  public let probes: [ProbeRequest]
  /// The setting that each arm has its own best of; nil where all share it.
  public let tuning: Tuning?
  /// Files of questions that trained arms are asked.
  public let benchmarks: [BenchmarkRequest]
  /// What each arm may spend; nil where all are trained for as many tokens as the training settings say.
  public let budget: Budget?
  /// The sizes that the study is run at beside the base's; nil for that alone.
  public let ladder: Ladder?

  /// A file or folder of text, and where it was named.
  public struct DataFile: Sendable, Hashable {
    /// Its path.
    public let path: String
    /// Where it was named.
    public let place: Place?
  }

  /// Those of `files` that are not there.
  static func missing(among files: [DataFile]) -> Problems {
    var problems = Problems()
    for file in files where kind(ofPath: file.path) == .nothing {
      problems.add(Problem("there is no file or folder '\(file.path)'", at: file.place))
    }
    return problems
  }

  /// A length to evaluate at, in tokens.
  public enum EvaluatedContext: Sendable, Hashable {
    /// So many tokens.
    case tokens(Int)
    /// So many times the length that the arms are trained at.
    case times(Int)

    /// The length, for arms trained at `context` tokens.
    public func tokens(trainedAt context: Int) -> Int {
      switch self {
      case .tokens(let count): count
      case .times(let factor): context * factor
      }
    }
  }
}

/// A change of the base that a study tries.
public struct Arm: Sendable {
  /// Its name.
  public let name: String
  /// What it changes in the base's specification.
  public let patch: Setting
  /// What it changes in how it is trained.
  public let training: Setting
  /// Where it was written.
  public let place: Place?
  /// Whether it is one value among several of what is varied, so that the base may be one of the values itself.
  public let isVariation: Bool
  /// Where it stands in the study's design; empty where it stands alone.
  public let coordinates: [Int]

  /// An arm that changes `patch` in the base and `training` in how it is trained.
  init(
    name: String, patch: Setting, training: Setting, place: Place?, isVariation: Bool, coordinates: [Int] = []
  ) {
    (self.name, self.patch, self.training, self.place) = (name, patch, training, place)
    (self.isVariation, self.coordinates) = (isVariation, coordinates)
  }
}
