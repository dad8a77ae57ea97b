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
  private let endOfText: Set<Int>
  private var sampler: Sampler
  private var decoder: StreamDecoder?
  private var stops: StopText
  private var history: [Int]
  private var next = 0
  private var probability: TokenProbability?
  /// The token that ended the text, which is no part of it.
  private(set) var end: (token: Int, probability: TokenProbability?)?
  private let matcher: GrammarMatcher?
  /// Nothing may come but the end, and no token says so.
  private var hasNothingLeft = false
  /// Logits of which only those remain that the grammar allows.
  private var allowed: [Float] = []

  /// The continuation of `prompt`, of which nothing is written yet. Throws `GrammarProblem`.
  init(of prompt: [Int], _ settings: TextGenerator.Settings, tokenizer: Tokenizer?) throws {
    self.settings = settings
    result.promptTokens = prompt
    endOfText = Set(tokenizer?.endOfText ?? []).union(settings.ends)
    sampler = Sampler(settings.sampling)
    decoder = tokenizer.map { StreamDecoder($0, startsText: settings.beginsText) }
    stops = StopText(settings.stops)
    history = prompt
    matcher = try settings.grammar?.matcher(atStart: settings.beginsText)
  }

  /// How many tokens a sequence needs for it when the model takes at most `limit`.
  func length(limit: Int) -> Int {
    let (wanted, overflow) = result.promptTokens.count.addingReportingOverflow(max(0, settings.maximumTokens))
    return min(limit, overflow ? Int.max : wanted)
  }

  /// Chooses the next token; throws `ModelProblem` when there is none, for the model computes no numbers, and
  /// `GrammarProblem` where no token goes on as the grammar does.
  mutating func choose(from logits: UnsafeBufferPointer<Float>, position: Int) throws {
    // A sum is NaN when one of its numbers is: a model that computes some is broken, though others could be chosen from.
    let hasNaN = logits.baseAddress.map { sum($0, count: logits.count).isNaN } ?? false
    guard !hasNaN, let token = try token(from: logits) else { throw ModelProblem.notANumber(tokens: position + 1) }
    next = token
    if let count = settings.logProbabilities {
      probability = TokenProbability(of: token, among: logits, mostLikely: count)
    }
  }

  /// The next token: the sampler's choice among those that the grammar allows. Nil where there is nothing to choose from.
  private mutating func token(from logits: UnsafeBufferPointer<Float>) throws -> Int? {
    guard let matcher else {
      if settings.suppressed.isEmpty { return sampler.next(logits, after: history, prompt: result.promptTokens.count) }
      return next(TokenMask(count: logits.count, without: settings.suppressed), logits)
    }
    let mayEnd = matcher.mayEnd && !settings.ignoresEnd
    // The likeliest token is mostly allowed, and to ask for it is quicker than a mask. Nothing is drawn for it.
    if settings.sampling.isGreedy,
      let likeliest = sampler.next(logits, after: history, prompt: result.promptTokens.count),
      !settings.suppressed.contains(likeliest),
      endOfText.contains(likeliest) ? mayEnd : try matcher.allows(likeliest)
    {
      return likeliest
    }
    var mask = try matcher.mask()
    for end in endOfText { mask[end] = mayEnd }
    for token in settings.suppressed { mask[token] = false }
    if mask.isEmpty {
      hasNothingLeft = true
      return 0
    }
    guard let choice = next(mask, logits) else { throw GrammarProblem.forbidden }
    return choice
  }

  /// The sampler's choice among the tokens of `mask`.
  private mutating func next(_ mask: TokenMask, _ logits: UnsafeBufferPointer<Float>) -> Int? {
    allowed.removeAll(keepingCapacity: true)
    allowed.append(contentsOf: logits)
    allowed.withUnsafeMutableBufferPointer { mask.apply(to: $0) }
    return allowed.withUnsafeBufferPointer { sampler.next($0, after: history, prompt: result.promptTokens.count) }
  }

  /// Writes the chosen token and says which tokens are to be computed next; nil when it is over, for the reason in
  /// `result.ending`. A sequence that is full and may go on begins anew: `sequence` is then another.
  mutating func advance(
    _ sequence: inout SequenceState, _ executor: PlanExecutor, emit: (_ text: String, _ id: Int?) throws -> Bool
  ) throws -> [Int]? {
    if result.tokens.count >= settings.maximumTokens { return ended(.length) }
    if hasNothingLeft { return ended(.grammar) }
    if !settings.ignoresEnd, endOfText.contains(next) {
      end = (next, probability)
      return ended(.end)
    }
    _ = try matcher?.accept(next)
    result.tokens.append(next)
    if let probability { result.probabilities.append(probability) }
    history.append(next)
    let text = stops.append(decoder?.append(next) ?? "")
    result.text += text
    if try !emit(text, next) { return ended(.cancelled) }
    if stops.found != nil { return ended(.stop) }
    if let matcher, matcher.isFinished { return ended(.grammar) }
    if result.tokens.count >= settings.maximumTokens { return ended(.length) }
    if sequence.position < sequence.length { return [next] }
    guard settings.slides else { return ended(.context) }
    // What follows no longer sees the first half, and positions begin anew.
    sequence = try executor.openSequence(length: sequence.length)
    return Array(history.suffix(max(1, sequence.length / 2)))
  }

  private mutating func ended(_ ending: TextGenerator.Ending) -> [Int]? {
    result.ending = ending
    // Where a stop text was cut off, what is left need not be what the grammar has.
    result.isComplete = matcher.map { $0.mayEnd && ending != .stop }
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
