import Checkpoints
import Essentials
import Files
import Tokenization

extension ModelLoader {
  /// The metadata that says a model's vocabulary and its chat template in a GGUF file, and what could not be said.
  ///
  /// A vocabulary of a folder is taken along when texts become the same ids by it; files beside `path` are made for that,
  /// and gone afterwards.
  func vocabulary(of described: ModelDescription, besides path: String) throws -> (
    metadata: [(key: String, value: GGUFValue)], notes: [String]
  ) {
    if let file = try vocabularyFile(of: described) {
      return (
        file.keys.filter { $0.hasPrefix("tokenizer.") }.compactMap { key in file[key].map { (key, $0) } }, []
      )
    }
    let none: [(key: String, value: GGUFValue)] = [("tokenizer.ggml.model", .string("no_vocab"))]
    guard let tokenizer = try tokenizer(of: described) else { return (none, []) }
    let left = "the tokenizer of '\(described.architecture.name)' has no form in a GGUF file, and is left out"
    guard let json = try vocabularyJSON(of: described),
      let own = PublishedVocabulary(json, count: described.plan.shape.vocabSize)
    else { return (none, [left]) }
    var metadata: [(key: String, value: GGUFValue)] = [("tokenizer.ggml.model", .string(own.model))]
    func add(_ key: String, _ value: GGUFValue?) { if let value { metadata.append(("tokenizer.ggml.\(key)", value)) } }
    add("pre", own.preTokenizer.map(GGUFValue.string))
    add("tokens", .strings(own.pieces))
    add("scores", own.scores.map(GGUFValue.numbers))
    add("token_type", .integers(own.kinds))
    add("merges", own.merges.map(GGUFValue.strings))
    let ids = textIDs(of: described)
    let ends = ids["eos_token_id"].map { $0.array?.compactMap(\.integer) ?? [$0.integer].compactMap { $0 } } ?? []
    let end = tokenizer.endOfText.min().map { ends.isEmpty ? [$0] : ends } ?? ends
    let begin = ids["bos_token_id"]?.integer ?? tokenizer.beginningOfText
    add("bos_token_id", begin.map(GGUFValue.integer))
    add("eos_token_id", end.first.map(GGUFValue.integer))
    if end.count > 1 { add("eot_token_id", .integer(end[1])) }
    add("unknown_token_id", own.unknown.map(GGUFValue.integer))
    add("padding_token_id", ids["pad_token_id"]?.integer.map(GGUFValue.integer))
    let sample = tokenizer.encode("a")
    add("add_bos_token", .bool(begin != nil && sample.first == begin))
    add("add_eos_token", .bool(sample.count > 1 && end.first != nil && sample.last == end.first))
    add("add_space_prefix", own.addsSpacePrefix.map(GGUFValue.bool))
    guard try isSame(tokenizer, metadata, besides: path) else { return (none, [left]) }
    for (name, source) in try chat(of: described, tokenizer: tokenizer)?.sources.sorted(by: { $0.key < $1.key }) ?? [] {
      metadata.append(("tokenizer.chat_template" + (name == "default" ? "" : ".\(name)"), .string(source)))
    }
    return (metadata, [])
  }

  /// The `tokenizer.json` of a model, or what GPT-2's two files say in its words; nil when there is neither.
  private func vocabularyJSON(of described: ModelDescription) throws -> JSONValue? {
    let folder = try suppliedTokenizer(of: described)?.folder ?? described.source.folder
    if kind(ofPath: folder + "/tokenizer.json") == .file {
      return try JSONValue(contentsOf: folder + "/tokenizer.json")
    }
    let (pieces, merges) = (folder + "/vocab.json", folder + "/merges.txt")
    guard kind(ofPath: pieces) == .file, kind(ofPath: merges) == .file else { return nil }
    let vocabulary = try JSONValue(contentsOf: pieces)
    let lines = try String(contentsOfFile: merges, encoding: .utf8).split(separator: "\n")
      .filter { !$0.hasPrefix("#version") }
    let marks = ["<|endoftext|>"].compactMap { mark -> JSONValue? in
      vocabulary[mark].map { ["id": $0, "content": .string(mark), "special": true] }
    }
    return [
      "added_tokens": .array(marks),
      "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false, "use_regex": true],
      "model": ["type": "BPE", "vocab": vocabulary, "merges": .array(lines.map { .string(String($0)) })],
    ]
  }

  /// Whether the vocabulary in `metadata` makes of texts what `tokenizer` makes of them.
  private func isSame(
    _ tokenizer: Tokenizer, _ metadata: [(key: String, value: GGUFValue)], besides path: String
  ) throws -> Bool {
    let file = path + ".vocabulary.tmp"
    defer { try? removeFile(file) }
    try GGUFFile.write([], metadata: metadata, to: file)
    guard let table = VocabularyTable(try GGUFFile(path: file)), let other = try? Tokenizer(table) else { return false }
    return Self.samples.allSatisfy { tokenizer.encode($0) == other.encode($0) }
  }

  /// Texts in which ways of splitting differ: spaces, lines, digits, contractions, case, marks, scripts and pictures.
  private static let samples = [
    "", " ", "  ", "\n", " \n\n \t\r\n  x", "Hello world", " Hello  World 123 1234567 3.14",
    "I'm you'll THEY'VE it's D'Or",
    "def f(x):\n    return x**2  # comment\n", "¿Qué tal? Größe naïve Straße", "Привет, как дела? 12 345",
    "日本語のテキスト。中文字符，测试", "한국어 텍스트", "नमस्ते दुनिया", "e\u{301} é \u{1F600}👍🏽👩‍👩‍👧 \u{200D}",
    "…—“quoted” «text» $100 €5 50% a_b-c/d@e.f",
    "<|endoftext|> <s> </s> <|im_start|>user", "AbCdEFgh iPhone XMLHttpRequest", "\u{FEFF}\u{A0}x\u{3000}y",
  ]
}
