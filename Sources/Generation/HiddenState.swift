import Components
import Execution
import Models

/// The last hidden state of a text: the mean over its tokens, or that of its last token.
///
/// It is computed piece by piece, so that others need not wait for all of it.
public struct HiddenState {
  /// Which rows make the vector.
  public enum Pooling: String, Sendable, CaseIterable {
    case mean, last
  }

  private let executor: PlanExecutor
  private let sequence: SequenceState
  private let tokens: [Int]
  private let pooling: Pooling
  private let piece: Int
  private var done = 0
  private var sum: [Double]

  /// The hidden state of `tokens` by `executor`, whose plan ends before the head (`Plan.untilHead`); `piece` tokens at a time.
  ///
  /// Throws `ModelProblem` when they are more than the model takes.
  public init(of tokens: [Int], _ executor: PlanExecutor, pooling: Pooling, piece: Int) throws {
    _ = try TextGenerator.limit(of: executor.plan, for: tokens)
    self.executor = executor
    self.tokens = tokens
    self.pooling = pooling
    self.piece = max(1, piece)
    sum = Array(repeating: 0, count: executor.plan.logits.width)
    sequence = try executor.openSequence(length: tokens.count)
  }

  /// Computes the next piece; gives the vector, of length 1, when all is done.
  public mutating func step() throws -> [Double]? {
    let next = Array(tokens[done..<min(tokens.count, done + piece)])
    try executor.forward([(sequence, next)], logits: pooling == .mean ? .all : .last) { _, position, row in
      guard pooling == .mean || position + 1 == tokens.count else { return }
      for (index, number) in row.enumerated() { sum[index] += Double(number) }
    }
    done += next.count
    guard done == tokens.count else { return nil }
    let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length.isFinite else { throw ModelProblem.notANumber(tokens: tokens.count) }
    return length > 0 ? sum.map { $0 / length } : sum
  }
}
