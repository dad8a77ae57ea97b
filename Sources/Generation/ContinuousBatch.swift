import Formats
import Components
import Execution
import Kernels
import Models
import Tokenization

/// Texts that come and go while others are being continued: what a server runs.
///
/// A step reads a piece of one prompt, if one waits, and then writes one token of every text. **No text's tokens depend on
/// what else runs**, to the last bit: a prompt is read in pieces of one length from its beginning on, each alone in its pass,
/// and the passes that write run on kernels that sum each row in one order, however many there are (`KernelLevel.alike`).
///
/// A prompt that begins as another does, which is being read or continued or was not long ago, has the states of all whole
/// pieces that they share from there: those are what its own reading would have given, to the last bit, for they are
/// the same tokens in the same passes. What a text wrote is never shared: rows that are written one by one have other last bits
/// than those of a prompt.
///
/// A prompt with pictures, and one whose tokens see each other, is read at once: as long as it may be, nothing else goes on meanwhile.
///
/// A careful reader's mistake: `TextGenerator` reads and writes on other kernels, so it may give other last bits.
public struct ContinuousBatch {
  /// A prompt and its continuations.
  public struct Request: Sendable {
    /// The tokens of the prompt; at least one.
    public var prompt: [Int]
    /// How each of the continuations is written; all of them have the same maximum of tokens, and are shown the same.
    public var continuations: [TextGenerator.Settings]
    /// How many of the most likely tokens are noted at each place of the prompt; nil where its probabilities are not wanted.
    public var promptProbabilities: Int?

    /// The continuations of `prompt`.
    public init(_ prompt: [Int], _ continuations: [TextGenerator.Settings], promptProbabilities: Int? = nil) {
      self.prompt = prompt
      self.continuations = continuations
      self.promptProbabilities = promptProbabilities
    }
  }

  /// What became of a request.
  public enum Event {
    /// The prompt was read; how likely each of its tokens but the first was, where that is wanted, how many of its tokens
    /// were read before for another prompt, and how many bytes of its states are another's.
    case read([TokenProbability], reused: Int, lentBytes: Int)
    /// A continuation has another token. The text is what is complete with it.
    case wrote(continuation: Int, text: String, token: Int, probability: TokenProbability?)
    /// A continuation is over. The text is what was held back till then, and `end` the token that ended it, where one did.
    case ended(
      continuation: Int, text: String, end: (token: Int, probability: TokenProbability?)?, TextGenerator.Result)
    /// The request cannot go on, and is gone.
    case failed(any Error)
  }

  final class Entry {
    let id: Int
    let request: Request
    var sequence: SequenceState
    var done = 0
    var reused = 0
    var probabilities: [TokenProbability] = []
    var waiting: [Continuation]
    var going = 0

    init(id: Int, _ request: Request, _ sequence: SequenceState, _ continuations: [Continuation]) {
      (self.id, self.request, self.sequence, waiting) = (id, request, sequence, continuations)
    }
  }

  struct Text {
    let entry: Entry
    let place: Int
    var sequence: SequenceState
    var continuation: Continuation
    var next: [Int]
  }

  let executor: PlanExecutor
  private let tokenizer: Tokenizer?
  /// How many texts a pass writes at most.
  public let together: Int
  /// How many tokens of a prompt are read at once.
  public let piece: Int
  let beginnings: PromptBeginnings
  /// Whether prompts that begin alike can share states, and whether those of a beginning are found again when more is read.
  let shares: Bool
  let isRewindable: Bool
  var reading: [Entry] = []
  var texts: [Text] = []

  /// Operations of one piece of a prompt: a few tenths of a second on two cores, for others wait for its end.
  private static let pieceOperations = 16_000_000_000
  /// Tokens of a piece at most: beginnings are shared in whole pieces.
  private static let longestPiece = 64

  /// A batch that runs `executor`, which nobody else uses meanwhile.
  public init(_ executor: PlanExecutor, tokenizer: Tokenizer?) {
    self.executor = executor
    self.tokenizer = tokenizer
    let plan = executor.plan
    together = min(mostRowsAlike / 2, executor.maximumRows)
    let rows = Self.pieceOperations / max(1, plan.flopsPerToken(context: min(1024, plan.longestText)))
    piece = min(executor.maximumRows, max(16, min(Self.longestPiece, rows / 16 * 16)))
    shares = plan.otherAxes.isEmpty && !plan.seesWholeTexts
    isRewindable = plan.states.allSatisfy { $0.extent == .perToken }
    beginnings = PromptBeginnings(servesShorter: isRewindable)
  }

  /// Keeps `bytes` of states at most for prompts that may come and begin as others did; at first none.
  public func keep(atMost bytes: Int) { beginnings.keep(atMost: bytes) }

  /// Bytes of states that are kept.
  public var keptBytes: Int { beginnings.bytes }

  /// Whether there is nothing to do.
  public var isIdle: Bool { reading.isEmpty && texts.isEmpty }

  private func length(of request: Request) -> Int {
    let most = request.continuations.map(\.maximumTokens).max() ?? 0
    let (wanted, overflow) = request.prompt.count.addingReportingOverflow(max(0, most))
    return min(executor.plan.longestText, overflow ? Int.max : wanted)
  }

  /// Takes up `request`, of which events will come with `id`.
  ///
  /// Throws `ModelProblem` when the prompt is longer than the model takes, `GrammarProblem`, and `ExecutionProblem` where there
  /// is no memory.
  public mutating func add(_ request: Request, id: Int) throws {
    _ = try TextGenerator.limit(of: executor.plan, for: request.prompt)
    let continuations = try request.continuations.map {
      try Continuation(of: request.prompt, $0, tokenizer: tokenizer)
    }
    reading.append(Entry(id: id, request, try open(for: request, lending: shares), continuations))
  }

  /// A sequence for `request`.
  private func open(for request: Request, lending: Bool = false) throws -> SequenceState {
    let shown = request.continuations.first ?? TextGenerator.Settings()
    return try executor.openSequence(
      length: length(of: request), prefix: shown.prefix, together: shown.together, places: shown.places,
      lending: lending)
  }

  /// Forgets the request `id`; no more events come of it.
  public mutating func remove(_ id: Int) {
    let entry = reading.first { $0.id == id } ?? texts.first { $0.entry.id == id }?.entry
    reading.removeAll { $0.id == id }
    texts.removeAll { $0.entry.id == id }
    if let entry { retire(entry) }
  }

  /// Reads a piece of a prompt and writes a token of every text; gives `tell` what became of which request.
  public mutating func step(_ tell: (_ id: Int, Event) -> Void) {
    if !reading.isEmpty { read(tell) }
    var first = 0
    while first < texts.count {
      let end = min(texts.count, first + together)
      write(first..<end, tell)
      first = end
    }
    advance(tell)
  }

  /// Reads the next piece of the prompt that came first; where it ends, the continuations begin.
  private mutating func read(_ tell: (Int, Event) -> Void) {
    let entry = reading[0]
    let prompt = entry.request.prompt
    share(with: entry)
    let given = entry.request.continuations.first?.beside ?? [:]
    let isAtOnce = !given.isEmpty || entry.sequence.prefix > 0
    let tokens = Array(prompt[entry.done..<(isAtOnce ? prompt.count : min(prompt.count, entry.done + piece))])
    let wanted = entry.request.promptProbabilities
    var problem: (any Error)?
    do {
      try executor.forward(
        [(entry.sequence, tokens)], beside: given.isEmpty ? [] : [given], logits: wanted == nil ? .last : .all
      ) { _, position, logits in
        guard position + 1 == prompt.count else {
          guard let wanted else { return }
          let probability = TokenProbability(of: prompt[position + 1], among: logits, mostLikely: wanted)
          if probability.token.logProbability.isNaN { throw ModelProblem.notANumber(tokens: position + 1) }
          entry.probabilities.append(probability)
          return
        }
        for place in entry.waiting.indices {
          try entry.waiting[place].choose(from: logits, position: position)
        }
      }
      entry.done += tokens.count
      try keepBeginning(of: entry)
      if entry.done < prompt.count {
        // Prompts take turns, so that a short one is not kept waiting by a long one.
        reading.append(reading.removeFirst())
        return
      }
      var lentBytes = entry.sequence.lentBytes
      for (place, continuation) in entry.waiting.enumerated() {
        var sequence = entry.sequence
        if place > 0 {
          sequence = try open(for: entry.request)
          if executor.begin(sequence, with: entry.sequence.position, of: entry.sequence) {
            lentBytes += sequence.lentBytes
          } else {
            sequence.take(over: entry.sequence)
          }
        }
        texts.append(Text(entry: entry, place: place, sequence: sequence, continuation: continuation, next: []))
      }
      tell(entry.id, .read(entry.probabilities, reused: entry.reused, lentBytes: lentBytes))
    } catch { problem = error }
    reading.removeFirst()
    if let problem {
      texts.removeAll { $0.entry === entry }
      retire(entry)
      tell(entry.id, .failed(problem))
    }
  }

  /// Computes the next logits of the texts that have a token to be computed, and chooses from them.
  private mutating func write(_ range: Range<Int>, _ tell: (Int, Event) -> Void) {
    let places = range.filter { !texts[$0].next.isEmpty }
    if places.isEmpty { return }
    var problems: [Int: any Error] = [:]
    do {
      let inputs = places.map { (sequence: texts[$0].sequence, tokens: texts[$0].next) }
      try KernelLevel.current.alike.perform {
        try executor.forward(inputs, logits: .last) { input, position, logits in
          do { try texts[places[input]].continuation.choose(from: logits, position: position) } catch {
            problems[texts[places[input]].entry.id] = error
          }
        }
      }
    } catch {
      for place in places { problems[texts[place].entry.id] = error }
    }
    for (id, problem) in problems {
      // Their places stay until `advance`, for others are numbered by them.
      for place in texts.indices where texts[place].entry.id == id { texts[place].entry.going = -1 }
      tell(id, .failed(problem))
    }
  }

  /// Writes the tokens that were chosen.
  private mutating func advance(_ tell: (Int, Event) -> Void) {
    var going: [Text] = []
    var failed: Set<Int> = []
    for var text in texts where text.entry.going >= 0 && !failed.contains(text.entry.id) {
      let (id, place) = (text.entry.id, text.place)
      do {
        var written: (text: String, token: Int)?
        let next = try text.continuation.advance(&text.sequence, executor) { piece, token in
          if let token { written = (piece, token) }
          return true
        }
        if let written {
          let probability = text.continuation.result.probabilities.last
          tell(id, .wrote(continuation: place, text: written.text, token: written.token, probability: probability))
        }
        if let next {
          text.next = next
          going.append(text)
          continue
        }
        var rest = ""
        try text.continuation.finish { piece, _ in
          rest += piece
          return true
        }
        tell(id, .ended(continuation: place, text: rest, end: text.continuation.end, text.continuation.result))
      } catch {
        failed.insert(id)
        tell(id, .failed(error))
      }
    }
    going.removeAll { failed.contains($0.entry.id) }
    var entries = Set(going.map { ObjectIdentifier($0.entry) })
    let over = texts.map(\.entry).filter { entries.insert(ObjectIdentifier($0)).inserted }
    texts = going
    for entry in over { retire(entry) }
  }
}
