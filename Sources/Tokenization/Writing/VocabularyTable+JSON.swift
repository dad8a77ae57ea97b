import Files

extension VocabularyTable {
  /// The vocabulary as the files of a folder that Hugging Face's tokenizers read, by name; `chatTemplate` goes with it.
  ///
  /// Nil for a way of making pieces that is not written. Ids, splitting and marks are the same as here. A vocabulary of
  /// scores becomes one of merges, as transformers makes it of a SentencePiece file: for every piece, each pair of
  /// pieces that it can be made of, the best score first.
  public func huggingFaceFiles(chatTemplate: String?) -> [(name: String, content: JSONValue)]? {
    let tokenizer: JSONValue
    var (addsBeginning, addsEnd) = (false, false)
    switch model {
    case "gpt2":
      guard let splitting = SplittingName.named(preTokenizer ?? "default") else { return nil }
      (addsBeginning, addsEnd) = (self.addsBeginning ?? splitting.addsBeginning, self.addsEnd ?? false)
      tokenizer = byteLevel(splitting, processor(addsBeginning, addsEnd))
    case "llama":
      guard scores?.count == pieces.count, characterMap?.isEmpty ?? true, removesExtraSpaces != true else { return nil }
      (addsBeginning, addsEnd) = (self.addsBeginning ?? true, self.addsEnd ?? false)
      tokenizer = sentencePieces(processor(addsBeginning, addsEnd))
    default: return nil
    }
    var config = JSONObject()
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    for (key, id) in [("bos_token", beginningOfText), ("eos_token", endOfText.first), ("unk_token", unknown)] {
      if let id, pieces.indices.contains(id) { config[key] = .string(pieces[id]) }
    }
    config["add_bos_token"] = .bool(addsBeginning)
    config["add_eos_token"] = .bool(addsEnd)
    config["clean_up_tokenization_spaces"] = false
    config["chat_template"] = chatTemplate.map(JSONValue.string)
    return [("tokenizer.json", tokenizer), ("tokenizer_config.json", .object(config))]
  }

  private func kind(_ id: Int) -> PieceKind {
    kinds.flatMap { PieceKind(rawValue: UInt8(clamping: $0[id])) } ?? .normal
  }

  private func file(
    normalizer: JSONValue, preTokenizer: JSONValue, processor: JSONValue?, decoder: JSONValue, model: JSONValue
  ) -> JSONValue {
    let added = pieces.indices.compactMap { id -> JSONValue? in
      guard [.control, .unknown, .userDefined].contains(kind(id)) else { return nil }
      return [
        "id": .integer(id), "content": .string(pieces[id]), "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": .bool(kind(id) != .userDefined),
      ]
    }
    return [
      "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(added), "normalizer": normalizer,
      "pre_tokenizer": preTokenizer, "post_processor": processor ?? .null, "decoder": decoder, "model": model,
    ]
  }

  /// The marks around a text; nil when there are none.
  private func processor(_ addsBeginning: Bool, _ addsEnd: Bool) -> JSONValue? {
    func mark(_ id: Int?, _ isAdded: Bool) -> (name: String, id: Int)? {
      guard isAdded, let id, pieces.indices.contains(id) else { return nil }
      return (pieces[id], id)
    }
    let (first, last) = (mark(beginningOfText, addsBeginning), mark(endOfText.first, addsEnd))
    guard first != nil || last != nil else { return nil }
    func item(_ name: String, type: Int) -> JSONValue {
      ["SpecialToken": ["id": .string(name), "type_id": .integer(type)]]
    }
    func template(_ texts: [String]) -> JSONValue {
      var items: [JSONValue] = []
      for (type, text) in texts.enumerated() {
        if let first { items.append(item(first.name, type: type)) }
        items.append(["Sequence": ["id": .string(text), "type_id": .integer(type)]])
        if let last { items.append(item(last.name, type: type)) }
      }
      return .array(items)
    }
    var marks = JSONObject()
    for mark in [first, last] {
      guard let mark else { continue }
      marks[mark.name] = ["id": .string(mark.name), "ids": [.integer(mark.id)], "tokens": [.string(mark.name)]]
    }
    return [
      "type": "TemplateProcessing", "single": template(["A"]), "pair": template(["A", "B"]),
      "special_tokens": .object(marks),
    ]
  }

  private var vocabulary: JSONObject {
    var vocabulary = JSONObject()
    for id in pieces.indices { _ = vocabulary.insert(.integer(id), for: pieces[id]) }
    return vocabulary
  }

  // MARK: Pieces of bytes

  private func byteLevel(_ splitting: SplittingName, _ processor: JSONValue?) -> JSONValue {
    func bytes(trimsOffsets: Bool) -> JSONValue {
      ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": .bool(trimsOffsets), "use_regex": false]
    }
    let splits = splitting.patterns.map { pattern -> JSONValue in
      ["type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated", "invert": false]
    }
    let vocabulary = self.vocabulary
    // A reader refuses merges of pieces that are not there.
    let merges = (self.merges ?? []).compactMap { line -> JSONValue? in
      guard let space = line.dropFirst().firstIndex(of: " ") else { return nil }
      let (left, right) = (String(line[..<space]), String(line[line.index(after: space)...]))
      guard vocabulary[left] != nil, vocabulary[right] != nil, vocabulary[left + right] != nil else { return nil }
      return [.string(left), .string(right)]
    }
    return file(
      normalizer: splitting.composes ? ["type": "NFC"] : .null,
      preTokenizer: ["type": "Sequence", "pretokenizers": .array(splits + [bytes(trimsOffsets: true)])],
      processor: processor, decoder: bytes(trimsOffsets: true),
      model: [
        "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": .bool(splitting.takesWholeWords), "vocab": .object(vocabulary), "merges": .array(merges),
      ])
  }

  // MARK: Pieces with scores

  private func sentencePieces(_ processor: JSONValue?) -> JSONValue {
    let vocabulary = self.vocabulary
    let putsSpace = addsSpacePrefix ?? true
    let mark: JSONValue = "▁"
    var steps: [JSONValue] = putsSpace ? [["type": "Prepend", "prepend": mark]] : []
    steps.append(["type": "Replace", "pattern": ["String": " "], "content": mark])
    var decoders: [JSONValue] = [
      ["type": "Replace", "pattern": ["String": mark], "content": " "], ["type": "ByteFallback"], ["type": "Fuse"],
    ]
    if putsSpace { decoders.append(["type": "Strip", "content": " ", "start": 1, "stop": 0]) }
    let unknownPiece = unknown ?? pieces.indices.first { kind($0) == .unknown }
    var unknownText = JSONValue.null
    if let unknownPiece, pieces.indices.contains(unknownPiece) { unknownText = .string(pieces[unknownPiece]) }
    return file(
      normalizer: ["type": "Sequence", "normalizers": .array(steps)], preTokenizer: .null, processor: processor,
      decoder: ["type": "Sequence", "decoders": .array(decoders)],
      model: [
        "type": "BPE", "dropout": .null, "unk_token": unknownText, "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null, "fuse_unk": true,
        "byte_fallback": .bool(pieces.indices.contains { kind($0) == .byte }), "ignore_merges": false,
        "vocab": .object(vocabulary), "merges": .array(merges(in: vocabulary)),
      ])
  }

  private func merges(in vocabulary: JSONObject) -> [JSONValue] {
    var found: [(score: Float, left: String, right: String, ids: (Int, Int))] = []
    for id in pieces.indices where kind(id) == .normal {
      let piece = pieces[id]
      let scalars = Array(piece.unicodeScalars)
      guard scalars.count > 1, scalars.count <= 256, let score = scores?[id], score.isFinite else { continue }
      for cut in 1..<scalars.count {
        var (left, right) = (String.UnicodeScalarView(), String.UnicodeScalarView())
        left.append(contentsOf: scalars[..<cut])
        right.append(contentsOf: scalars[cut...])
        let (first, second) = (String(left), String(right))
        guard let a = vocabulary[first]?.integer, let b = vocabulary[second]?.integer, isMade(a), isMade(b) else {
          continue
        }
        found.append((score, first, second, (a, b)))
      }
    }
    found.sort { $0.score != $1.score ? $0.score > $1.score : $0.ids < $1.ids }
    return found.map { [.string($0.left), .string($0.right)] }
  }

  /// Whether text is ever cut into the piece.
  private func isMade(_ id: Int) -> Bool { kind(id) == .normal }
}
