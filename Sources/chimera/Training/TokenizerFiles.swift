import Components
import Files
import Models
import Tokenization
import Training

/// A tokenizer with the files that it comes from, so that a trained model can take them along.
struct TokenizerFiles {
  let tokenizer: Tokenizer
  /// The files by name; none when the model's spec describes the tokenizer itself.
  let files: [(name: String, bytes: [UInt8])]
  /// What the spec says of it.
  let patch: Setting?

  /// The tokenizer at `path`, a file or a folder, with texts prepared for it as a spec's `texts` says.
  init(path: String, texts: Setting?) throws {
    tokenizer = try Tokenizer.load(from: path).prepared(by: texts)
    let isFolder = kind(ofPath: path) == .folder
    let folder =
      isFolder ? path : path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
    let own = isFolder ? nil : path.split(separator: "/").last.map(String.init)
    var names = ModelLoader.companionFiles
    if let own, !names.contains(own) { names.append(own) }
    // A tokenizer's own file says it all but for the marks; others' files would be taken for it.
    if let own { names.removeAll { $0 != own && ["tokenizer.json", "tokenizer.model", "tokenizer.bin"].contains($0) } }
    files = try names.compactMap { name in
      guard kind(ofPath: folder + "/" + name) == .file else { return nil }
      let file = try MappedFile(path: folder + "/" + name)
      return withExtendedLifetime(file) { (name, Array(file.bytes)) }
    }
    patch = own.map(Self.patch)
  }

  /// The tokenizer of a model that was described, with the files beside its weights; nil when it has none here.
  init?(of described: ModelDescription, _ models: ModelLoader) throws {
    let texts = described.architecture.texts
    if let supplied = try models.suppliedTokenizer(of: described) {
      self = try TokenizerFiles(path: supplied.folder, texts: texts)
      return
    }
    guard let tokenizer = try models.tokenizer(of: described) else { return nil }
    let folder = described.source.folder
    let isFolder = kind(ofPath: described.source.path) == .folder
    if isFolder, described.architecture.tokenizer?.entries == nil {
      self = try TokenizerFiles(path: folder, texts: texts)
      return
    }
    if let file = described.architecture.tokenizer?["file"]?.text {
      self = try TokenizerFiles(path: folder + "/" + file, texts: texts)
      return
    }
    self.tokenizer = tokenizer
    (files, patch) = ([], nil)
  }

  /// One id for each character of the texts at `paths`, in the order of their numbers.
  init(charactersOf paths: [String], jsonKey: String, texts: Setting?) throws {
    let characters = try TextCharacters.all(in: paths, jsonKey: jsonKey)
    tokenizer = try Tokenizer(characters: characters).prepared(by: texts)
    files = [("vocab.json", Array(CharacterVocabulary.json(characters).utf8))]
    patch = Self.patch("vocab.json")
  }

  private static func patch(_ file: String) -> Setting {
    let value = Setting(.group([Setting.Entry("file", Setting(.scalar(file, quoted: true)))]))
    return Setting(.group([Setting.Entry("tokenizer", value)]))
  }
}
