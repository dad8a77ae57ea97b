import Components
import Files

/// How the final states of a text's tokens become one vector, as sentence-transformers says it in the files beside a model:
/// `modules.json`, `1_Pooling/config.json`, `sentence_bert_config.json` and `config_sentence_transformers.json`.
///
/// Reimers and Gurevych, 2019, https://arxiv.org/abs/1908.10084.
public struct TextPooling: Sendable, Equatable {
  /// Which states make the vector.
  public enum Mode: String, Sendable, CaseIterable {
    /// Their mean.
    case mean
    /// That of the first token, `[CLS]` in BERT.
    case cls
    /// That of the last token.
    case last
    /// The largest of each element.
    case max

    /// The words by which sentence-transformers calls it.
    fileprivate static let names: [String: Mode] = [
      "mean": .mean, "cls": .cls, "max": .max, "lasttoken": .last, "pooling_mode_mean_tokens": .mean,
      "pooling_mode_cls_token": .cls, "pooling_mode_max_tokens": .max, "pooling_mode_lasttoken": .last,
    ]
  }

  /// Which states make the vector.
  public var mode: Mode
  /// Whether it is divided by its length.
  public var normalizes: Bool
  /// How many tokens of a text are read, where that is said: what is longer loses its end.
  public var maximumTokens: Int?
  /// What stands before every text, where that is said.
  public var prompt = ""
  /// Whether texts are in lower case.
  public var lowercases = false

  /// What nobody has said otherwise for `plan`: the mean of an encoder's states, the last of a model that sees no later token.
  public init(of plan: Plan) {
    (mode, normalizes) = (plan.seesWholeTexts ? .mean : .last, false)
  }

  /// What the files in `folder` say, or else what goes for `plan`; throws `ModelProblem` for what is not read here.
  public init(of plan: Plan, in folder: String) throws {
    self.init(of: plan)
    let file = folder + "/modules.json"
    guard kind(ofPath: file) == .file else { return }
    for module in try JSONValue(contentsOf: file).array ?? [] {
      guard let type = module["type"]?.string, let path = module["path"]?.string else {
        throw ModelProblem.pooling(path: file, why: "a module has no 'type' and 'path'")
      }
      switch type.split(separator: ".").last {
      case "Transformer": break
      case "Pooling": try read(poolingOf: folder + "/" + path + "/config.json", width: plan.shape.hiddenSize)
      case "Normalize": normalizes = true
      default: throw ModelProblem.pooling(path: file, why: "the module '\(type.prefix(60))' is not read here")
      }
    }
    try readLimits(folder)
  }

  private mutating func read(poolingOf file: String, width: Int) throws {
    let config = try JSONValue(contentsOf: file)
    var found: [String] = []
    for (key, value) in config.object ?? JSONObject() {
      if key == "pooling_mode" {
        found += value.string.map { [$0] } ?? (value.array ?? []).compactMap(\.string)
      } else if key.hasPrefix("pooling_mode_"), value.bool == true {
        found.append(key)
      }
    }
    guard found.count <= 1 else {
      throw ModelProblem.pooling(path: file, why: "vectors are joined of several: \(found.joined(separator: ", "))")
    }
    guard let mode = found.isEmpty ? .mean : Mode.names[found[0]] else {
      throw ModelProblem.pooling(path: file, why: "states are not pooled as '\(found[0].prefix(60))' here")
    }
    let own = config["word_embedding_dimension"]?.integer ?? config["embedding_dimension"]?.integer ?? width
    guard own == width else {
      throw ModelProblem.pooling(path: file, why: "it is for states of \(own) numbers, and the model's have \(width)")
    }
    if config["include_prompt"]?.bool == false {
      throw ModelProblem.pooling(path: file, why: "the states of a prompt are left out ('include_prompt': false)")
    }
    self.mode = mode
  }

  private mutating func readLimits(_ folder: String) throws {
    let limits = folder + "/sentence_bert_config.json"
    if kind(ofPath: limits) == .file {
      let config = try JSONValue(contentsOf: limits)
      maximumTokens = config["max_seq_length"]?.integer.flatMap { $0 > 0 ? $0 : nil }
      lowercases = config["do_lower_case"]?.bool ?? false
      let states = config["modality_config"]?["text"]?["method_output_name"]?.string
      if let states, states != "last_hidden_state" {
        throw ModelProblem.pooling(path: limits, why: "states are not those of '\(states.prefix(60))' here")
      }
    }
    // Later versions leave it to the tokenizer, whose word for no limit is a number that is none.
    let tokenizer = folder + "/tokenizer_config.json"
    if maximumTokens == nil, kind(ofPath: tokenizer) == .file {
      maximumTokens = try JSONValue(contentsOf: tokenizer)["model_max_length"]?.integer.flatMap { $0 > 0 ? $0 : nil }
    }
    let prompts = folder + "/config_sentence_transformers.json"
    guard kind(ofPath: prompts) == .file else { return }
    let config = try JSONValue(contentsOf: prompts)
    if let name = config["default_prompt_name"]?.string { prompt = config["prompts"]?[name]?.string ?? "" }
  }
}
