import Models
import Components
import Execution
import Grammars
import Kernels
import Tokenization

/// One text that is being continued: what was written of it, how its next token is chosen, and what ends it.
struct Continuation {
  private(set) var result = TextGenerator.Result()
  private let settings: TextGenerator.Settings
  private var choice: TokenChoice
  private var decoder: StreamDecoder?
  private var stops: StopText
  /// The token that was chosen last.
  private(set) var next = 0
  private var probability: TokenProbability?
  /// The token that ended the text, which is no part of it.
  private(set) var end: (token: Int, probability: TokenProbability?)?

  /// The continuation of `prompt`, of which nothing is written yet. Throws `GrammarProblem`.
  init(of prompt: [Int], _ settings: TextGenerator.Settings, tokenizer: Tokenizer?) throws {
    self.settings = settings
    result.promptTokens = prompt
    choice = try TokenChoice(
      after: prompt, settings, endOfText: Set(tokenizer?.endOfText ?? []).union(settings.ends))
    decoder = tokenizer.map { StreamDecoder($0, startsText: settings.beginsText) }
    stops = StopText(settings.stops)
  }

  /// How many tokens a sequence needs for it when the model takes at most `limit`.
  func length(limit: Int) -> Int {
    let (wanted, overflow) = result.promptTokens.count.addingReportingOverflow(max(0, settings.maximumTokens))
    return min(limit, overflow ? Int.max : wanted)
  }

  /// Chooses the next token; throws `ModelProblem` when there is none, for the model computes no numbers, and
  /// `GrammarProblem` where no token goes on as the grammar does. Where one was `proposed`, it is that as often as it should be.
  mutating func choose(
    from logits: UnsafeBufferPointer<Float>, position: Int, proposed: TokenProposal? = nil
  ) throws {
    // A sum is NaN when one of its numbers is: a model that computes some is broken, though others could be chosen from.
    let hasNaN = logits.baseAddress.map { sum($0, count: logits.count).isNaN } ?? false
    guard !hasNaN, let token = try choice.next(from: logits, proposed: proposed) else {
      throw ModelProblem.notANumber(tokens: position + 1)
    }
    next = token
    if let count = settings.logProbabilities {
      probability = TokenProbability(of: token, among: logits, mostLikely: count)
    }
  }

  /// Writes the chosen token and says which tokens are to be computed next; nil when it is over, for the reason in
  /// `result.ending`. A sequence that is full and may go on begins anew: `sequence` is then another.
  mutating func advance(
    _ sequence: inout SequenceState, _ executor: PlanExecutor, emit: (_ text: String, _ id: Int?) throws -> Bool
  ) throws -> [Int]? {
    guard try write(emit: emit) else { return nil }
    if sequence.position < sequence.length { return [next] }
    guard settings.slides else {
      _ = ended(.context)
      return nil
    }
    // What follows no longer sees the first half, and positions begin anew.
    sequence = try executor.openSequence(length: sequence.length)
    return Array(choice.history.suffix(max(1, sequence.length / 2)))
  }

  /// Writes the chosen token; false when it is over, for the reason in `result.ending`.
  mutating func write(emit: (_ text: String, _ id: Int?) throws -> Bool) throws -> Bool {
    if result.tokens.count >= settings.maximumTokens { return ended(.length) }
    if choice.hasNothingLeft { return ended(.grammar) }
    if choice.isEnd(next) {
      end = (next, probability)
      return ended(.end)
    }
    try choice.accept(next)
    result.tokens.append(next)
    if let probability { result.probabilities.append(probability) }
    let text = stops.append(decoder?.append(next) ?? "")
    result.text += text
    if try !emit(text, next) { return ended(.cancelled) }
    if stops.found != nil { return ended(.stop) }
    if let matcher = choice.matcher, matcher.isFinished { return ended(.grammar) }
    return result.tokens.count < settings.maximumTokens || ended(.length)
  }

  /// How many tokens may still be written.
  var tokensLeft: Int { settings.maximumTokens - result.tokens.count }

  /// The text for one who proposes how it goes on, and draws with `sampler`.
  func rehearsal(drawing sampler: Sampler) -> Rehearsal {
    Rehearsal(choice: TokenChoice(rehearsing: choice, drawing: sampler))
  }

  private mutating func ended(_ ending: TextGenerator.Ending) -> Bool {
    result.ending = ending
    // Where a stop text was cut off, what is left need not be what the grammar has.
    result.isComplete = choice.matcher.map { $0.mayEnd && ending != .stop }
    return false
  }

  /// Hands out the text that was held back, for it could have been the beginning of a stop.
  mutating func finish(emit: (_ text: String, _ id: Int?) throws -> Bool) throws {
    guard stops.found == nil else { return }
    let rest = stops.append(decoder?.finish() ?? "") + stops.finish()
    if rest.isEmpty { return }
    result.text += rest
    _ = try emit(rest, nil)
  }

  /// Notes what was proposed of it.
  mutating func note(_ drafts: TextGenerator.Drafts) { result.drafts = drafts }

  /// Notes how long the prompt and the rest took.
  mutating func took(prompt: Double, generation: Double) {
    result.promptSeconds = prompt
    result.generationSeconds = generation
  }
}
