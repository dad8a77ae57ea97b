import Components
import Composition
import Specification

/// An arm of a study that composes, with its costs beside the baseline's.
public struct PlannedArm: Sendable {
  /// What the base as it is is called, unless one of the values that are varied is the base's own.
  public static let baselineName = "baseline"

  /// Its name.
  public let name: String
  /// Whether the others are compared with it.
  public let isBaseline: Bool
  /// What it changes in the base, with sizes filled in.
  public let patch: Setting
  /// What it changes in how it is trained.
  public let trainingPatch: Setting
  /// Its specification.
  public let architecture: Architecture
  /// Its plan.
  public let plan: Plan
  /// How it is trained.
  public let training: TrainingDescription
  /// Floating-point operations of a token's forward pass, mean over the positions of a training sequence.
  public let flopsPerToken: Double
  /// The width that was found for it.
  public let sizing: Sizing?
  /// How much larger it is than the baseline, in what the study holds, or in parameters where it holds nothing: 0.01 is
  /// one per cent.
  public let mismatch: Double
  /// Whether that is within the study's tolerance.
  public let isMatched: Bool
  /// Where it stands in the study's design; empty where it stands alone.
  public let coordinates: [Int]
  /// The tokens of a run that budgets leave it.
  public let budget: BudgetTokens

  /// A width that was found.
  public struct Sizing: Sendable, Hashable {
    /// The path of its key.
    public let path: String
    /// What it is set to.
    public let width: Int

    /// The key at `path`, set to `width`.
    public init(path: String, width: Int) {
      self.path = path
      self.width = width
    }
  }

  /// The tokens of a run of it: those of its budgets, or what `study` holds.
  func length(in study: Study) -> BudgetTokens {
    BudgetTokens(whole: budget.whole ?? study.hold.tokens, smaller: budget.smaller)
  }

  /// Numbers learned.
  public var parameterCount: Int { plan.parameterCount }
  /// Floating-point operations of a run: forward, and twice as many backward.
  public var trainingFlops: Double { 3 * flopsPerToken * Double(training.tokens) }
}

/// How an arm is trained, as the trainer understands its settings.
public struct TrainingDescription: Sendable, Hashable {
  /// Tokens of a sequence.
  public let context: Int
  /// Tokens of a whole run.
  public let tokens: Int
  /// The settings as they take effect, by name, in an order that never changes.
  public let settings: [Entry]
  /// Bytes of memory that a run takes.
  public let memory: Int
  /// The numbers of settings that may be tuned, by key, also where nobody wrote them.
  public let numbers: [String: Double]

  /// A setting as it takes effect.
  public struct Entry: Sendable, Hashable {
    /// Its name.
    public let key: String
    /// Its value.
    public let value: String

    /// The setting `key` with `value`.
    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// Training on `tokens` tokens in sequences of `context`.
  public init(context: Int, tokens: Int, settings: [Entry], memory: Int, numbers: [String: Double] = [:]) {
    self.numbers = numbers
    self.context = context
    self.tokens = tokens
    self.settings = settings
    self.memory = memory
  }
}

extension Plan {
  /// Floating-point operations of a token's forward pass, mean over the positions of a sequence of `context` tokens.
  ///
  /// Operations grow linearly with the position but where a window is full, so some dozens of evenly spaced positions
  /// give the mean.
  func meanFlopsPerToken(context: Int) -> Double {
    let count = min(context, 64)
    let positions = (0..<count).map { (2 * $0 + 1) * context / (2 * count) + 1 }
    return positions.reduce(0.0) { $0 + Double(flopsPerToken(context: min($1, context))) } / Double(count)
  }
}
