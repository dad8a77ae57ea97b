import Components
import Execution
import Models

/// The final states of a text's tokens, pooled into a vector of length 1.
///
/// It is computed piece by piece, so that others need not wait for all of it, where tokens do not see those after them.
public struct HiddenState {
  private let executor: PlanExecutor
  private let sequence: SequenceState
  private let tokens: [Int]
  private let pooling: TextPooling.Mode
  private let piece: Int
  private var done = 0
  private var sum: [Double]

  /// The hidden state of `tokens` by `executor`, whose plan ends before the head (`Plan.withoutHead`); `piece` tokens at a time.
  ///
  /// Throws `ModelProblem` when they are more than the model takes.
  public init(of tokens: [Int], _ executor: PlanExecutor, pooling: TextPooling.Mode, piece: Int) throws {
    _ = try TextGenerator.length(of: executor.plan, for: tokens)
    self.executor = executor
    self.tokens = tokens
    self.pooling = pooling
    self.piece = executor.plan.seesWholeTexts ? max(1, tokens.count) : max(1, piece)
    sum = Array(repeating: 0, count: executor.plan.logits.width)
    sequence = try executor.openSequence(length: tokens.count)
  }

  /// Computes the next piece; gives the vector, of length 1, when all is done.
  public mutating func step() throws -> [Double]? {
    let next = Array(tokens[done..<min(tokens.count, done + piece)])
    // A piece's last token is the text's only in the last piece, and its first only in the first.
    let wanted: PlanExecutor.Wanted =
      switch pooling {
      case .mean, .max: .all
      case .last: .last
      case .cls: .first
      }
    try executor.forward([(sequence, next)], logits: wanted) { _, position, row in
      switch pooling {
      case .mean: for (index, number) in row.enumerated() { sum[index] += Double(number) }
      case .max where position > 0:
        for (index, number) in row.enumerated() { sum[index] = max(sum[index], Double(number)) }
      case .cls where position > 0: break
      case .last where position + 1 < tokens.count: break
      case .max, .cls, .last: for (index, number) in row.enumerated() { sum[index] = Double(number) }
      }
    }
    done += next.count
    guard done == tokens.count else { return nil }
    let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length.isFinite else { throw ModelProblem.notANumber(tokens: tokens.count) }
    return length > 0 ? sum.map { $0 / length } : sum
  }
}
