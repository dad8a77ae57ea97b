import Models
import Components
import Execution
import Grammars
import Tokenization

/// Continues texts with a model: prompt, cache, sampling, and text that comes as whole characters.
public struct TextGenerator {
  /// What ends a generation, and how tokens are chosen.
  public struct Settings: Sendable {
    /// How many tokens are generated at most.
    public var maximumTokens = 256
    /// How tokens are chosen.
    public var sampling = Sampler.Settings()
    /// Texts before which the generation ends.
    public var stops: [String] = []
    /// Tokens that end the generation, beside those that end a text.
    public var ends: Set<Int> = []
    /// Whether what is generated begins a text, rather than going on in the middle of one: some tokenizers write a space
    /// before every word, and leave it out at the beginning.
    public var beginsText = true
    /// Whether a text that fills the context goes on, with the last half of it for a context.
    public var slides = false
    /// How many of the most likely tokens are noted beside each generated one, with their probabilities; nil for nothing.
    public var logProbabilities: Int?
    /// Whether the end-of-text tokens are ignored.
    public var ignoresEnd = false
    /// What may be generated; nil for anything.
    public var grammar: TokenGrammar?
    /// What the model reads beside the text that it writes: a source text, an image.
    public var beside: [RowAxis: AxisInput] = [:]
    /// How many first tokens of the prompt see each other, where a mask lets them.
    public var prefix = 0
    /// Ranges of the prompt whose tokens see each other, where a mask lets them: those of one picture each.
    public var together: [Range<Int>] = []
    /// Where the tokens of the prompt stand in time, down and across.
    public var places = TextPlaces()
    /// Tokens that are never generated.
    public var suppressed: Set<Int> = []

    /// 256 tokens, drawn as `Sampler.Settings` draws.
    public init() {}
  }

  /// Why a generation ended.
  public enum Ending: String, Sendable {
    /// The model generated an end-of-text token.
    case end
    /// One of the stop texts came.
    case stop
    /// The maximum number of tokens was generated.
    case length
    /// The model can take no more tokens.
    case context
    /// The caller asked for no more.
    case cancelled
    /// The text is complete: the grammar has nothing that could follow.
    case grammar

    /// The reason in words, as the command line prints it.
    public var inWords: String {
      switch self {
      case .end: "stopped at the end-of-text token"
      case .stop: "stopped at a stop text"
      case .length: "stopped at max tokens"
      case .context: "stopped at the context length"
      case .cancelled: "cancelled"
      case .grammar: "stopped at the end of the grammar"
      }
    }
  }

  /// What a generation was.
  public struct Result: Sendable {
    /// The text.
    public internal(set) var text = ""
    /// The ids of the prompt.
    public internal(set) var promptTokens: [Int] = []
    /// The ids that were generated.
    public internal(set) var tokens: [Int] = []
    /// How likely each generated token was, where that was asked for.
    public internal(set) var probabilities: [TokenProbability] = []
    /// Why it ended.
    public internal(set) var ending = Ending.length
    /// Whether the text is one that the grammar has, rather than the beginning of one; nil without a grammar.
    public internal(set) var isComplete: Bool?
    /// What was proposed of it, where someone proposes.
    public internal(set) var drafts: Drafts?
    /// Seconds for the prompt.
    public internal(set) var promptSeconds = 0.0
    /// Seconds for the generated tokens after the first, which the prompt's pass gives.
    public internal(set) var generationSeconds = 0.0

    /// Prompt tokens per second.
    public var promptRate: Double { promptSeconds > 0 ? Double(promptTokens.count) / promptSeconds : 0 }
    /// The mean of the logarithms of the generated tokens' probabilities; −∞ where none were noted.
    public var meanLogProbability: Double {
      probabilities.isEmpty
        ? -.infinity : probabilities.reduce(0) { $0 + $1.token.logProbability } / Double(probabilities.count)
    }
    /// Generated tokens per second, without the first.
    public var generationRate: Double {
      generationSeconds > 0 ? Double(max(0, tokens.count - 1)) / generationSeconds : 0
    }
  }

  private let executor: PlanExecutor
  private let tokenizer: Tokenizer?
  private let speculation: Speculation?

  /// A generator that runs `executor` and writes with `tokenizer`; without one only ids are written. With `speculation` a pass
  /// may write several tokens.
  public init(_ executor: PlanExecutor, tokenizer: Tokenizer?, speculation: Speculation? = nil) {
    self.executor = executor
    self.tokenizer = tokenizer
    self.speculation = speculation
  }

  /// How many tokens a sequence of `plan` may have; throws `ModelProblem` when `prompt` has more, and where no text can be
  /// continued with what is given `beside`.
  public static func limit(of plan: Plan, for prompt: [Int], beside: [RowAxis: AxisInput] = [:]) throws -> Int {
    try plan.requireContinuation(beside: Set(beside.keys))
    return try length(of: plan, for: prompt)
  }

  /// How many tokens a text that is only read may have; throws `ModelProblem` when `prompt` has more.
  public static func length(of plan: Plan, for prompt: [Int]) throws -> Int {
    let firm = plan.longestSequence ?? Int.max
    let limit = plan.longestText
    if prompt.count <= limit { return limit }
    throw ModelProblem.longPrompt(tokens: prompt.count, limit: limit, isFirm: prompt.count > firm)
  }

  /// Continues `prompt`. Text goes to `emit` as it comes, and the generation ends when `emit` returns false, or when the
  /// sequence is as long as the model is made for and `settings` do not let it slide.
  ///
  /// Throws `ModelProblem` when the prompt is longer than that, and when the model computes no numbers; `GrammarProblem` where
  /// no token goes on as the grammar does.
  public func generate(_ prompt: [Int], _ settings: Settings, emit: (_ text: String, _ id: Int?) throws -> Bool) throws
    -> Result
  {
    let limit = try Self.limit(of: executor.plan, for: prompt, beside: settings.beside)
    var continuation = try Continuation(of: prompt, settings, tokenizer: tokenizer)
    var sequence = try executor.openSequence(
      length: continuation.length(limit: limit), prefix: settings.prefix, together: settings.together,
      places: settings.places)
    let clock = ContinuousClock()
    func compute(_ tokens: [Int]) throws {
      let given = settings.beside.isEmpty || sequence.position > 0 ? [] : [settings.beside]
      try executor.forward([(sequence, tokens)], beside: given, logits: .last) { _, position, logits in
        try continuation.choose(from: logits, position: position)
      }
    }
    let promptSeconds = try clock.measure { try compute(prompt) }.seconds
    let start = clock.now
    speculation?.begin(settings.sampling)
    while let tokens = try continuation.advance(&sequence, executor, emit: emit) {
      guard let speculation else {
        try compute(tokens)
        continue
      }
      guard try speculation.compute(tokens, of: &continuation, sequence, executor, computed: { _ in }, emit: emit)
      else { break }
    }
    if let speculation { continuation.note(speculation.drafts) }
    continuation.took(prompt: promptSeconds, generation: (clock.now - start).seconds)
    try continuation.finish(emit: emit)
    return continuation.result
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
