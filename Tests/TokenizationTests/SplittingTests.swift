import SharedData
import Testing
import Tokenization

@Suite("Words that merging never crosses")
struct SplittingTests {
  static let text =
    "I'm DON'T they'LL 12345 x² naïve ǅABCdef'S  fq\u{302}o—ok!!/\r\n\t end\u{3000} ʰUP中文abc  \n  "

  // Made with Python's regex 2026.11.15: `regex.findall(pattern, text)` with the patterns of llama.cpp's and tiktoken's
  // sources; where a name has several, each applied to the pieces and the gaps of the one before.
  static let words: [(String, [String])] = [
    (
      "gpt-2",
      [
        "I", "'m", " DON", "'", "T", " they", "'", "LL", " 12345", " x", "²", " naïve", " ǅABCdef", "'", "S", " ",
        " fq", "\u{302}", "o", "—", "ok", "!!/", "\r\n\t", " end", "\u{3000}", " ʰUP中文abc", "  \n  ",
      ]
    ),
    (
      "llama-bpe",
      [
        "I", "'m", " DON", "'T", " they", "'LL", " ", "123", "45", " x", "²", " naïve", " ǅABCdef", "'S", " ", " fq",
        "\u{302}o", "—ok", "!!/\r\n", "\t", " end", "\u{3000}", " ʰUP中文abc", "  \n", "  ",
      ]
    ),
    (
      "cl100k_base",
      [
        "I", "'m", " DON", "'T", " they", "'LL", " ", "123", "45", " x", "²", " naïve", " ǅABCdef", "'S", " ", " fq",
        "\u{302}o", "—ok", "!!/\r\n", "\t", " end", "\u{3000}", " ʰUP中文abc", "  \n  ",
      ]
    ),
    (
      "qwen2",
      [
        "I", "'m", " DON", "'T", " they", "'LL", " ", "1", "2", "3", "4", "5", " x", "²", " naïve", " ǅABCdef", "'S",
        " ", " fq", "\u{302}o", "—ok", "!!/\r\n", "\t", " end", "\u{3000}", " ʰUP中文abc", "  \n", "  ",
      ]
    ),
    (
      "qwen35",
      [
        "I", "'m", " DON", "'T", " they", "'LL", " ", "1", "2", "3", "4", "5", " x", "²", " naïve", " ǅABCdef", "'S",
        " ", " fq\u{302}o", "—ok", "!!/\r\n", "\t", " end", "\u{3000}", " ʰUP中文abc", "  \n", "  ",
      ]
    ),
    (
      "gpt-4o",
      [
        "I'm", " DON'T", " they'LL", " ", "123", "45", " x", "²", " naïve", " ǅABCdef'S", " ", " fq\u{302}o", "—ok",
        "!!/\r\n", "\t", " end", "\u{3000}", " ʰUP中文abc", "  \n", "  ",
      ]
    ),
    (
      "tekken",
      [
        "I", "'m", " DON", "'T", " they", "'LL", " ", "1", "2", "3", "4", "5", " x", "²", " naïve", " ǅABCdef", "'S",
        " ", " fq\u{302}o", "—ok", "!!/\r\n", "\t", " end", "\u{3000}", " ʰUP中文abc", "  \n", "  ",
      ]
    ),
    (
      "smollm",
      [
        "I", "'m", " DON", "'", "T", " they", "'", "LL", " ", "1", "2", "3", "4", "5", " x", "²", " naïve",
        " ǅABCdef", "'", "S", " ", " fq", "\u{302}", "o", "—", "ok", "!!/", "\r\n\t", " end", "\u{3000}",
        " ʰUP中文abc", "  \n  ",
      ]
    ),
    (
      "falcon",
      [
        "I", "'", "m", " DON", "'", "T", " they", "'", "LL", " ", "123", "45", " x", "²", " naïve", " ǅABCdef", "'",
        "S", " ", " fq", "\u{302}", "o", "—", "ok", "!!/", "\r\n\t", " end", "\u{3000}", " ʰUP中文abc", "  \n  ",
      ]
    ),
    (
      "deepseek-coder",
      [
        "I", "'", "m", " DON", "'", "T", " they", "'", "LL", " ", "1", "2", "3", "4", "5", " x", "²", " naïve",
        " ǅABCdef", "'", "S", " ", " fq", "\u{302}", "o", "—", "ok", "!!/", "\r", "\n", "\t", " end", "\u{3000}",
        " ʰUP", "中文", "abc", "  ", "\n", "  ",
      ]
    ),
    (
      "deepseek-v3",
      [
        "I", "'m", " DON", "'T", " they", "'LL", " ", "123", "45", " x", "²", " naïve", " ǅABCdef", "'S", " ",
        " fq\u{302}o", "—", "ok", "!!/\r\n", "\t", " end", "\u{3000}", " ʰUP", "中文", "abc", "  \n", "  ",
      ]
    ),
  ]

  /// A vocabulary of the bytes and of `words`, in which a whole word is one id.
  static func tokenizer(_ words: [String], splitting: String) throws -> Tokenizer {
    var lines = (0...255).map { "\(base64([UInt8($0)])) \($0)" }
    for word in words
    where word.utf8.count > 1 && !lines.contains(where: { $0.hasPrefix(base64(Array(word.utf8)) + " ") }) {
      lines.append("\(base64(Array(word.utf8))) \(lines.count)")
    }
    return try TemporaryFolder.load(
      "words.tiktoken", Array(lines.joined(separator: "\n").utf8), splitting: splitting)
  }

  @Test("are those of the pattern, for every name", arguments: words)
  func named(_ name: String, _ words: [String]) throws {
    #expect(words.joined() == Self.text)
    let tokenizer = try Self.tokenizer(words, splitting: name)
    let found = tokenizer.encode(Self.text).map { tokenizer.decode([$0]) }
    #expect(found == words)
  }

  @Test("come from a pattern given as text too")
  func given() throws {
    let tokenizer = try Self.tokenizer(
      ["ab", "abab", "12", "123"], splitting: #"[a-z]{2}|\d{1,2}|[^a-z]"#)
    #expect(tokenizer.encode("ababa123").map { tokenizer.decode([$0]) } == ["ab", "ab", "a", "12", "3"])
  }

  // A pattern in which an alternative looks far ahead in vain at every place would take quadratic time.
  @Test("a pattern that looks ahead in vain at every place still takes linear time")
  func lookingAhead() throws {
    let tokenizer = try Self.tokenizer([], splitting: #"\s*[\r\n]+|\s+$|[ a]*b|\s|a"#)
    let text = String(repeating: " a", count: 1 << 19) + "c"
    let soon = endsSoon { #expect(tokenizer.encode(text).count == text.utf8.count) }
    #expect(soon)
  }

  @Test(
    "an unknown pattern is refused, and the alternative that no splitter follows is named",
    arguments: [
      (#"\p{L}+|(?<=a)b"#, "no splitter follows the alternative '(?<=a)b' of the pattern"),
      (#"\p{Han}+|\s"#, #"no splitter follows the alternative '\p{Han}+' of the pattern"#),
      (#"a.*b"#, "no splitter follows the pattern 'a.*b'"),
      (#"(a+)+$"#, "no splitter follows the pattern '(a+)+$'"),
      (#"a+?"#, "no splitter follows the pattern 'a+?'"),
      (#"[a"#, "no splitter follows the pattern '[a'"),
      (#"a{2,1}"#, "no splitter follows the pattern 'a{2,1}'"),
      (#"a|"#, "no splitter follows the alternative '' of the pattern"),
      (#"[a-z&&[aeiou]]"#, "no splitter follows the pattern '[a-z&&[aeiou]]'"),
      (#"\"#, #"no splitter follows the pattern '\'"#),
      ("", "no splitter follows the pattern ''"),
    ])
  func refused(_ pattern: String, _ sentence: String) throws {
    let message = try #require(problem { _ = try Self.tokenizer([], splitting: pattern) })
    #expect(message.contains("words.tiktoken: error: " + sentence), "\(message)")
  }
}
