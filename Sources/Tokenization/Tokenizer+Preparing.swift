import Files

extension Tokenizer {
  /// This tokenizer, which does to every text what `normalizers` say before anything else, and puts the end of a text behind one
  /// that asks for its marks where `addsEnd` says so.
  ///
  /// `normalizers` are those of a `tokenizer.json` (huggingface/tokenizers), in order; `name` is where they are written. A model's family
  /// says here what is said by no file beside its weights. Added tokens are found before.
  public func preparing(
    _ normalizers: [JSONValue], addsEnd: Bool, named name: String
  ) throws(TokenizerProblem) -> Tokenizer {
    var parts = parts
    var reader = TokenizerJSON(.object(JSONObject()), path: name)
    reader.marksSpaces = parts.normalizer.steps.contains { if case .unmarkSpaces = $0 { true } else { false } }
    var steps: [TextNormalizer.Step] = []
    for normalizer in normalizers { try reader.appendSteps(of: normalizer, to: &steps) }
    parts.normalizer.steps = steps + parts.normalizer.steps
    if addsEnd, let end = parts.endOfText.min(), parts.suffix.last != end { parts.suffix.append(end) }
    return Tokenizer(parts)
  }
}
