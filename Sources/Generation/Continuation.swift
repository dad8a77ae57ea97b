import Models
import Components
import Execution
import Kernels
import Tokenization

/// One text that is being continued: what was written of it, how its next token is chosen, and what ends it.
struct Continuation {
  private(set) var result = TextGenerator.Result()
  private let settings: TextGenerator.Settings
  private let endOfText: Set<Int>
  private var sampler: Sampler
  private var decoder: StreamDecoder?
  private var stops: StopText
  private var history: [Int]
  private var next = 0
  private var probability: TokenProbability?

  /// The continuation of `prompt`, of which nothing is written yet.
  init(of prompt: [Int], _ settings: TextGenerator.Settings, tokenizer: Tokenizer?) {
    self.settings = settings
    result.promptTokens = prompt
    endOfText = Set(tokenizer?.endOfText ?? []).union(settings.ends)
    sampler = Sampler(settings.sampling)
    decoder = tokenizer.map { StreamDecoder($0, startsText: settings.beginsText) }
    stops = StopText(settings.stops)
    history = prompt
  }

  /// How many tokens a sequence needs for it when the model takes at most `limit`.
  func length(limit: Int) -> Int {
    let (wanted, overflow) = result.promptTokens.count.addingReportingOverflow(max(0, settings.maximumTokens))
    return min(limit, overflow ? Int.max : wanted)
  }

  /// Chooses the next token; throws `ModelProblem` when there is none, for the model computes no numbers.
  mutating func choose(from logits: UnsafeBufferPointer<Float>, position: Int) throws {
    // A sum is NaN when one of its numbers is: a model that computes some is broken, though others could be chosen from.
    let hasNaN = logits.baseAddress.map { sum($0, count: logits.count).isNaN } ?? false
    guard !hasNaN, let token = sampler.next(logits, after: history, prompt: result.promptTokens.count)
    else {
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
    if result.tokens.count >= settings.maximumTokens { return ended(.length) }
    if !settings.ignoresEnd, endOfText.contains(next) { return ended(.end) }
    result.tokens.append(next)
    if let probability { result.probabilities.append(probability) }
    history.append(next)
    let text = stops.append(decoder?.append(next) ?? "")
    result.text += text
    if try !emit(text, next) { return ended(.cancelled) }
    if stops.found != nil { return ended(.stop) }
    if result.tokens.count >= settings.maximumTokens { return ended(.length) }
    if sequence.position < sequence.length { return [next] }
    guard settings.slides else { return ended(.context) }
    // What follows no longer sees the first half, and positions begin anew.
    sequence = try executor.openSequence(length: sequence.length)
    return Array(history.suffix(max(1, sequence.length / 2)))
  }

  private mutating func ended(_ ending: TextGenerator.Ending) -> [Int]? {
    result.ending = ending
    return nil
  }

  /// Hands out the text that was held back, for it could have been the beginning of a stop.
  mutating func finish(emit: (_ text: String, _ id: Int?) throws -> Bool) throws {
    guard stops.found == nil else { return }
    let rest = stops.append(decoder?.finish() ?? "") + stops.finish()
    if rest.isEmpty { return }
    result.text += rest
    _ = try emit(rest, nil)
  }

  /// Notes how long the prompt and the rest took.
  mutating func took(prompt: Double, generation: Double) {
    result.promptSeconds = prompt
    result.generationSeconds = generation
  }
}
