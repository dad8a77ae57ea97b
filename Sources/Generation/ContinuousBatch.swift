import Formats
import Components
import Execution
import Models
import Tokenization

/// Texts that come and go while others are being continued: what a server runs.
///
/// A step reads a piece of one prompt, if one waits, and then writes one token of every text. **No text's tokens depend on
/// what else runs**, to the last bit: a prompt is read in pieces that its own length gives, each alone in its pass, and the
/// passes that write have a multiple of `rowsAlike` rows, filled up where texts are missing, at which every row is summed in
/// one order. Where a row's arithmetic depends on which other rows choose the same matrices (experts), texts are written one
/// by one.
///
/// A careful reader's mistake: one row alone is summed in another order than a row among four, so `TextGenerator` may give
/// other last bits than a batch does.
public struct ContinuousBatch {
  /// A prompt and its continuations.
  public struct Request: Sendable {
    /// The tokens of the prompt; at least one.
    public var prompt: [Int]
    /// How each of the continuations is written; all of them have the same maximum of tokens.
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
    /// The prompt was read; how likely each of its tokens but the first was, where that is wanted.
    case read([TokenProbability])
    /// A continuation has another token. The text is what is complete with it.
    case wrote(continuation: Int, text: String, token: Int, probability: TokenProbability?)
    /// A continuation is over. The text is what was held back till then, and `end` the token that ended it, where one did.
    case ended(
      continuation: Int, text: String, end: (token: Int, probability: TokenProbability?)?, TextGenerator.Result)
    /// The request cannot go on, and is gone.
    case failed(any Error)
  }

  private final class Entry {
    let id: Int
    let request: Request
    var sequence: SequenceState
    var done = 0
    var probabilities: [TokenProbability] = []
    var waiting: [Continuation]
    var going = 0

    init(id: Int, _ request: Request, _ sequence: SequenceState, _ continuations: [Continuation]) {
      (self.id, self.request, self.sequence, waiting) = (id, request, sequence, continuations)
    }
  }

  private struct Text {
    let entry: Entry
    let place: Int
    var sequence: SequenceState
    var continuation: Continuation
    var next: [Int]
  }

  private let executor: PlanExecutor
  private let tokenizer: Tokenizer?
  /// How many texts a pass writes at most.
  public let together: Int
  /// How many tokens of a prompt are read at once.
  public let piece: Int
  private let fills: Bool
  private var fillers: [SequenceState] = []
  private var reading: [Entry] = []
  private var texts: [Text] = []

  /// With four rows and multiples of it, every level of kernels sums each row in one order.
  private static let rowsAlike = 4
  /// Operations of one piece of a prompt: a few tenths of a second on two cores, for others wait for its end.
  private static let pieceOperations = 16_000_000_000

  /// A batch that runs `executor`, which nobody else uses meanwhile, with weights in `formats`.
  public init(_ executor: PlanExecutor, tokenizer: Tokenizer?, formats: Set<StorageFormat>) {
    self.executor = executor
    self.tokenizer = tokenizer
    let plan = executor.plan
    fills = plan.parameters.allSatisfy { $0.chosen == nil }
    // Formats of wide blocks are unpacked for more than four rows at a time, which sums in another order.
    together = fills ? (formats.contains { $0.elementsPerBlock >= 256 } ? Self.rowsAlike : 2 * Self.rowsAlike) : 1
    let rows = Self.pieceOperations / max(1, plan.flopsPerToken(context: min(1024, plan.longestText)))
    piece = min(executor.maximumRows, max(16, min(256, rows / 16 * 16)))
  }

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
    let sequence = try executor.openSequence(length: length(of: request))
    reading.append(Entry(id: id, request, sequence, continuations))
  }

  /// Forgets the request `id`; no more events come of it.
  public mutating func remove(_ id: Int) {
    reading.removeAll { $0.id == id }
    texts.removeAll { $0.entry.id == id }
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
    let tokens = Array(prompt[entry.done..<min(prompt.count, entry.done + piece)])
    let wanted = entry.request.promptProbabilities
    var problem: (any Error)?
    do {
      try executor.forward([(entry.sequence, tokens)], logits: wanted == nil ? .last : .all) { _, position, logits in
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
      if entry.done < prompt.count {
        // Prompts take turns, so that a short one is not kept waiting by a long one.
        reading.append(reading.removeFirst())
        return
      }
      tell(entry.id, .read(entry.probabilities))
      for (place, continuation) in entry.waiting.enumerated() {
        var sequence = entry.sequence
        if place > 0 {
          sequence = try executor.openSequence(length: entry.sequence.length)
          sequence.take(over: entry.sequence)
        }
        texts.append(Text(entry: entry, place: place, sequence: sequence, continuation: continuation, next: []))
      }
    } catch { problem = error }
    reading.removeFirst()
    if let problem {
      remove(entry.id)
      tell(entry.id, .failed(problem))
    }
  }

  /// Computes the next logits of the texts that have a token to be computed, and chooses from them.
  private mutating func write(_ range: Range<Int>, _ tell: (Int, Event) -> Void) {
    let places = range.filter { !texts[$0].next.isEmpty }
    if places.isEmpty { return }
    var problems: [Int: any Error] = [:]
    do {
      var inputs = places.map { (sequence: texts[$0].sequence, tokens: texts[$0].next) }
      if fills { inputs += try filling(inputs.count).map { ($0, [0]) } }
      try executor.forward(inputs, logits: .last) { input, position, logits in
        guard input < places.count else { return }
        do { try texts[places[input]].continuation.choose(from: logits, position: position) } catch {
          problems[texts[places[input]].entry.id] = error
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

  /// Sequences that nobody reads, as many as make a multiple of `rowsAlike` with `count`.
  private mutating func filling(_ count: Int) throws -> ArraySlice<SequenceState> {
    let missing = (Self.rowsAlike - count % Self.rowsAlike) % Self.rowsAlike
    while fillers.count < missing {
      fillers.append(try executor.openSequence(length: min(16, executor.plan.longestText)))
    }
    for filler in fillers.prefix(missing) where filler.position == filler.length { filler.reset() }
    return fillers.prefix(missing)
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
    texts = going.filter { !failed.contains($0.entry.id) }
  }
}
