/// The spellings by which files mark where a text begins and ends, for files that do not say which ids these are.
enum SpecialNames {
  /// In order of preference.
  static let beginnings = ["<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<|endoftext|>"]

  /// Whatever of these a vocabulary has as a mark ends what a model writes.
  static let ends = [
    "</s>", "<eos>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>",
    "<|eot|>", "<end_of_turn>", "<EOT>", "<|return|>", "<｜end▁of▁sentence｜>",
  ]
}

extension SpecialNames {
  /// The marks that stand for a token left out, which an encoder fills in.
  static let masks = ["[MASK]", "<mask>", "<|mask|>", "<mask_1>"]
}

extension Tokenizer {
  /// The mark that stands for a token left out, and its id, where the vocabulary has one.
  public var mask: (name: String, id: Int)? {
    for name in SpecialNames.masks {
      if let id = specialTokens[name] { return (name, id) }
    }
    return nil
  }
}

extension Tokenizer.Parts {
  /// Adds the ends that are known by their spelling, and a beginning and an end where none is known.
  mutating func completeMarks() {
    func mark(_ name: String) -> Int? {
      let token = added.tokens.first { $0.content.utf8.elementsEqual(name.utf8) && $0.isSpecial }
      if let token { return token.id }
      guard let id = vocabulary.id(of: name), vocabulary.kind(of: id) == .control else { return nil }
      return id
    }
    endOfText.formUnion(SpecialNames.ends.compactMap(mark))
    if beginningOfText == nil { beginningOfText = SpecialNames.beginnings.compactMap(mark).first }
    endOfText = endOfText.filter { vocabulary.hasPiece($0) }
    if let id = beginningOfText, !vocabulary.hasPiece(id) { beginningOfText = nil }
    prefix = prefix.filter { vocabulary.hasPiece($0) }
    suffix = suffix.filter { vocabulary.hasPiece($0) }
  }
}
