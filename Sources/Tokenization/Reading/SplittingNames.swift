/// The names that files give to ways of splitting, and the patterns they stand for.
///
/// GGUF says only a name (`tokenizer.ggml.pre`) where `tokenizer.json` says the patterns; the two are tied together in
/// ggml-org/llama.cpp `src/llama-vocab.cpp`, and tiktoken's names to patterns in openai/tiktoken
/// `tiktoken_ext/openai_public.py`. Patterns are written as their `tokenizer.json` files write them.
struct SplittingName {
  /// Applied one after the other.
  let patterns: [String]
  /// A word that is a piece is that piece, whatever merging would make of it.
  var takesWholeWords = false
  /// Whether the text's beginning is marked where the file does not say.
  var addsBeginning = false
  /// Whether text is composed (NFC) first.
  var composes = false

  /// The way of splitting with this name, or nil.
  static func named(_ name: String) -> SplittingName? {
    for (names, splitting) in all where names.contains(name) { return splitting }
    return nil
  }

  /// The first name of a way of splitting; nil when it has none.
  static func name(patterns: [String], composes: Bool, takesWholeWords: Bool) -> String? {
    all.first {
      $0.splitting.patterns == patterns && $0.splitting.composes == composes
        && $0.splitting.takesWholeWords == takesWholeWords
    }?.names.first
  }

  /// One name of each way, for messages.
  static var examples: [String] { all.compactMap(\.names.first) }

  /// Words with one space before them, runs of digits, runs of the rest.
  static let wordsAndSpaces = #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let spaces = #"\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let digitTriples =
    contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"# + spaces
  private static let singleDigits =
    contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"# + spaces
  private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
  private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
  private static let before = #"[^\r\n\p{L}\p{N}]?"#
  // tiktoken takes all white space at the end of the text as one piece; its copies elsewhere do not.
  private static let cl100k =
    #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|"#
    + #"\s++$|\s*[\r\n]|\s+(?!\S)|\s"#
  private static func cased(suffix: String, digits: String) -> String {
    "\(before)\(upper)*\(lower)+\(suffix)|\(before)\(upper)+\(lower)*\(suffix)|\(digits)|"
      + #" ?[^\s\p{L}\p{N}]+[\r\n/]*|"# + spaces
  }

  private static let all: [(names: [String], splitting: SplittingName)] = [
    (
      ["gpt-2", "gpt2", "r50k_base", "p50k_base", "mpt", "olmo", "jais", "trillion", "granite-docling", "phi-2"],
      SplittingName(patterns: [wordsAndSpaces])
    ),
    (
      ["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
      SplittingName(patterns: [digitTriples], takesWholeWords: true, addsBeginning: true)
    ),
    (
      ["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"], SplittingName(patterns: [digitTriples])
    ),
    (
      ["cl100k_base"], SplittingName(patterns: [cl100k], takesWholeWords: true)
    ),
    (
      ["qwen2", "qwen", "deepseek-r1-qwen"], SplittingName(patterns: [singleDigits], composes: true)
    ),
    (
      ["stablelm2", "hunyuan", "megrez", "solar-open", "grok-2"], SplittingName(patterns: [singleDigits])
    ),
    (
      ["qwen35"],
      SplittingName(
        patterns: [
          contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"# + spaces
        ], composes: true)
    ),
    (
      ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"],
      SplittingName(patterns: [#"\p{N}"#, wordsAndSpaces])
    ),
    (
      ["falcon"],
      SplittingName(patterns: [#"[\p{P}\$\+<=>\^~\|`]+"#, wordsAndSpaces, "[0-9][0-9][0-9]"])
    ),
    (
      ["deepseek-coder"],
      SplittingName(
        patterns: [
          #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, #"[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"#, #"\p{N}"#,
        ])
    ),
    (
      ["deepseek-v3", "hunyuan-dense"],
      SplittingName(
        patterns: [
          #"\p{N}{1,3}"#, #"[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+"#,
          ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"##
            + #" ?[\p{P}\p{S}]+[\r\n]*|"# + spaces,
        ])
    ),
    (
      ["gpt-4o", "o200k_base", "o200k_harmony", "llama4", "kanana2"],
      SplittingName(patterns: [cased(suffix: contractions + "?", digits: #"\p{N}{1,3}"#)], takesWholeWords: true)
    ),
    (
      ["tekken"],
      SplittingName(
        patterns: [cased(suffix: "", digits: #"\p{N}"#)], takesWholeWords: true, addsBeginning: true)
    ),
    (
      ["bloom", "poro-chat", "gpt3-finnish"], SplittingName(patterns: [#" ?[^(\s|.,!?…。，、।۔،)]+"#])
    ),
    (
      ["default"],
      SplittingName(
        patterns: [#"[\p{P}\$\+<=>\^~\|]+"#, wordsAndSpaces, #"\p{N}+"#, "[0-9][0-9][0-9]"])
    ),
  ]
}

extension SplittingName {
  /// The stages of a name, or of a pattern where `text` is no name.
  static func stages(of patterns: [String], path: String) throws(TokenizerProblem) -> [SplitStage] {
    var stages: [SplitStage] = []
    for pattern in patterns { stages.append(try stage(of: pattern, path: path)) }
    return stages
  }

  static func stage(
    of pattern: String, _ behavior: SplitStage.Behavior = .isolated, isInverted: Bool = false, path: String
  ) throws(TokenizerProblem) -> SplitStage {
    do {
      let alternatives = try PatternReader.alternatives(of: pattern)
      return SplitStage(finder: .pattern(SplitPattern(alternatives)), behavior: behavior, isInverted: isInverted)
    } catch {
      throw .unknownPattern(path: path, pattern: pattern, alternative: error.alternative)
    }
  }

  /// What `text` asks for: a known name, or a pattern.
  static func find(_ text: String) -> SplittingName {
    named(text) ?? SplittingName(patterns: [text], takesWholeWords: true)
  }
}
