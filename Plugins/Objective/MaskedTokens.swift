import Components

/// Some tokens are left out, and each is predicted from all others: what encoders are trained on.
///
///     loss = −1/n Σ_t log softmax(logits[t])[token[t]]        over the n = ⌊rate·m + u⌋ tokens that were chosen of m, at least one
///
/// Devlin et al., 2018, https://arxiv.org/abs/1810.04805; chosen anew each time that a text is read, as in RoBERTa (Liu et al., 2019,
/// https://arxiv.org/abs/1907.11692), whose code rounds with a random u from 0 to 1. Of the chosen tokens a part `mask` is read as the
/// vocabulary's mark for a masked token, a part `random` as any token, and the others as they are: texts that are read later have no
/// marks. All chosen tokens count, those that can be read among them. Marks are never chosen; those that the vocabulary puts around a
/// text stand around each window.
///
/// Examples: `{rate: 0.4}` `{mask: 1, random: 0}`
///
/// Known as: mlm, masked_lm, masked_language_modeling `objective: masked_tokens`, mlm_probability `objective: {type: masked_tokens, rate: 0.15}`
public struct MaskedTokens: Objective {
  public static let name = "masked_tokens"

  let rate: Double
  let mask: Double
  let random: Double

  public let loss: any Kernel = CrossEntropy()

  public init(_ options: Options) {
    rate = options.number("rate", default: 0.15, in: 0...1, "the part of a text's tokens that is predicted")
    mask = options.number(
      "mask", default: 0.8, in: 0...1, "the part of those that is read as the mark of a masked token")
    random = options.number("random", default: 0.1, in: 0...1, "the part of those that is read as any token")
    // Sums such as 0.9 + 0.1 are rounded.
    if mask + random > 1 + 1e-12 {
      options.fail("random", "'mask' and 'random' are parts of one whole, and come to \(mask + random)")
    }
  }

  public func obstacle(to plan: Plan) -> String? {
    if plan.prediction != .tokens { return "it predicts no token" }
    return plan.seesWholeTexts ? nil : "its tokens see none after them, and a masked one is predicted from all others"
  }

  public func obstacle(in marks: TextMarks?) -> String? {
    guard let marks else { return "it has no tokenizer here, which tells what a masked token is" }
    return marks.mask == nil ? "its tokenizer has no mark for a masked token, such as [MASK]" : nil
  }

  public func window(of context: Int, _ marks: TextMarks?) -> TextWindow {
    let length = context - (marks.map { $0.before.count + $0.behind.count } ?? 0)
    return TextWindow(stride: length, tokens: length)
  }

  public func rows(of sequence: TrainedSequence, _ marks: TextMarks?, _ random: CounterRandom) -> TrainedRows {
    let (before, behind) = (marks?.before ?? [], marks?.behind ?? [])
    var inputs = before + sequence.tokens + behind
    var targets = Array(repeating: -1, count: inputs.count)
    guard let marks, let mark = marks.mask else { return TrainedRows(inputs: inputs, targets: targets) }
    var places = sequence.tokens.indices.filter { place in
      !marks.special.contains(sequence.tokens[place]) && !sequence.given.contains { $0.contains(place) }
    }
    let wanted = Int((rate * Double(places.count) + random.part(at: 0)).rounded(.down))
    for index in 0..<min(places.count, max(1, wanted)) {
      let number = 3 * UInt64(index)
      // The first of a shuffle of all places (Fisher and Yates).
      places.swapAt(index, index + random.below(places.count - index, at: number + 1))
      let place = before.count + places[index]
      targets[place] = inputs[place]
      let chance = random.part(at: number + 2)
      if chance < mask {
        inputs[place] = mark
      } else if chance < mask + self.random {
        inputs[place] = random.below(marks.vocabulary, at: number + 3)
      }
    }
    return TrainedRows(inputs: inputs, targets: targets)
  }
}
