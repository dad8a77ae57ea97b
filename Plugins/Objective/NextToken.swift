import Components

/// Each token is predicted from those before it: what language models are trained on.
///
///     loss = −1/n Σ_t log softmax(logits[t − 1])[token[t]]        over the n tokens that are not given
///
/// Bengio et al., 2003, https://www.jmlr.org/papers/v3/bengio03a.html. Of a text all tokens but the first of a window count, of a
/// question about a picture those of its answer, and the end.
public struct NextToken: Objective {
  public static let name = "next_token"
  public static let isDefault = true

  public let loss: any Kernel = CrossEntropy()

  public init(_ options: Options) {}

  public func obstacle(to plan: Plan) -> String? {
    if plan.prediction != .tokens { return "it predicts no token" }
    return plan.seesWholeTexts ? "its tokens see those after them" : nil
  }

  public func window(of context: Int, _ marks: TextMarks?) -> TextWindow {
    TextWindow(stride: context, tokens: context + 1)
  }

  public func rows(of sequence: TrainedSequence, _ marks: TextMarks?, _ random: CounterRandom) -> TrainedRows {
    var targets = Array(sequence.tokens.dropFirst())
    for place in sequence.given.joined() where place > 0 { targets[place - 1] = -1 }
    return TrainedRows(inputs: Array(sequence.tokens.dropLast()), targets: targets)
  }
}
