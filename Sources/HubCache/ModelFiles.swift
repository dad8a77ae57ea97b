import Files

/// Which files of a repository a model consists of: its configuration, tokenizer and template, and its weights once, as
/// safetensors. Twins of the weights in other formats stay where they are.
public enum ModelFiles {
  /// What says how a model is wired.
  public static let configuration = "config.json"
  /// What lists the files of weights that come in several.
  public static let index = "model.safetensors.index.json"
  /// Weights in one file.
  public static let single = "model.safetensors"
  /// What a model may come with beside its weights.
  public static let companions = [
    configuration, "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json",
  ]
  /// Vocabularies in older forms, wanted where there is no `tokenizer.json`.
  static let vocabularies = ["vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model"]

  /// The files beside the weights that `listing` has, and the optional ones that it does not have.
  public static func companions(in listing: RepositoryListing) -> (there: [RepositoryFile], absent: [String]) {
    var names = companions
    if listing["tokenizer.json"] == nil { names += vocabularies }
    var there = names.compactMap { listing[$0] }
    there += listing.files.filter { file in
      file.path.hasPrefix("additional_chat_templates/") && file.path.hasSuffix(".jinja")
        || listing["tokenizer.json"] == nil && file.path.hasSuffix(".tiktoken") && !file.path.contains("/")
    }
    return (there, (names + [index]).filter { listing[$0] == nil && $0 != configuration })
  }

  /// The files of weights: those that `index` names, where the repository has one, else `model.safetensors`.
  /// Throws a sentence when there are none, or when the index names what is not there.
  public static func weights(in listing: RepositoryListing, index: JSONValue?) throws(ListingProblem)
    -> [RepositoryFile]
  {
    guard let index else {
      if let file = listing[single] { return [file] }
      throw ListingProblem(sentence: missing(listing))
    }
    guard let map = index["weight_map"]?.object, map.count <= RepositoryListing.limit * 10 else {
      throw ListingProblem(sentence: "\(self.index) has no object 'weight_map'")
    }
    var files: [RepositoryFile] = []
    for name in Set(map.values.map { $0.string ?? "" }).sorted() {
      guard name.hasSuffix(".safetensors"), !name.contains("/"), RepositoryFile.isPath(name) else {
        throw ListingProblem(
          sentence: "\(self.index) names '\(name.prefix(200))', which is no plain name of safetensors")
      }
      guard let file = listing[name] else {
        throw ListingProblem(sentence: "\(self.index) names '\(name)', which the repository does not have")
      }
      files.append(file)
    }
    return files
  }

  /// The GGUF files, each a model by itself.
  public static func containers(in listing: RepositoryListing) -> [RepositoryFile] {
    listing.files.filter { $0.path.lowercased().hasSuffix(".gguf") }
  }

  private static func missing(_ listing: RepositoryListing) -> String {
    let pickles = listing.files.filter { file in
      [".bin", ".pt", ".pth", ".ckpt", ".pkl"].contains { file.path.hasSuffix($0) }
    }
    if let pickle = pickles.max(by: { $0.size < $1.size }) {
      return "the repository has no safetensors: its weights are in '\(pickle.path)', a pickle, which is a program and "
        + "never read here"
    }
    return "the repository has no \(single) and no \(index)"
  }
}
