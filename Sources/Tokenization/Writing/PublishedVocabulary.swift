import Files

/// A vocabulary of a `tokenizer.json` in the words of a GGUF file: what `VocabularyTable` reads of one.
///
/// Of byte-level pieces the way of splitting must be one that has a name there (`SplittingName`); of pieces with `▁` the order
/// of merges becomes scores. A careful reader's mistake: that names and scores are there does not say that texts become
/// the same ids; whoever writes the file compares.
public struct PublishedVocabulary: Sendable {
  /// `tokenizer.ggml.model` and `…pre`.
  public let model: String
  public let preTokenizer: String?
  /// `tokenizer.ggml.tokens`, by id; ids that nothing has are `[PAD7]`.
  public private(set) var pieces: [String]
  /// `tokenizer.ggml.token_type`.
  public private(set) var kinds: [Int]
  /// `tokenizer.ggml.scores`, of pieces with `▁`.
  public private(set) var scores: [Double]?
  /// `tokenizer.ggml.merges`, of byte-level pieces.
  public private(set) var merges: [String]?
  /// `tokenizer.ggml.unknown_token_id`.
  public let unknown: Int?
  /// `tokenizer.ggml.add_space_prefix`, of pieces with `▁`.
  public let addsSpacePrefix: Bool?

  /// The vocabulary of `json`, a `tokenizer.json`, for a model of `count` ids; nil for one that has no form in GGUF.
  public init?(_ json: JSONValue, count: Int) {
    guard let model = json["model"], model["type"]?.string ?? "BPE" == "BPE", let vocabulary = model["vocab"]?.object,
      model["dropout"]?.number == nil, model["continuing_subword_prefix"]?.string ?? "" == "",
      model["end_of_word_suffix"]?.string ?? "" == ""
    else { return nil }
    var pieces = [String?](repeating: nil, count: count)
    var kinds = [Int](repeating: PieceKind.normal.number, count: count)
    for (piece, id) in vocabulary {
      guard let id = id.integer, pieces.indices.contains(id) else { return nil }
      pieces[id] = piece
    }
    for token in json["added_tokens"]?.array ?? [] {
      guard let id = token["id"]?.integer, pieces.indices.contains(id), let content = token["content"]?.string else {
        return nil
      }
      pieces[id] = content
      kinds[id] = (token["special"]?.bool ?? false ? PieceKind.control : .userDefined).number
    }
    for id in pieces.indices where pieces[id] == nil { kinds[id] = PieceKind.unused.number }
    self.pieces = pieces.enumerated().map { $1 ?? "[PAD\($0)]" }
    unknown = model["unk_token"]?.string.flatMap { vocabulary[$0]?.integer }
    let pairs = (model["merges"]?.array ?? []).map { merge -> String in
      merge.string ?? merge.array?.compactMap(\.string).joined(separator: " ") ?? ""
    }
    let stages = Self.nodes(json["pre_tokenizer"], "pretokenizers")
    if stages.contains(where: { $0["type"]?.string == "ByteLevel" }) {
      guard let name = Self.splittingName(json, stages, takesWholeWords: model["ignore_merges"]?.bool ?? false) else {
        return nil
      }
      (self.model, preTokenizer, addsSpacePrefix) = ("gpt2", name, nil)
      (scores, merges) = (nil, pairs)
      self.kinds = kinds
      return
    }
    guard model["byte_fallback"]?.bool == true, let prefix = Self.spacePrefix(json, stages) else { return nil }
    for (piece, id) in vocabulary {
      guard let id = id.integer, kinds[id] == PieceKind.normal.number || id == unknown else { continue }
      if piece.utf8.count == 6, piece.hasPrefix("<0x"), piece.hasSuffix(">") { kinds[id] = PieceKind.byte.number }
    }
    if let unknown { kinds[unknown] = PieceKind.unknown.number }
    // Merges come in the order in which they are done; the earliest that makes a piece says its score.
    var scores = [Double](repeating: 0, count: count)
    var isScored: Set<Int> = []
    for (order, pair) in pairs.enumerated() {
      guard let id = vocabulary[pair.replacing(" ", with: "")]?.integer, isScored.insert(id).inserted else { continue }
      scores[id] = -Double(order + 1)
    }
    (self.model, preTokenizer, addsSpacePrefix) = ("llama", "default", prefix)
    (self.scores, merges) = (scores, nil)
    self.kinds = kinds
  }

  /// A node of a `tokenizer.json`, or the nodes of a sequence.
  private static func nodes(_ node: JSONValue?, _ key: String) -> [JSONValue] {
    guard let node, !node.isNull else { return [] }
    guard node["type"]?.string == "Sequence" else { return [node] }
    return (node[key]?.array ?? []).flatMap { nodes($0, key) }
  }

  /// The name of the way in which a file of byte-level pieces splits texts; nil when it has none.
  private static func splittingName(_ json: JSONValue, _ stages: [JSONValue], takesWholeWords: Bool) -> String? {
    var patterns: [String] = []
    for stage in stages {
      switch stage["type"]?.string {
      case "Split":
        guard let pattern = stage["pattern"]?["Regex"]?.string, stage["invert"]?.bool != true,
          ["Isolated", "Removed"].contains(stage["behavior"]?.string)
        else { return nil }
        patterns.append(pattern)
      case "Digits":
        guard stage["individual_digits"]?.bool == true else { return nil }
        patterns.append(#"\p{N}"#)
      case "ByteLevel":
        guard stage["add_prefix_space"]?.bool != true else { return nil }
        if stage["use_regex"]?.bool ?? true { patterns.append(SplittingName.wordsAndSpaces) }
      default: return nil
      }
    }
    let normalizers = nodes(json["normalizer"], "normalizers").compactMap { $0["type"]?.string }
    guard normalizers.isEmpty || normalizers == ["NFC"] else { return nil }
    return SplittingName.name(
      patterns: patterns, composes: !normalizers.isEmpty, takesWholeWords: takesWholeWords)
  }

  /// Whether a file of pieces with `▁` puts one before a text; nil when it does anything else with it.
  private static func spacePrefix(_ json: JSONValue, _ stages: [JSONValue]) -> Bool? {
    var (replaces, prefix) = (false, false)
    for node in nodes(json["normalizer"], "normalizers") + stages {
      switch node["type"]?.string {
      case "Prepend" where node["prepend"]?.string == "▁": prefix = true
      case "Replace" where node["content"]?.string == "▁" && node["pattern"]?["String"]?.string == " ": replaces = true
      case "Metaspace":
        replaces = true
        prefix =
          node["prepend_scheme"]?.string ?? (node["add_prefix_space"]?.bool ?? true ? "always" : "never") != "never"
      case "Split" where node["pattern"]?["String"]?.string == " ": break
      default: return nil
      }
    }
    return replaces ? prefix : nil
  }
}

extension PieceKind {
  /// The number that SentencePiece and GGUF give it.
  fileprivate var number: Int { Int(rawValue) }
}
