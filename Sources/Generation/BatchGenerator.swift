import Models
import Execution
import Tokenization

/// Continues many texts together: the sequences of a pass share the reading of the weights, and as soon as one ends, the
/// next begins in its place.
///
/// Texts do not meet: each is what `TextGenerator` writes of it alone, within rounding. Products of one row, of a few and
/// of many add in different orders.
public struct BatchGenerator {
  private let executor: PlanExecutor
  private let tokenizer: Tokenizer?
  private let together: Int

  /// A generator that runs `executor`, with at most `together` sequences at a time.
  public init(_ executor: PlanExecutor, tokenizer: Tokenizer?, together: Int) {
    self.executor = executor
    self.tokenizer = tokenizer
    self.together = max(1, together)
  }

  /// A text that is being continued.
  private struct Running {
    let index: Int
    var sequence: SequenceState
    var continuation: Continuation
    var tokens: [Int]
    let start: ContinuousClock.Instant
    var promptSeconds = 0.0
  }

  /// Continues `prompts` and hands out each result as it is finished, with the prompt's index.
  ///
  /// With `seed` the prompt `i` is continued with the seed `seed + i`, wrapping; else all have that of `settings`.
  /// Throws `ModelProblem` before anything is computed when a prompt is longer than the model takes.
  public func generate(
    _ prompts: [[Int]], _ settings: TextGenerator.Settings, seedsFrom seed: UInt64? = nil,
    finished: (Int, TextGenerator.Result) throws -> Void
  ) throws {
    var limit = Int.max
    for prompt in prompts { limit = try TextGenerator.limit(of: executor.plan, for: prompt, beside: settings.beside) }
    let clock = ContinuousClock()
    var running: [Running] = []
    var waiting = prompts.indices
    while true {
      while running.count < together, let index = waiting.popFirst() {
        var settings = settings
        if let seed { settings.sampling.seed = seed &+ UInt64(index) }
        let continuation = try Continuation(of: prompts[index], settings, tokenizer: tokenizer)
        running.append(
          Running(
            index: index,
            sequence: try executor.openSequence(
              length: continuation.length(limit: limit), prefix: settings.prefix, together: settings.together,
              places: settings.places),
            continuation: continuation, tokens: prompts[index], start: clock.now))
      }
      if running.isEmpty { return }
      let given = settings.beside.isEmpty ? [] : running.map { $0.sequence.position > 0 ? [:] : settings.beside }
      try executor.forward(running.map { ($0.sequence, $0.tokens) }, beside: given, logits: .last) {
        place, position, logits in
        try running[place].continuation.choose(from: logits, position: position)
      }
      var going: [Running] = []
      for var one in running {
        if one.promptSeconds == 0 { one.promptSeconds = (clock.now - one.start).seconds }
        if let tokens = try one.continuation.advance(&one.sequence, executor, emit: { _, _ in true }) {
          one.tokens = tokens
          going.append(one)
          continue
        }
        try one.continuation.finish { _, _ in true }
        one.continuation.took(
          prompt: one.promptSeconds, generation: (clock.now - one.start).seconds - one.promptSeconds)
        try finished(one.index, one.continuation.result)
      }
      running = going
    }
  }
}
