import Plans

/// What a model learns of its data: what of a sequence it reads, what it is to predict of it, and the loss of that.
///
/// The trainer is one for all. It makes batches of what an objective says of each sequence, writes the objective's loss behind
/// the model's outputs, and descends. What is random follows from the numbers that are handed in, so that a run that was stopped
/// ends in the same bits as one that was not.
public protocol Objective: Component {
  /// What its sequences are cut from.
  static var data: TrainingData { get }
  /// The loss of each row of the model's outputs that has a target, one number, and its gradient. A row whose target is −1
  /// has neither.
  var loss: any Kernel { get }
  /// Why a model is not trained so, in words that go on a sentence; nil where it can be.
  func obstacle(to plan: Plan) -> String?
  /// Why texts of these marks are not trained on so, likewise; `marks` is nil where nothing tells what tokens stand for.
  func obstacle(in marks: TextMarks?) -> String?
  /// How a text is cut into sequences of which a model reads `context` tokens each.
  func window(of context: Int, _ marks: TextMarks?) -> TextWindow
  /// What is read of `sequence`, and what is predicted: the same of the same random numbers.
  func rows(of sequence: TrainedSequence, _ marks: TextMarks?, _ random: CounterRandom) -> TrainedRows
}

extension Objective {
  public static var slot: Slot { .objective }
  public static var data: TrainingData { .sequences }
  public func obstacle(in marks: TextMarks?) -> String? { nil }
}

/// What the sequences of an objective are cut from.
public enum TrainingData: Sendable, Hashable {
  /// Texts; of a model that reads pictures, questions about them with their answers.
  case sequences
  /// Pictures with their captions.
  case captions
}

/// What tokens are beside words, as a vocabulary's files say it.
public struct TextMarks: Sendable, Hashable {
  /// How many tokens there are.
  public let vocabulary: Int
  /// Those before and behind a text.
  public let before: [Int]
  public let behind: [Int]
  /// The one that stands for a token left out.
  public let mask: Int?
  /// All that are no part of a text.
  public let special: Set<Int>

  /// These marks of a vocabulary of so many tokens.
  public init(vocabulary: Int, before: [Int], behind: [Int], mask: Int?, special: Set<Int>) {
    (self.vocabulary, self.before, self.behind) = (vocabulary, before, behind)
    (self.mask, self.special) = (mask, special)
  }
}

/// How a text is cut.
public struct TextWindow: Sendable, Hashable {
  /// The tokens from the beginning of a window to that of the next.
  public let stride: Int
  /// The tokens of a window.
  public let tokens: Int

  /// Windows of `tokens` tokens, `stride` apart.
  public init(stride: Int, tokens: Int) { (self.stride, self.tokens) = (stride, tokens) }
}

/// A sequence that a model learns from: a window of a text, or questions with their answers.
public struct TrainedSequence: Sendable, Hashable {
  /// Its tokens.
  public let tokens: [Int]
  /// Where those stand that are given and not predicted, in order: the questions.
  public let given: [Range<Int>]

  /// The sequence `tokens`, of which `given` are given.
  public init(_ tokens: [Int], given: [Range<Int>] = []) { (self.tokens, self.given) = (tokens, given) }
}

/// What a model reads of a sequence, and what it is to predict.
public struct TrainedRows: Sendable, Hashable {
  /// The tokens that are read.
  public let inputs: [Int]
  /// For each of them what its output is compared with; −1 for nothing.
  public let targets: [Int]

  /// These `inputs` and as many `targets`.
  public init(inputs: [Int], targets: [Int]) {
    precondition(inputs.count == targets.count, "\(targets.count) targets of \(inputs.count) tokens")
    (self.inputs, self.targets) = (inputs, targets)
  }
}
