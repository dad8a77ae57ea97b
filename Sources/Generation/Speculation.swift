import Essentials
import Execution

/// Generation by passes that compute several tokens of a text: its next one, and those that a drafter proposes behind it.
///
/// The logits of the pass say of each proposal whether it stays, and the first that does not is replaced, so that a pass writes
/// one token more than it had proposals that stay. Tokens are distributed as without proposals, and at temperature 0, or where
/// proposals are not drawn, they are the very same. Cached rows of tokens that do not stay are taken back; states that have no
/// way back are kept before and set again.
///
///     E(k) = (1 − aᵏ⁺¹) / (1 − a) tokens for (several + k·(cost + row)) passes
///
/// is what k proposals are expected to give when each stays with probability a; k is the one that gives most by what stayed so far,
/// and nothing is proposed for a while where none gives more than a pass alone.
/// Leviathan, Kalman, Matias, 2023, https://arxiv.org/abs/2211.17192; Chen et al., 2023, https://arxiv.org/abs/2302.01318.
///
/// A careful reader's mistake: rows that are computed together are summed in another order than one alone, so that a tie within
/// rounding may be decided otherwise.
public final class Speculation {
  private let drafter: any TokenDrafter
  private let most: Int
  private var sampler: Sampler?
  /// What was proposed of the text that is being written.
  private(set) var drafts = TextGenerator.Drafts()
  /// How many proposals were looked at lately, and how many of those stayed.
  private var (looked, stayed) = (0.0, 0.0)

  /// So many tokens of a text are proposed whatever they are expected to give.
  private static let trial = 8
  /// What a pass counts after another one.
  private static let memory = 0.9
  /// What a pass of several rows costs, as a multiple of one of one row, and what each further row adds: about, for it differs
  /// by format and machine.
  private static let (several, row) = (1.3, 0.08)
  /// The most tokens that can be proposed at once: with the one before them a pass computes 16 rows.
  public static let mostProposals = 15

  /// Generation with proposals of `drafter`, at most `most` at once.
  public init(_ drafter: any TokenDrafter, most: Int) {
    precondition((1...Self.mostProposals).contains(most), "\(most) proposals at once")
    self.drafter = drafter
    self.most = most
  }

  /// Begins another text.
  func begin(_ sampling: Sampler.Settings) {
    drafts = TextGenerator.Drafts()
    var own = sampling
    // Far from the text's own draws, which decide on the proposals and must know nothing of them.
    own.seed &+= 0x6a09_e667_f3bc_c909
    sampler = Sampler(own)
  }

  /// Computes `tokens`, the next of `sequence`, and what is proposed behind them; chooses the next token of `continuation`,
  /// having written those before it. False when the text is over. `computed` gets the tokens that the sequence then has.
  func compute(
    _ tokens: [Int], of continuation: inout Continuation, _ sequence: SequenceState, _ executor: PlanExecutor,
    computed: (ArraySlice<Int>) -> Void, emit: (_ text: String, _ id: Int?) throws -> Bool
  ) throws -> Bool {
    let proposals = try propose(behind: tokens, of: continuation, sequence, executor)
    if proposals.isEmpty {
      try executor.forward([(sequence, tokens)], logits: .last) { _, position, logits in
        try continuation.choose(from: logits, position: position)
      }
      computed(tokens[...])
      return true
    }
    let place = executor.hasOneWay ? sequence.place : nil
    let start = sequence.position
    let all = tokens + proposals.map(\.token)
    var (kept, isOpen, isOver) = (0, true, false)
    try executor.forward([(sequence, all)], logits: .all) { _, position, logits in
      guard isOpen else { return }
      let proposal = kept < proposals.count ? proposals[kept] : nil
      try continuation.choose(from: logits, position: position, proposed: proposal)
      isOpen = proposal?.token == continuation.next
      guard isOpen else { return }
      isOver = try !continuation.write(emit: emit)
      isOpen = !isOver
      if isOpen { kept += 1 }
    }
    let accepted = kept + (isOver ? 1 : 0)
    drafts.note(proposals.count, accepted: accepted)
    // What was seen long ago counts for less.
    note(looked: min(accepted + 1, proposals.count), stayed: accepted)
    let rest = all[..<(tokens.count + kept)]
    if kept < proposals.count, !executor.rewind(sequence, to: start + rest.count) {
      guard let place, executor.rewind(sequence, to: place) else {
        preconditionFailure("a sequence cannot go back \(proposals.count - kept) tokens")
      }
      if isOver { return false }
      try executor.forward([(sequence, Array(rest))], logits: .last) { _, _, _ in }
    }
    computed(rest)
    return !isOver
  }

  private func propose(
    behind tokens: [Int], of continuation: Continuation, _ sequence: SequenceState, _ executor: PlanExecutor
  ) throws -> [TokenProposal] {
    let best = best
    if best == 0 { note(looked: 0, stayed: 0) }
    // Another token is chosen behind the last proposal.
    let room = min(executor.mostTentative(behind: sequence), continuation.tokensLeft - 1, best)
    guard tokens.count == 1, room > 0, let sampler else { return [] }
    var rehearsal = continuation.rehearsal(drawing: sampler)
    let proposals = try drafter.propose(room, following: &rehearsal)
    self.sampler = rehearsal.drawing
    return proposals
  }

  /// What was seen long ago counts for less.
  private func note(looked: Int, stayed: Int) {
    self.looked = self.looked * Self.memory + Double(looked)
    self.stayed = self.stayed * Self.memory + Double(stayed)
  }

  /// How many proposals give most; 0 where none do better than a pass alone.
  private var best: Int {
    // Three of four are the guess to begin with, and where nothing was seen for a while.
    let share = min(0.99, (stayed + 3) / (looked + 4))
    func gain(_ count: Int) -> Double {
      let tokens = (1 - pow(share, Double(count + 1))) / (1 - share)
      return count == 0 ? 1 : tokens / (Self.several + Double(count) * (drafter.cost + Self.row))
    }
    // Who asks for a draft sees how good it is.
    let least = drafts.proposed < Self.trial ? 1 : 0
    return (least...most).max { gain($0) < gain($1) } ?? least
  }
}

extension TextGenerator {
  /// What was proposed of a text, and what of it stayed.
  public struct Drafts: Sendable, Hashable {
    /// Passes that had proposals.
    public private(set) var passes = 0
    /// Tokens that were proposed.
    public private(set) var proposed = 0
    /// Tokens that stayed.
    public private(set) var accepted = 0

    /// None.
    public init() {}

    mutating func note(_ proposed: Int, accepted: Int) {
      passes += 1
      self.proposed += proposed
      self.accepted += accepted
    }
  }
}
