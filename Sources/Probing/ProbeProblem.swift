import Settings

/// What keeps a model from being probed as it was asked for.
public enum ProbeProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nothing has this name.
  case unknown(String, nearest: String?, existing: [String])
  /// A model has no parts of this kind.
  case none(String, ProbedPart.Kind, others: [ProbedPart.Kind])
  /// A model whose stream cannot be read through its head.
  case noLens(String)
  /// Two texts that are compared position by position have different numbers of tokens.
  case lengths(Int, Int)
  /// There is no other text to take numbers from.
  case noOther
  /// There is no such position.
  case position(Int, tokens: Int)
  /// Nothing of a text can be predicted.
  case nothingToPredict
  /// Attention weights of a text would be so many numbers.
  case tooManyWeights(Int)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .unknown(let name, let nearest, let existing):
      "nothing in the model is named '\(name)'\(nearest.map { " (did you mean '\($0)'?)" } ?? ""); there are "
        + existing.joined(separator: ", ")
    case .none(let model, let kind, let others):
      "'\(model)' has no \(kind.rawValue)s that can be changed by themselves"
        + (others.isEmpty ? "" : "; it has \(list(others.map { $0.rawValue + "s" }))")
    case .noLens(let model): "'\(model)' predicts no tokens from its residual stream, so there is no logit lens"
    case .lengths(let one, let other):
      "the texts have \(one) and \(other) tokens, and numbers go from one to the other by position: make them equally long"
    case .noOther: "there is no other text to take numbers from: give one with --from, or more text"
    case .position(let position, let tokens):
      "there is no position \(position) in a text of \(tokens) tokens, which begin at 0"
    case .nothingToPredict: "the text has too few tokens to predict any"
    case .tooManyWeights(let count):
      "the attention weights of this text are \(count.grouped) numbers, which is too many: take a shorter one"
    }
  }
}
