import Execution
import Tokenization

/// Continues texts with a model: prompt, cache, sampling, and text that comes as whole characters.
public struct TextGenerator {
  /// What ends a generation, and how tokens are chosen.
  public struct Settings: Sendable {
    /// How many tokens are written at most.
    public var maximumTokens = 256
    /// How tokens are chosen.
    public var sampling = Sampler.Settings()
    /// Texts before which the generation ends.
    public var stops: [String] = []
    /// Whether what is written begins a text, rather than going on in the middle of one: some tokenizers write a space
    /// before every word, and leave it out at the beginning.
    public var beginsText = true
    /// Whether the end-of-text tokens are ignored.
    public var ignoresEnd = false

    /// 256 tokens, drawn as `Sampler.Settings` draws.
    public init() {}
  }

  /// Why a generation ended.
  public enum Ending: String, Sendable {
    /// The model wrote an end-of-text token.
    case end
    /// One of the stop texts came.
    case stop
    /// The wanted number of tokens was written.
    case length
    /// The model can take no more tokens.
    case context
    /// The caller asked for no more.
    case cancelled
  }

  /// What a generation was.
  public struct Result: Sendable {
    /// The text.
    public internal(set) var text = ""
    /// The ids of the prompt.
    public internal(set) var promptTokens: [Int] = []
    /// The ids that were written.
    public internal(set) var tokens: [Int] = []
    /// Why it ended.
    public internal(set) var ending = Ending.length
    /// Seconds for the prompt.
    public internal(set) var promptSeconds = 0.0
    /// Seconds for the written tokens after the first, which the prompt's pass gives.
    public internal(set) var generationSeconds = 0.0

    /// Prompt tokens a second.
    public var promptRate: Double { promptSeconds > 0 ? Double(promptTokens.count) / promptSeconds : 0 }
    /// Written tokens a second, without the first.
    public var generationRate: Double {
      generationSeconds > 0 ? Double(max(0, tokens.count - 1)) / generationSeconds : 0
    }
  }

  private let executor: PlanExecutor
  private let tokenizer: Tokenizer?

  /// A generator that runs `executor` and writes with `tokenizer`; without one only ids are written.
  public init(_ executor: PlanExecutor, tokenizer: Tokenizer?) {
    self.executor = executor
    self.tokenizer = tokenizer
  }

  /// Continues `prompt`. Text goes to `emit` as it comes, and the generation ends when `emit` returns false.
  public func generate(_ prompt: [Int], _ settings: Settings, emit: (_ text: String, _ id: Int?) throws -> Bool) throws
    -> Result
  {
    var result = Result()
    result.promptTokens = prompt
    let limit = executor.plan.longestSequence ?? Int.max
    if prompt.count > limit { throw ExecutionProblem.tooLong(tokens: prompt.count, limit: limit) }
    let (wanted, overflow) = prompt.count.addingReportingOverflow(max(0, settings.maximumTokens))
    let sequence = try executor.openSequence(length: min(limit, overflow ? Int.max : wanted))
    var sampler = Sampler(settings.sampling)
    var decoder = tokenizer.map { StreamDecoder($0, startsText: settings.beginsText) }
    var stops = StopText(settings.stops)
    var history = prompt
    let clock = ContinuousClock()
    var next = 0
    result.promptSeconds = try clock.measure {
      try executor.forward([(sequence, prompt)], logits: .last) { _, _, logits in next = sampler.next(logits, after: history) }
    }.seconds
    let start = clock.now
    while true {
      if result.tokens.count >= settings.maximumTokens {
        result.ending = .length
        break
      }
      if !settings.ignoresEnd, tokenizer?.endOfText.contains(next) ?? false {
        result.ending = .end
        break
      }
      result.tokens.append(next)
      history.append(next)
      let text = stops.append(decoder?.append(next) ?? "")
      result.text += text
      if try !emit(text, next) {
        result.ending = .cancelled
        break
      }
      if stops.found != nil {
        result.ending = .stop
        break
      }
      if result.tokens.count >= settings.maximumTokens { continue }
      if sequence.position >= sequence.length {
        result.ending = .context
        break
      }
      try executor.forward([(sequence, [next])], logits: .last) { _, _, logits in next = sampler.next(logits, after: history) }
    }
    result.generationSeconds = (clock.now - start).seconds
    if stops.found == nil {
      let rest = stops.append(decoder?.finish() ?? "") + stops.finish()
      if !rest.isEmpty {
        result.text += rest
        _ = try emit(rest, nil)
      }
    }
    return result
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
