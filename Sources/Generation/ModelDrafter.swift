import Execution

/// Proposes what a smaller model of the same vocabulary writes.
///
/// It draws as the text is drawn, with the same temperature, limits, penalties and grammar, from its own logits. Where its
/// context is shorter than the text, it reads the last part of it.
public final class ModelDrafter: TokenDrafter {
  private let executor: PlanExecutor
  public let cost: Double
  private let vocabulary: Int
  private var sequence: SequenceState?
  /// The tokens that `sequence` has computed, and where in the text they begin.
  private var computed: [Int] = []
  private var begin = 0
  /// Where the sequence was before it went on with tokens that were only proposed.
  private var place: SequencePlace?

  /// A drafter that runs `executor` for a text of a model whose tokens are the first `vocabulary`. One of its passes takes `cost`
  /// of the time that a pass of the text's model takes.
  public init(_ executor: PlanExecutor, cost: Double, vocabulary: Int) {
    self.executor = executor
    self.cost = cost
    self.vocabulary = vocabulary
  }

  public func propose(_ count: Int, following rehearsal: inout Rehearsal) throws -> [TokenProposal] {
    let limit = executor.plan.longestText
    let tokens = rehearsal.tokens
    guard count > 0, count < limit, tokens.allSatisfy({ $0 < executor.plan.shape.vocabSize }) else { return [] }
    if begin > tokens.count || tokens.count - begin + count > limit {
      // The last half of what it can read, so that there is room for a while.
      begin = max(0, tokens.count - max(1, min(limit / 2, limit - count)))
      forget()
    }
    let text = Array(tokens[begin...])
    let sequence = try prepare(for: text, room: count, longest: min(limit, rehearsal.longest))
    var next = Array(text[computed.count...])
    var proposals: [TokenProposal] = []
    while true {
      var proposal: TokenProposal?
      do {
        try executor.forward([(sequence, next)], logits: .last) { _, _, logits in
          let known = UnsafeBufferPointer(rebasing: logits[..<min(logits.count, vocabulary)])
          // A draft without numbers has nothing to propose; the text's own model is the one to complain of.
          if !known.contains(where: \.isNaN) { proposal = rehearsal.proposal(from: known) }
        }
      } catch {
        forget()
        throw error
      }
      computed += next
      if proposals.isEmpty, executor.hasOneWay { place = sequence.place }
      guard let proposal, rehearsal.accept(proposal.token) else { break }
      proposals.append(proposal)
      if proposals.count == count || rehearsal.isEnd(proposal.token) { break }
      next = [proposal.token]
    }
    return proposals
  }

  private func forget() {
    sequence = nil
    place = nil
    computed = []
  }

  /// A sequence that has computed the beginning of `text`, all of it but the last token at most, with room for the rest.
  private func prepare(for text: [Int], room: Int, longest: Int) throws -> SequenceState {
    var common = 0
    while common < min(computed.count, text.count - 1), computed[common] == text[common] { common += 1 }
    if let sequence, sequence.length >= text.count + room {
      if executor.rewind(sequence, to: common) {
        computed.removeLast(computed.count - common)
        return sequence
      }
      if let place, place.position <= common, executor.rewind(sequence, to: place) {
        computed.removeLast(computed.count - place.position)
        return sequence
      }
    }
    forget()
    let length = min(
      executor.plan.longestText, max(min(longest, Int.max - room) - begin + room, 2 * (text.count + room)))
    let sequence = try executor.openSequence(length: length)
    self.sequence = sequence
    return sequence
  }
}
