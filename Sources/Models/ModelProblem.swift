import Composition
import Files

/// Why a model cannot be found or loaded.
public enum ModelProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nothing has this name; `nearest` is the most similar one.
  case notFound(String, nearest: String?)
  /// A family has this name, and models of it are meant one by one.
  case family(String, models: [String])
  /// A folder or file is there, but is not a model: why.
  case notAModel(path: String, why: String)
  /// No family reads a configuration of this kind.
  case unknownKind(String?, key: String, path: String, nearest: String?)
  /// The model's weights are not on this machine; where they are published, when that is known.
  case noWeights(String, published: String?)
  /// The folder of a training run has no checkpoint yet.
  case untrained(path: String)
  /// The weights need more memory than can be had.
  case tooLarge(bytes: Int, available: Int)
  /// The weights of a trained model are not what was saved.
  case damaged(path: String, why: String)
  /// A prompt has more tokens than the model is made for; `isFirm` when no setting changes that.
  case longPrompt(tokens: Int, limit: Int, isFirm: Bool)
  /// After this many tokens the model computed no numbers: not one logit could be compared with another.
  case notANumber(tokens: Int)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .notFound(let name, let nearest):
      if ModelProblem.looksLikePath(name) {
        "there is no file or folder '\(name)'"
      } else {
        "there is no model '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "; 'chimera list' shows the zoo")
      }
    case .family(let name, let models):
      "'\(name)' is a family; its models are \(models.joined(separator: ", "))"
    case .notAModel(let path, let why): "\(path) is not a model: \(why)"
    case .unknownKind(nil, let key, let path, _):
      "\(path) has no text under '\(key)', which says what kind of model it is"
    case .unknownKind(let kind?, let key, let path, let nearest):
      "no family of the zoo reads the \(key) '\(kind.prefix(60))' of \(path)"
        + (nearest.map { "; the nearest is '\($0)'" } ?? "")
    case .noWeights(let name, let published):
      "there are no weights for '\(name)' here: give them with --weights PATH, or run it untrained with --random-weights"
        + (published.map { "; they are published as \($0)" } ?? "")
    case .untrained(let path): "\(path) has no weights yet: the run that began there has saved no checkpoint"
    case .tooLarge(let bytes, let available):
      "the model needs \(bytes.inGiB) of memory, and \(available.inGiB) can be had (free memory, and what ulimit or the "
        + "container allow)"
    case .damaged(let path, let why):
      "\(path) is damaged: \(why); chimera verify --hashes looks at all of it, and train --resume takes the one before"
    case .longPrompt(let tokens, let limit, let isFirm):
      "the prompt has \(tokens.grouped) tokens, and the model is made for \(limit.grouped)"
        + (isFirm ? "" : "; --set context_length=\(tokens) lets it try")
    case .notANumber(let tokens):
      "after \(tokens.grouped) tokens the logits are NaN; are the weights damaged?"
    }
  }

  /// Whether a reference is meant as a path, not as a name of the zoo.
  static func looksLikePath(_ reference: String) -> Bool {
    reference.contains("/") || [".yaml", ".yml", ".gguf", ".safetensors"].contains { reference.hasSuffix($0) }
  }
}

extension Int {
  /// A number of bytes in GiB, with two digits.
  var inGiB: String {
    let hundredths = Int(rounding: Double(self) / Double(1 << 30) * 100)
    let digits = hundredths % 100
    return "\(hundredths / 100).\(digits < 10 ? "0" : "")\(digits) GiB"
  }
}
