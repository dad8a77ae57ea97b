import Checkpoints
import Files
import Tokenization

extension ModelLoader {
  /// Writes what a model's texts need into `folder`: vocabulary, marks, and how conversations are written.
  ///
  /// The files of a folder are copied. The vocabulary of a GGUF file becomes `tokenizer.json` and
  /// `tokenizer_config.json`, which other readers take; a `native` folder keeps it as it is. Returns what could not be
  /// written.
  public func writeTokenizer(of described: ModelDescription, to folder: String, native: Bool) throws -> [String] {
    if let vocabulary = try vocabularyFile(of: described) {
      if native {
        var metadata: [(key: String, value: GGUFValue)] = [("general.architecture", .string("chimera"))]
        for key in vocabulary.keys where key.hasPrefix("tokenizer.") {
          if let texts = vocabulary.texts(key) {
            metadata.append((key, .strings(Array(texts))))
          } else if let value = vocabulary[key] {
            metadata.append((key, value))
          }
        }
        try GGUFFile.write([], metadata: metadata, to: folder + "/" + ModelSource.vocabulary)
        return []
      }
      guard let table = VocabularyTable(vocabulary) else { return [] }
      guard let files = table.huggingFaceFiles(chatTemplate: vocabulary["tokenizer.chat_template"]?.string) else {
        return [
          "the tokenizer of \(vocabulary.file.path), '\(table.model)'"
            + (table.preTokenizer.map { " of '\($0)'" } ?? "")
            + ", has no form in a Hugging Face folder, and is left out; --native keeps it"
        ]
      }
      for (name, content) in files { try writeAtomically(content.serialized() + "\n", to: folder + "/" + name) }
      return []
    }
    guard case .specification = described.source else {
      try copyTokenizer(of: described, to: folder)
      if native { try writeIDs(of: described, to: folder) } else { try describeTokenizer(of: described, in: folder) }
      return []
    }
    return []
  }

  /// The GGUF file that holds the model's vocabulary, where one does.
  func vocabularyFile(of described: ModelDescription) throws -> GGUFFile? {
    if let container = described.container { return container }
    guard case .trained(let path) = described.source else { return nil }
    let file = path + "/" + ModelSource.vocabulary
    return kind(ofPath: file) == .file ? try GGUFFile(path: file) : nil
  }

  /// Whether a file of that name says how text becomes tokens and back, or how texts are generated.
  static func isTokenizerFile(_ name: String) -> Bool {
    companionFiles.contains(name) || name.hasSuffix(".tiktoken") || name.hasSuffix(".model")
      || (name.hasPrefix("vocab") && name.hasSuffix(".json"))
  }

  /// The files of a model's folder that say how text is turned into tokens and back.
  public static let companionFiles = [
    "tokenizer.json", "tokenizer.model", "tokenizer.bin", "tokenizer_config.json", "vocab.json", "merges.txt",
    "encoder.json", "vocab.bpe", "special_tokens_map.json", "added_tokens.json", "generation_config.json",
    "chat_template.jinja", "chat_template.json",
  ]
  static let templateFolder = "additional_chat_templates"

  private func copyTokenizer(of described: ModelDescription, to folder: String) throws {
    try Self.copyTokenizer(
      from: described.source.folder, named: described.architecture.tokenizer?["file"]?.text, to: folder)
  }

  /// Copies the files that say how text is turned into tokens and back, that called `named` too, from one folder into
  /// another.
  public static func copyTokenizer(from source: String, named: String? = nil, to folder: String) throws {
    guard kind(ofPath: source) == .folder else { return }
    func copy(_ name: String) throws {
      let file = try MappedFile(path: source + "/" + name)
      try withExtendedLifetime(file) { try writeAtomically(to: folder + "/" + name) { try $0.write(file.bytes) } }
    }
    for name in try namesInFolder(source)
    where (isTokenizerFile(name) || name == named) && kind(ofPath: source + "/" + name) == .file {
      try copy(name)
    }
    let templates = source + "/" + templateFolder
    guard kind(ofPath: templates) == .folder else { return }
    try makeFolder(folder + "/" + templateFolder)
    for name in try namesInFolder(templates) where kind(ofPath: templates + "/" + name) == .file {
      try copy(templateFolder + "/" + name)
    }
  }

  /// Says of what class the tokenizer in `folder` is and which tokens begin and end a text, where there is one and nothing
  /// says so. By itself transformers would take the class of the model's family, whose words may be cut in another way.
  private func describeTokenizer(of described: ModelDescription, in folder: String) throws {
    let path = folder + "/tokenizer_config.json"
    guard kind(ofPath: folder + "/tokenizer.json") == .file, kind(ofPath: path) == .nothing else { return }
    var config = JSONObject()
    config["tokenizer_class"] = .string("PreTrainedTokenizerFast")
    config["model_max_length"] = .integer(described.plan.shape.contextLength)
    if let tokenizer = try tokenizer(of: described) {
      config["bos_token"] = tokenizer.beginningOfText.flatMap(tokenizer.piece).map(JSONValue.string)
      config["eos_token"] = tokenizer.endOfText.min().flatMap(tokenizer.piece).map(JSONValue.string)
    }
    try writeAtomically(JSONValue.object(config).serialized(pretty: true) + "\n", to: path)
  }

  /// A native folder has no `config.json`: the ids that stand in the original's go where readers look for them too.
  private func writeIDs(of described: ModelDescription, to folder: String) throws {
    let path = folder + "/generation_config.json"
    var object = (try? JSONValue(contentsOf: path, limit: 16 << 20))?.object ?? JSONObject()
    let ids = textIDs(of: described)
    guard case .folder = described.source, ids.contains(where: { object[$0.0] == nil }) else { return }
    for (key, id) in ids where object[key] == nil { object[key] = id }
    try writeAtomically(JSONValue.object(object).serialized(pretty: true) + "\n", to: path)
  }
}
