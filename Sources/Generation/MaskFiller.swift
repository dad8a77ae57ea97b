import Components
import Essentials
import Execution
import Models
import Tokenization

/// Fills in the tokens that a text leaves out, with an encoder that predicts each from all others.
///
/// Devlin et al., 2018, https://arxiv.org/abs/1810.04805. Each is predicted by itself: of several masked tokens none knows
/// what another was filled with.
public struct MaskFiller {
  /// A token that was left out.
  public struct Gap: Sendable {
    /// Its place among the text's tokens.
    public let position: Int
    /// The likeliest tokens, the best first, each with the logarithm of its probability.
    public let choices: [TokenProbability.Choice]
  }

  private let executor: PlanExecutor

  /// A filler that runs `executor`.
  public init(_ executor: PlanExecutor) { self.executor = executor }

  /// The gaps of `tokens`, which stand where these are `mask`, each with its `count` likeliest tokens.
  ///
  /// Throws `ModelProblem` when the text is longer than the model takes, and when it computes no numbers.
  public func fill(_ tokens: [Int], mask: Int, count: Int) throws -> [Gap] {
    _ = try TextGenerator.length(of: executor.plan, for: tokens)
    let sequence = try executor.openSequence(length: tokens.count)
    var gaps: [Gap] = []
    try executor.forward([(sequence, tokens)], logits: .all) { _, position, logits in
      guard tokens[position] == mask else { return }
      if logits.contains(where: \.isNaN) { throw ModelProblem.notANumber(tokens: position + 1) }
      let likeliest = TokenProbability(of: 0, among: logits, mostLikely: min(count, logits.count), allowed: nil)
      gaps.append(Gap(position: position, choices: likeliest.mostLikely))
    }
    return gaps
  }
}
