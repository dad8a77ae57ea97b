/// Proposes what followed the last time that a text had the tokens that it ends with, in the prompt or in what was written
/// ("prompt lookup"): of use where a text repeats itself, as code, quotations and corrections do.
///
/// The longest such end counts, of at least two tokens, and of equal ones the last. Nothing is drawn, so that a text is the
/// same, token by token, as without proposals.
/// Saxena, 2023, https://github.com/apoorvumang/prompt-lookup-decoding; Yang et al., 2023, https://arxiv.org/abs/2304.04487.
public final class PromptDrafter: TokenDrafter {
  /// Ends that are shorter than this say little of what follows.
  private static let shortest = 2
  /// Longer ends are not told apart.
  private static let longest = 16

  /// A drafter that reads along.
  public init() {}

  /// Nothing is computed.
  public var cost: Double { 0 }

  public func propose(_ count: Int, following rehearsal: inout Rehearsal) throws -> [TokenProposal] {
    let tokens = rehearsal.source + rehearsal.tokens
    guard let end = Self.repeated(in: tokens) else { return [] }
    var proposals: [TokenProposal] = []
    for token in tokens[end...].prefix(count) {
      guard rehearsal.accept(token) else { break }
      proposals.append(TokenProposal(token))
      if rehearsal.isEnd(token) { break }
    }
    return proposals
  }

  /// Where in `tokens` the end of them stood before: the place behind it; nil where it did not.
  static func repeated(in tokens: [Int]) -> Int? {
    var best: (length: Int, end: Int)?
    tokens.withUnsafeBufferPointer { tokens in
      guard let last = tokens.last else { return }
      for end in stride(from: tokens.count - 1, to: 0, by: -1) where tokens[end - 1] == last {
        var length = 1
        while length < min(end, longest), tokens[end - 1 - length] == tokens[tokens.count - 1 - length] { length += 1 }
        if length >= max(shortest, (best?.length ?? 0) + 1) { best = (length, end) }
        if length == longest { break }
      }
    }
    return best?.end
  }
}
