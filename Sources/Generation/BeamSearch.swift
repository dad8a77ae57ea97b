import Components
import Essentials
import Execution
import Grammars
import Models
import Tokenization

/// Continues a text with the sequence that is likeliest as a whole, among those that a beam of several keeps.
///
///     score(y) = Σ log p(y_t | y_<t, prompt) / |y|        |y| counts the end token
///
/// As `generate(num_beams=N, do_sample=False)` of transformers 5.23 does it, with `length_penalty` 1 and `early_stopping`
/// false: in each step the best of all continuations go on, those among the first N that end are finished, and the search is
/// over when no running one can become better than the worst of N finished ones.
///
/// With a grammar only what it allows goes on, at the probabilities that the model gives.
///
/// A careful reader's mistake: temperature, penalties and seeds have no part in it.
public struct BeamSearch {
  /// A sequence that the search keeps.
  private struct Beam {
    var tokens: [Int] = []
    var score = 0.0
    /// Which running sequence it continues.
    var parent = 0
    var hasEnded = false
    /// Where the grammar is.
    var matcher: GrammarMatcher?
    /// Whether nothing can follow.
    var isFinished: Bool { hasEnded || matcher?.isFinished ?? false }
  }

  private let executor: PlanExecutor
  private let tokenizer: Tokenizer?

  /// A search that runs `executor` and writes with `tokenizer`.
  public init(_ executor: PlanExecutor, tokenizer: Tokenizer?) {
    self.executor = executor
    self.tokenizer = tokenizer
  }

  /// The best continuations of `prompt`, at most `beams`, the best first, each with its score.
  ///
  /// Throws `ModelProblem` when the prompt is longer than the model takes, and when it computes no numbers.
  public func generate(_ prompt: [Int], beams: Int, _ settings: TextGenerator.Settings) throws -> [(
    result: TextGenerator.Result, score: Double
  )] {
    let limit = try TextGenerator.limit(of: executor.plan, for: prompt, beside: settings.beside)
    let ends = settings.ignoresEnd ? [] : Set(tokenizer?.endOfText ?? []).union(settings.ends)
    // The last token need not be computed.
    let most = min(settings.maximumTokens, limit - prompt.count + 1)
    let width = max(2, 1 + ends.count) * beams
    var running = [Beam(matcher: try settings.grammar?.matcher(atStart: settings.beginsText))]
    var finished: [(beam: Beam, score: Double)] = []
    var states = [
      try executor.openSequence(
        length: min(limit, prompt.count + most), prefix: settings.prefix, together: settings.together,
        places: settings.places)
    ]
    let clock = ContinuousClock()
    let start = clock.now
    var promptSeconds = 0.0
    for step in 1...max(1, most) {
      let inputs = running.indices.map { place in
        (sequence: states[place], tokens: step == 1 ? prompt : [running[place].tokens[step - 2]])
      }
      var candidates: [Beam] = []
      let given = settings.beside.isEmpty || step > 1 ? [] : [settings.beside]
      try executor.forward(inputs, beside: given, logits: .last) { place, position, logits in
        let mask = try mask(of: running[place], ends, suppressing: settings.suppressed)
        if mask?.isEmpty ?? false {
          // Nothing follows, and no token says so.
          finished.append((running[place], running[place].score / Double(max(1, step - 1))))
          return
        }
        let best = TokenProbability(of: 0, among: logits, mostLikely: width, allowed: mask)
        guard best.mostLikely.allSatisfy({ !$0.logProbability.isNaN }),
          best.mostLikely.count == min(width, mask?.allowedCount ?? logits.count)
        else { throw ModelProblem.notANumber(tokens: position + 1) }
        for choice in best.mostLikely {
          candidates.append(
            Beam(
              tokens: running[place].tokens + [choice.id], score: running[place].score + choice.logProbability,
              parent: place, hasEnded: ends.contains(choice.id)))
        }
      }
      if step == 1 { promptSeconds = (clock.now - start).seconds }
      candidates = Array(
        candidates.enumerated().sorted { a, b in
          a.element.score != b.element.score ? a.element.score > b.element.score : a.offset < b.offset
        }.map(\.element).prefix(width))
      for place in candidates.indices where !candidates[place].hasEnded {
        candidates[place].matcher = running[candidates[place].parent].matcher?.copy()
        _ = try candidates[place].matcher?.accept(candidates[place].tokens[step - 1])
      }
      for beam in candidates.prefix(beams) where beam.isFinished || step == most {
        finished.append((beam, beam.score / Double(step)))
      }
      finished = Array(
        finished.enumerated().sorted { a, b in
          a.element.score != b.element.score ? a.element.score > b.element.score : a.offset < b.offset
        }.map(\.element).prefix(beams))
      running = Array(candidates.filter { !$0.isFinished }.prefix(beams))
      guard let best = running.first, step < most else { break }
      if finished.count == beams, let worst = finished.last, best.score / Double(step) <= worst.score { break }
      states = try moved(states, to: running, length: states[0].length)
    }
    let seconds = (clock.now - start).seconds
    return finished.map { beam, score in
      var result = TextGenerator.Result()
      result.promptTokens = prompt
      result.tokens = beam.hasEnded ? Array(beam.tokens.dropLast()) : beam.tokens
      result.ending =
        beam.hasEnded ? .end : beam.isFinished ? .grammar : most < settings.maximumTokens ? .context : .length
      result.isComplete = settings.grammar.map { _ in beam.hasEnded || beam.matcher?.mayEnd ?? false }
      result.text = text(of: result.tokens, settings)
      (result.promptSeconds, result.generationSeconds) = (promptSeconds, seconds - promptSeconds)
      return (result, score)
    }
  }

  /// What may follow `beam`: what its grammar allows, and where that may end, the tokens that end a text; nil for anything.
  private func mask(of beam: Beam, _ ends: Set<Int>, suppressing suppressed: Set<Int>) throws -> TokenMask? {
    guard let matcher = beam.matcher else {
      return suppressed.isEmpty ? nil : TokenMask(count: executor.plan.logits.width, without: suppressed)
    }
    var mask = try matcher.mask()
    for end in ends { mask[end] = matcher.mayEnd }
    for token in suppressed { mask[token] = false }
    return mask
  }

  /// The states of the sequences that `beams` continue: the first that continues one takes it over, others copy it.
  private func moved(_ states: [SequenceState], to beams: [Beam], length: Int) throws -> [SequenceState] {
    var free = states.indices.filter { place in !beams.contains { $0.parent == place } }.map { states[$0] }
    var taken: Set<Int> = []
    var moved: [SequenceState] = []
    for beam in beams {
      if taken.insert(beam.parent).inserted {
        moved.append(states[beam.parent])
      } else {
        let parent = states[beam.parent]
        let copy =
          try free.popLast()
          ?? executor.openSequence(
            length: length, prefix: parent.prefix, together: parent.together, places: parent.places)
        copy.take(over: parent)
        moved.append(copy)
      }
    }
    return moved
  }

  private func text(of tokens: [Int], _ settings: TextGenerator.Settings) -> String {
    guard let tokenizer else { return "" }
    var decoder = StreamDecoder(tokenizer, startsText: settings.beginsText)
    var stops = StopText(settings.stops)
    var text = ""
    for token in tokens { text += stops.append(decoder.append(token)) }
    if stops.found == nil { text += stops.append(decoder.finish()) + stops.finish() }
    return text
  }
}
