import Checkpoints
import Components
import Essentials
import Files
import Kernels
import Specification
import Tokenization

extension ModelLoader {
  /// The tokenizer of the model that `reference` means; nil when it has none on this machine.
  public func tokenizer(of reference: String) throws -> Tokenizer? {
    try tokenizer(of: describe(reference))
  }

  /// The tokenizer of a model: the one its spec describes, else the one beside or in its weights, else one of
  /// `tokenizerFolders` that the spec names; with texts prepared as the spec's `texts` says.
  public func tokenizer(of described: ModelDescription) throws -> Tokenizer? {
    let tokenizer = try ownTokenizer(of: described) ?? suppliedTokenizer(of: described)?.tokenizer
    return try tokenizer?.prepared(by: described.architecture.texts)
  }

  /// The tokenizer of `tokenizerFolders` for a model that has none of its own, with its folder; nil when the spec names none
  /// that is there, or one with more tokens than the model takes.
  public func suppliedTokenizer(of described: ModelDescription) throws -> (tokenizer: Tokenizer, folder: String)? {
    guard let setting = described.architecture.tokenizer, setting.entries == nil, let name = setting.text,
      Catalog.isName(name), try ownTokenizer(of: described) == nil
    else { return nil }
    for folder in tokenizerFolders.map({ $0 + "/" + name }) where kind(ofPath: folder) == .folder {
      let tokenizer = try Tokenizer.load(from: folder)
      return tokenizer.count <= described.plan.shape.vocabSize ? (tokenizer, folder) : nil
    }
    return nil
  }

  /// The tokenizer that came with a model: the one its spec describes, else the one beside or in its weights.
  private func ownTokenizer(of described: ModelDescription) throws -> Tokenizer? {
    let folder = described.source.folder
    if let setting = described.architecture.tokenizer, setting.entries != nil {
      return try Tokenizer.described(by: setting, in: folder)
    }
    if let upcoming = described.upcomingTokenizer { return try upcoming.value }
    if let file = try vocabularyFile(of: described) { return try VocabularyTable(file).map { try Tokenizer($0) } }
    switch described.source {
    case .specification, .gguf: return nil
    case .folder, .trained, .safetensors:
      do {
        return try Tokenizer.load(from: folder)
      } catch TokenizerProblem.noVocabulary(folder, _) {
        // A vocabulary that is there and cannot be read is a problem; that none is there is not.
        return nil
      }
    }
  }

  /// The tokenizer in the GGUF file at `path`, which need hold nothing else; nil when it has none.
  /// Throws `FileProblem` for a file that cannot be read, `TokenizerProblem` for a broken vocabulary.
  public static func tokenizer(inGGUF path: String) throws -> Tokenizer? {
    try VocabularyTable(GGUFFile(path: path)).map { try Tokenizer($0) }
  }

  /// Begins to make the tokenizer of the model in `container`, while its plan is being made.
  func prepare(_ container: GGUFFile) -> Started<Tokenizer?> {
    Started {
      defer { returnFreedMemory() }
      return try VocabularyTable(container).map { try Tokenizer($0) }
    }
  }
}
