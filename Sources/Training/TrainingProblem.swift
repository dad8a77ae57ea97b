/// Why a run cannot start or go on.
public enum TrainingProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// There are fewer tokens than one window needs.
  case tooFewTokens(found: Int, needed: Int, what: String)
  /// A token of the data is outside the model's vocabulary.
  case unknownToken(Int, vocabulary: Int, path: String)
  /// The loss is NaN after this many steps.
  case notANumber(step: Int)
  /// The loss on the validation data is NaN after this many steps.
  case validationNotANumber(step: Int)
  /// A model that is evaluated has a loss of NaN, or an infinite one, for this token of the text.
  case evaluationNotANumber(token: Int, isInfinite: Bool)
  /// The run needs more memory than there is.
  case memory(needed: Int, available: Int)
  /// Something about a run's folder: which, and what.
  case folder(path: String, sentence: String)
  /// No matrix of the model is one that an adapter is asked for; those that there are.
  case noTarget(String, known: [String])
  /// A model, or its texts, and an objective that is not for it; why, and those that are.
  case unsuited(String, objective: String, why: String, others: [String])
  /// A sequence of so many tokens has no room for a text between the marks around it.
  case shortContext(Int)
  /// A model reads more than the text that it is trained on.
  case severalStacks(String)
  /// There is no example to train on, or to validate on.
  case noExamples(what: String)
  /// An example has more tokens than a sequence of the run.
  case longExample(tokens: Int, context: Int)
  /// The model has no part that is asked to stay as it is; those that it has.
  case noPart(String, known: [String])
  /// Every part of the model is asked to stay as it is.
  case nothingLearned(String)
  /// A model that is given pictures and cannot be trained on them, and why.
  case untrainablePictures(String, why: String)
  /// The model's parametrization has no rule for this optimizer.
  case noRule(optimizer: String)
  /// The run goes on with other settings than it began with.
  case changed(path: String, names: [String])

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .tooFewTokens(let found, let needed, let what):
      "the \(what) data has \(found) tokens, and one window takes \(needed); give more text, or a smaller context (train: --context, ablate: --train context=N)"
    case .unknownToken(let id, let vocabulary, let path):
      "\(path) has the token \(id), and the model's vocabulary is \(vocabulary); --set vocab_size=\(id + 1) is the least that takes it"
    case .notANumber(let step):
      "the loss is NaN after \(step) steps: step \(step + 1) is the first that has it; "
        + "try a smaller --lr, a longer --warmup, or --clip 1"
    case .validationNotANumber(let step):
      "the loss on the validation data is NaN after \(step) steps; try a smaller --lr, a longer --warmup, or --clip 1"
    case .evaluationNotANumber(let token, let isInfinite):
      isInfinite
        ? "the loss is infinite: token \(token) of the text is the first that the model gives no probability"
        : "the loss is NaN: token \(token) of the text is the first that has it; are the model's weights broken?"
    case .memory(let needed, let available):
      "the run needs \(inMiB(needed)) of memory and \(inMiB(available)) can be had (free memory, and what ulimit or the "
        + "container allow); "
        + "try a smaller --batch with --accumulate, or a smaller --context"
    case .noTarget(let name, let known):
      "no matrix of the model is called '\(name.prefix(60))'; --lora target= takes names such as \(known.joined(separator: ", ")), joined by +"
    case .severalStacks(let name):
      "'\(name)' reads more than the text that it predicts, and the data of a training are single texts"
    case .unsuited(let name, let objective, let why, let others):
      "'\(name)' cannot be trained with the objective '\(objective)': \(why)"
        + (others.isEmpty ? "" : "; try --objective \(others.joined(separator: " or "))")
    case .shortContext(let context):
      "a sequence of \(context) tokens has no room for text beside the marks around it; take a larger --context"
    case .noExamples(let what):
      "the \(what) data has no question; it takes at least one, as --validation-fraction cuts it"
    case .longExample(let tokens, let context):
      "a question with its answer has \(tokens) tokens, and a sequence \(context); --context \(tokens) is the least that takes it"
    case .noPart(let name, let known):
      "the model has no part '\(name.prefix(60))' to freeze; there are \(known.joined(separator: ", ")), and what stands in them"
    case .nothingLearned(let name): "all of '\(name)' is frozen, and nothing is left to train"
    case .untrainablePictures(let name, let why): "'\(name)' cannot be trained on or asked about pictures: \(why)"
    case .noRule(let optimizer):
      "the rule by which the model's 'init' has tensors move at its size is one for Adam, and '\(optimizer)' has none; "
        + "take another optimizer, or another 'init'"
    case .folder(let path, let sentence): "\(path): error: \(sentence)"
    case .changed(let path, let names):
      "\(path) was begun with other settings (\(names.joined(separator: ", "))); continue it without them, or name another folder"
    }
  }
}

/// A number of bytes in MiB, or GiB when there are many.
func inMiB(_ bytes: Int) -> String {
  if bytes < 10 << 30 { return "\((bytes + (1 << 20) - 1) >> 20) MiB" }
  return "\((bytes + (1 << 29)) >> 30) GiB"
}
