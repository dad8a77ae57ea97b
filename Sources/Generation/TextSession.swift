import Models
import Components
import Execution
import Tokenization

/// Continues one text after another and keeps what they have in common: the turns of a conversation, of which each begins
/// with those before it.
///
/// What a turn gives is what `TextGenerator` gives of the whole text, within rounding.
public final class TextSession {
  private let executor: PlanExecutor
  private let tokenizer: Tokenizer?
  private let speculation: Speculation?
  private var sequence: SequenceState?
  /// The tokens that `sequence` has computed.
  private var computed: [Int] = []
  /// How many tokens of the last prompt were there already.
  public private(set) var reused = 0

  /// A session that runs `executor`. With `speculation` a pass may write several tokens.
  public init(_ executor: PlanExecutor, tokenizer: Tokenizer?, speculation: Speculation? = nil) {
    self.executor = executor
    self.tokenizer = tokenizer
    self.speculation = speculation
  }

  /// How many tokens a text may have.
  public var limit: Int { executor.plan.longestText }

  /// Continues `prompt`, as `TextGenerator.generate` does.
  ///
  /// Throws `ModelProblem` when the prompt is longer than the model takes, and when it computes no numbers.
  public func generate(
    _ prompt: [Int], _ settings: TextGenerator.Settings, emit: (_ text: String, _ id: Int?) throws -> Bool
  ) throws -> TextGenerator.Result {
    let limit = try TextGenerator.limit(of: executor.plan, for: prompt)
    var continuation = try Continuation(of: prompt, settings, tokenizer: tokenizer)
    let needed = continuation.length(limit: limit)
    reused = try prepare(for: prompt, needed: needed, limit: limit)
    guard var sequence else { return continuation.result }
    let clock = ContinuousClock()
    func compute(_ tokens: [Int]) throws {
      do {
        try executor.forward([(sequence, tokens)], logits: .last) { _, position, logits in
          try continuation.choose(from: logits, position: position)
        }
      } catch {
        forget()
        throw error
      }
      computed += tokens
    }
    let promptSeconds = try clock.measure { try compute(Array(prompt[reused...])) }.seconds
    let start = clock.now
    speculation?.begin(settings.sampling)
    while let tokens = try continuation.advance(&sequence, executor, emit: emit) {
      if sequence !== self.sequence { forget() }
      guard let speculation else {
        try compute(tokens)
        continue
      }
      guard try speculate(speculation, tokens, &continuation, sequence, emit: emit) else { break }
    }
    if let speculation { continuation.note(speculation.drafts) }
    continuation.took(prompt: promptSeconds, generation: (clock.now - start).seconds)
    try continuation.finish(emit: emit)
    return continuation.result
  }

  /// Computes `tokens` and what is proposed behind them; false when the text is over.
  private func speculate(
    _ speculation: Speculation, _ tokens: [Int], _ continuation: inout Continuation, _ sequence: SequenceState,
    emit: (_ text: String, _ id: Int?) throws -> Bool
  ) throws -> Bool {
    do {
      return try speculation.compute(
        tokens, of: &continuation, sequence, executor, computed: { computed += $0 }, emit: emit)
    } catch {
      forget()
      throw error
    }
  }

  /// Forgets what was computed.
  public func forget() {
    sequence = nil
    computed = []
  }

  /// Makes room for `needed` tokens and keeps the beginning that `prompt` shares with what was computed: its length.
  private func prepare(for prompt: [Int], needed: Int, limit: Int) throws -> Int {
    var common = 0
    // The last token is always computed, for its logits are wanted.
    while common < min(computed.count, prompt.count - 1), computed[common] == prompt[common] { common += 1 }
    if let sequence, sequence.length >= needed, executor.rewind(sequence, to: common) {
      computed.removeLast(computed.count - common)
      return common
    }
    // Room to grow, so that few turns have to begin anew.
    forget()
    sequence = try executor.openSequence(length: min(limit, max(2 * needed, 2048)))
    return 0
  }
}
