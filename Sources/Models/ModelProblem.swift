import Components
import Composition
import Files

/// Why a model cannot be found or loaded.
public enum ModelProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nothing has this name; `nearest` is the most similar one.
  case notFound(String, nearest: String?)
  /// A family has this name, and models of it are meant one by one.
  case family(String, models: [String])
  /// It is written like a repository of a hub, and is neither a path nor among the models on this machine.
  case hubName(String, model: String?)
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
  /// A model has no chat template of this name, or several and none is chosen.
  case noTemplate(String?, known: [String])
  /// A prompt has more tokens than the model is made for; `isFirm` when no setting changes that.
  case longPrompt(tokens: Int, limit: Int, isFirm: Bool)
  /// Tokens see those after them, or nothing is predicted of them, so that the model continues no text and has none to
  /// learn from by that.
  case noContinuation(String, isEncoder: Bool)
  /// The head of a model does not tell which its final states are.
  case noStates(String)
  /// A model tells no classes of texts.
  case noClasses(String)
  /// A model reads what other stacks of these names are given, and nothing is.
  case noSource(String, stacks: [String])
  /// A picture cannot be given to a model: why.
  case picture(String)
  /// How a model makes vectors of texts is said in a way that is not read here.
  case pooling(path: String, why: String)
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
      "'\(name)' means several models: \(models.joined(separator: ", "))"
    case .hubName(let name, let model):
      "'\(name)' is neither a file here nor whole in the cache: 'chimera pull \(name)' fetches it, and --yes does so first"
        + (model.map { "; the zoo has it as '\($0)'" } ?? "")
    case .notAModel(let path, let why): "\(path) is not a model: \(why)"
    case .unknownKind(nil, let key, let path, _):
      "\(path) has no text under '\(key)', which says what kind of model it is"
    case .unknownKind(let kind?, let key, let path, let nearest):
      "no family of the zoo reads the \(key) '\(kind.prefix(60))' of \(path)"
        + (nearest.map { "; the nearest is '\($0)'" } ?? "")
    case .noWeights(let name, let published):
      "there are no weights for '\(name)' here: "
        + (published.map {
          "'chimera pull \(name)' fetches them from \($0.prefix { $0 != "@" }), and --yes does so first; or "
        } ?? "")
        + "give them with --weights PATH, or run it untrained with --random-weights"
    case .untrained(let path): "\(path) has no weights yet: the run that began there has saved no checkpoint"
    case .tooLarge(let bytes, let available):
      "the model needs \(bytes.inGiB) of memory, and \(available.inGiB) can be had (free memory, and what ulimit or the "
        + "container allow)"
    case .damaged(let path, let why):
      "\(path) is damaged: \(why); chimera verify --hashes looks at all of it, and train --resume takes the one before"
    case .noTemplate(let name, let known):
      (name.map { "the model has no chat template '\($0.prefix(60))'" } ?? "the model has several chat templates")
        + "; choose one with --chat-template: \(known.joined(separator: ", "))"
    case .longPrompt(let tokens, let limit, let isFirm):
      "the prompt has \(tokens.grouped) tokens, and the model is made for \(limit.grouped)"
        + (isFirm ? "" : "; --set context_length=\(tokens) lets it try")
    case .noContinuation(let name, let isEncoder):
      isEncoder
        ? "'\(name)' is an encoder, whose tokens see those after them: no text can be continued with it, nor can it be "
          + "trained or evaluated by that; 'chimera embed' gives vectors, and 'chimera run' fills in masked tokens"
        : "'\(name)' predicts no tokens; 'chimera embed' gives vectors, and 'chimera classify' classes where it has any"
    case .noStates(let name):
      "the head of '\(name)' does not tell which rows its final states are: it calls no 'plan.ends(in:)'"
    case .noClasses(let name):
      "'\(name)' tells no classes of texts: its head is not 'classes'"
    case .noSource(let name, let stacks):
      "'\(name)' writes of what it reads (\(stacks.joined(separator: ", "))): 'chimera run' gives it that, and 'chimera verify' "
        + "compares it; nothing else can yet"
    case .picture(let why): why
    case .pooling(let path, let why): "\(path): \(why)"
    case .notANumber(let tokens):
      "after \(tokens.grouped) tokens the logits are NaN; are the weights damaged?"
    }
  }

  /// Whether a path ends as PyTorch's files do, which hold a program that makes the tensors.
  static func isPickle(_ path: String) -> Bool {
    [".pt", ".pth", ".bin", ".ckpt", ".pkl"].contains { path.lowercased().hasSuffix($0) }
  }

  /// What a file that begins with `bytes` is, when it is none of a model that is read here; and what to do about it.
  static func foreign(_ path: String, beginningWith bytes: [UInt8]) -> String? {
    let isZip = bytes.starts(with: [0x50, 0x4B, 0x03, 0x04])
    // Pickles of protocol 2 and later begin so; older PyTorch wrote them bare.
    let isBare = bytes.count > 1 && bytes[0] == 0x80 && (2...5).contains(bytes[1])
    if isBare || (isZip && (isPickle(path) || path.hasSuffix(".zip") == false)) {
      return
        "it is a PyTorch pickle, a program whose run makes the tensors, and is never run here; save it as safetensors: "
        + "python3 -c 'import torch, safetensors.torch as s; "
        + "s.save_file({k: v.contiguous().clone() for k, v in torch.load(\"\(path)\", weights_only=True).items()}, "
        + "\"model.safetensors\")'"
    }
    if isPickle(path) { return "it ends like a PyTorch pickle; only safetensors and GGUF are read" }
    if path.hasSuffix(".h5") || bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      return "it is an HDF5 file of Keras; only safetensors and GGUF are read"
    }
    if path.hasSuffix(".onnx") { return "it is an ONNX graph; only safetensors and GGUF are read" }
    return nil
  }

  /// Whether a reference is meant as a path, not as a name of the zoo.
  static func looksLikePath(_ reference: String) -> Bool {
    reference.contains("/") || hasEnding(reference)
  }

  /// Whether a reference ends as files do that are models, or that are taken for them.
  static func hasEnding(_ reference: String) -> Bool {
    isPickle(reference) || [".yaml", ".yml", ".gguf", ".safetensors"].contains { reference.hasSuffix($0) }
  }
}

extension Plan {
  /// Throws where no text can be continued with the model, for its tokens see those after them or nothing is predicted.
  ///
  /// Throws too where other stacks are given nothing that cannot be without: `beside` are those that are.
  public func requireContinuation(beside: Set<RowAxis> = []) throws(ModelProblem) {
    try requireSources(beside: beside)
    if seesWholeTexts { throw .noContinuation(name, isEncoder: true) }
    if prediction != .tokens { throw .noContinuation(name, isEncoder: false) }
  }

  /// Throws where other stacks than those of `beside` are given nothing and cannot be without.
  public func requireSources(beside: Set<RowAxis> = []) throws(ModelProblem) {
    let missing = otherAxes.filter { !beside.contains($0) && !axes[$0.index].mayBeEmpty }
    if !missing.isEmpty { throw .noSource(name, stacks: missing.map { axes[$0.index].name }) }
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
