import Components
import Essentials
import Execution
import Models
import Tokenization

/// Tells the classes of texts, of pairs of texts or of pictures, with a model whose head scores them.
public struct TextClassifier {
  /// A text as it is read: its ids, and where the second of a pair begins.
  public struct Text: Sendable {
    /// The ids, marks included.
    public let tokens: [Int]
    /// Where tokens of the second kind begin; `Int.max` where there are none.
    public let second: Int
    /// What an image encoder is given for each; nil of a text.
    public let rows: [Float]?

    /// The text of these tokens, or the picture of these `rows`.
    public init(tokens: [Int], second: Int = Int.max, rows: [Float]? = nil) {
      self.tokens = tokens
      self.rows = rows
      self.second = second
    }
  }

  private let executor: PlanExecutor
  /// What the classes are called.
  public let classes: TextClasses

  /// A classifier that runs `executor`; throws `ModelProblem` where its plan tells no classes.
  public init(_ executor: PlanExecutor, _ classes: TextClasses) throws(ModelProblem) {
    guard executor.plan.prediction == .classes else { throw .noClasses(executor.plan.name) }
    self.executor = executor
    self.classes = classes
  }

  /// For each of `texts` the scores of the classes, as logits. Throws `ModelProblem` when one is longer than the model takes, and
  /// when it computes no numbers.
  public func scores(of texts: [Text]) throws -> [[Float]] {
    var scores = texts.map { _ in [Float]() }
    for (index, text) in texts.enumerated() {
      _ = try TextGenerator.length(of: executor.plan, for: text.tokens)
      let sequence = try executor.openSequence(length: text.tokens.count, second: text.second)
      let beside = text.rows.map { [[RowAxis.tokens: AxisInput.rows($0)]] } ?? []
      try executor.forward([(sequence, text.tokens)], beside: beside, logits: .first) { _, _, logits in
        if logits.contains(where: \.isNaN) { throw ModelProblem.notANumber(tokens: text.tokens.count) }
        scores[index] = Array(logits)
      }
    }
    return scores
  }

  /// What `scores` become by the classes' function.
  public func probabilities(_ scores: [Float]) -> [Double] {
    switch classes.function {
    case .none: return scores.map(Double.init)
    case .sigmoid: return scores.map { 1 / (1 + exp(-Double($0))) }
    case .softmax:
      let top = scores.max() ?? 0
      let powers = scores.map { exp(Double($0 - top)) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    }
  }
}
