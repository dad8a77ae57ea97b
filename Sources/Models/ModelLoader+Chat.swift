import Checkpoints
import Components
import Essentials
import Files
import Tokenization

extension ModelLoader {
  /// How conversations are written for a model; nil when nothing says it.
  ///
  /// What the user's own spec or `--set` says counts first, then the template that came with the weights, then the word that
  /// the zoo has for the model: a model answers alike by name, by folder and by GGUF file. Throws what is wrong in the files.
  public func chat(of described: ModelDescription, tokenizer: Tokenizer?) throws -> ChatTemplate? {
    let setting = described.architecture.chat
    var template = try setting.flatMap { isTheUsers($0, described) ? try ChatTemplate($0) : nil }
    let files = try textFiles(of: described)
    template = try template ?? files.template() ?? setting.map { try ChatTemplate($0) }
    template?.specialTokens = try files.specialTokens(tokenizer)
    return template
  }

  /// The chat template in a folder or GGUF file that may hold a tokenizer and no model; nil when there is none.
  public static func chat(at path: String, tokenizer: Tokenizer) throws -> ChatTemplate? {
    let isFolder = kind(ofPath: path) == .folder
    let files = ChatFiles(vocabulary: isFolder ? nil : try GGUFFile(path: path), folder: isFolder ? path : nil)
    var template = try files.template()
    template?.specialTokens = try files.specialTokens(tokenizer)
    return template
  }

  private func textFiles(of described: ModelDescription) throws -> ChatFiles {
    let vocabulary = try vocabularyFile(of: described)
    switch described.source {
    case .specification, .gguf: return ChatFiles(vocabulary: vocabulary, folder: nil)
    case .folder, .trained, .safetensors: return ChatFiles(vocabulary: vocabulary, folder: described.source.folder)
    }
  }

  /// Whether `setting` is neither the zoo's nor what training or `save` noted.
  private func isTheUsers(_ setting: Setting, _ described: ModelDescription) -> Bool {
    guard let place = setting.place ?? setting.entries?.first?.place else { return true }
    if case .trained(let path) = described.source, place.source == path + "/" + ModelSource.spec { return false }
    return !catalog.contains(place.source)
  }

}

/// Where the templates and special tokens of a model are: its GGUF file, or its folder.
struct ChatFiles {
  let vocabulary: GGUFFile?
  let folder: String?

  /// The templates that are there; nil when there is none.
  func template() throws -> ChatTemplate? {
    if let file = vocabulary {
      let key = "tokenizer.chat_template"
      var sources: [String: String] = [:]
      for name in file.keys where name == key || name.hasPrefix(key + ".") {
        sources[name == key ? "default" : String(name.dropFirst(key.count + 1))] = file[name]?.string
      }
      return sources.isEmpty ? nil : ChatTemplate(sources, origin: "\(file.file.path): \(key)")
    }
    return try folder.flatMap { try template(in: $0) }
  }

  /// The templates of a folder: files of their own count before `tokenizer_config.json`, as in transformers.
  private func template(in folder: String) throws -> ChatTemplate? {
    var sources: [String: String] = [:]
    var origin = folder + "/chat_template.jinja"
    if kind(ofPath: origin) == .file { sources["default"] = try text(of: origin) }
    let more = folder + "/" + ModelLoader.templateFolder
    if kind(ofPath: more) == .folder {
      for name in try namesInFolder(more) where name.hasSuffix(".jinja") && kind(ofPath: more + "/" + name) == .file {
        sources[String(name.dropLast(".jinja".count))] = try text(of: more + "/" + name)
      }
    }
    for name in ["tokenizer_config.json", "chat_template.json"] where sources.isEmpty {
      origin = folder + "/" + name
      guard kind(ofPath: origin) == .file else { continue }
      let found = try JSONValue(contentsOf: origin, limit: 64 << 20, literals: true)["chat_template"]
      if let text = found?.string { sources["default"] = text }
      for one in found?.array ?? [] {
        guard let name = one["name"]?.string, let text = one["template"]?.string else {
          throw FileProblem(path: origin, sentence: "a chat template of the list has no 'name' and 'template'")
        }
        sources[name] = text
      }
      for (name, text) in found?.object ?? JSONObject() { sources[name] = text.string }
      if sources.isEmpty, let found, !found.isNull {
        throw FileProblem(
          path: origin, sentence: "'chat_template' is \(found.kind), neither a template nor a list of named ones")
      }
    }
    return sources.isEmpty ? nil : ChatTemplate(sources, origin: origin)
  }

  private func text(of path: String) throws(FileProblem) -> String {
    let file = try MappedFile(path: path)
    guard let text = withExtendedLifetime(file, { String(validating: file.bytes, as: UTF8.self) }) else {
      throw FileProblem(path: path, sentence: "the file is not UTF-8 text")
    }
    return text
  }

  private static let tokenNames = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  /// The texts of special tokens by name, as transformers gives them to a template; where nothing but ids says them, those
  /// of the ids. `add_bos_token` says whether a text gets one in front.
  func specialTokens(_ tokenizer: Tokenizer?) throws -> JSONObject {
    var tokens = JSONObject()
    tokens["add_bos_token"] = .bool(tokenizer?.addsBeginningOfText ?? false)
    func piece(_ id: Int?) -> JSONValue? { id.flatMap { tokenizer?.piece(of: $0) }.map(JSONValue.string) }
    if let file = vocabulary {
      for (name, key) in [
        ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("sep_token", "seperator"),
        ("pad_token", "padding"), ("mask_token", "mask"), ("cls_token", "cls"),
      ] { tokens[name] = piece(file["tokenizer.ggml.\(key)_token_id"]?.integer) }
      if tokens["bos_token"] == nil { tokens["bos_token"] = piece(tokenizer?.beginningOfText) }
      return tokens
    }
    var config: JSONValue?
    for name in ["special_tokens_map.json", "tokenizer_config.json"] {
      guard let path = folder.map({ $0 + "/" + name }), kind(ofPath: path) == .file else { continue }
      let root = try JSONValue(contentsOf: path, limit: 64 << 20, literals: true)
      if name == "tokenizer_config.json" { config = root }
      for name in Self.tokenNames {
        guard let value = root[name] else { continue }
        tokens[name] = (value.string ?? value["content"]?.string).map(JSONValue.string)
      }
    }
    // A class of its own has tokens that its configuration need not name.
    let generic = ["PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend"]
    guard config == nil || config?["tokenizer_class"]?.string.map({ !generic.contains($0) }) == true else {
      return tokens
    }
    if config?["bos_token"] == nil, tokens["bos_token"] == nil {
      tokens["bos_token"] = piece(tokenizer?.beginningOfText)
    }
    if config?["eos_token"] == nil, tokens["eos_token"] == nil {
      tokens["eos_token"] = piece(tokenizer?.endOfText.min())
    }
    return tokens
  }
}
