import Files

/// What the small files beside a vocabulary say: which marks begin and end a text, and which are added.
///
/// `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` name pieces; `generation_config.json` and
/// `config.json` give ids, one or a list. A file that is missing says nothing; one that is not JSON is an error.
struct CompanionFiles {
  private(set) var beginningPieces: [String] = []
  private(set) var endPieces: [String] = []
  private(set) var beginningID: Int?
  private(set) var endIDs: [Int] = []
  private(set) var addsBeginning: Bool?
  private(set) var addsEnd: Bool?
  private(set) var added: [AddedTokens.Token] = []

  init() {}

  /// Reads what stands in `folder`.
  init(folder: String) throws(TokenizerProblem) {
    for name in ["tokenizer_config.json", "special_tokens_map.json"] {
      guard let root = try Self.read(folder + "/" + name) else { continue }
      if let piece = Self.piece(root["bos_token"]) { beginningPieces.append(piece) }
      if let piece = Self.piece(root["eos_token"]) { endPieces.append(piece) }
      addsBeginning = addsBeginning ?? root["add_bos_token"]?.bool
      addsEnd = addsEnd ?? root["add_eos_token"]?.bool
      for (key, value) in root["added_tokens_decoder"]?.object ?? JSONObject() {
        if let id = Int(key), let token = Self.token(value, id: id) { added.append(token) }
      }
    }
    for (content, id) in try Self.read(folder + "/added_tokens.json")?.object ?? JSONObject() {
      guard let id = id.integer, !added.contains(where: { $0.id == id }) else { continue }
      added.append(AddedTokens.Token(content: content, id: id, isSpecial: true))
    }
    for name in ["generation_config.json", "config.json"] {
      guard let root = try Self.read(folder + "/" + name) else { continue }
      beginningID = beginningID ?? root["bos_token_id"]?.integer
      guard endIDs.isEmpty, let end = root["eos_token_id"] else { continue }
      endIDs = end.array?.compactMap(\.integer) ?? end.integer.map { [$0] } ?? []
    }
  }

  /// One added token as these files and `tokenizer.json` write it.
  static func token(_ value: JSONValue, id: Int) -> AddedTokens.Token? {
    guard let content = value["content"]?.string else { return nil }
    return AddedTokens.Token(
      content: content, id: id, isSpecial: value["special"]?.bool ?? false,
      stripsLeft: value["lstrip"]?.bool ?? false, stripsRight: value["rstrip"]?.bool ?? false,
      isSingleWord: value["single_word"]?.bool ?? false, isNormalized: value["normalized"]?.bool ?? false)
  }

  /// Sets which ids begin and end a text; names count before ids, for the files with ids are made by other hands.
  func apply(to parts: inout Tokenizer.Parts) {
    func id(of piece: String) -> Int? {
      parts.added.tokens.first { $0.content.utf8.elementsEqual(piece.utf8) }?.id ?? parts.vocabulary.id(of: piece)
    }
    if let beginning = beginningPieces.compactMap(id).first ?? beginningID { parts.beginningOfText = beginning }
    let ends = endPieces.compactMap(id)
    parts.endOfText.formUnion(ends)
    parts.endOfText.formUnion(endIDs)
    if let addsBeginning, let beginning = parts.beginningOfText {
      parts.prefix.removeAll { $0 == beginning }
      if addsBeginning { parts.prefix.insert(beginning, at: 0) }
    }
    if let addsEnd, let end = ends.first ?? endIDs.first {
      parts.suffix.removeAll { $0 == end }
      if addsEnd { parts.suffix.append(end) }
    }
  }

  // A piece is written as it is, or as an added token.
  private static func piece(_ value: JSONValue?) -> String? { value?.string ?? value?["content"]?.string }

  private static func read(_ path: String) throws(TokenizerProblem) -> JSONValue? {
    guard kind(ofPath: path) == .file else { return nil }
    do { return try JSONValue(contentsOf: path, literals: true) } catch { throw .file(error) }
  }
}
