import Testing
import Tokenization

@Suite("tokenizer.json")
struct TokenizerJSONTests {
  /// A file whose pieces are single letters, the space, and what the merges make.
  static func file(
    vocab: [String] = ["a", "b", "c", "Ġ", "ab", "abc", "Ġab"], merges: String = #"["a b", "ab c", ["Ġ", "ab"]]"#,
    normalizer: String = "null", preTokenizer: String = #"{"type": "ByteLevel", "add_prefix_space": false}"#,
    decoder: String = #"{"type": "ByteLevel"}"#, postProcessor: String = "null", added: String = "[]",
    model: String = ""
  ) -> String {
    let pieces = vocab.enumerated().map { "\"\($0.element)\": \($0.offset)" }.joined(separator: ", ")
    return """
      {"version": "1.0", "added_tokens": \(added), "normalizer": \(normalizer), "pre_tokenizer": \(preTokenizer),
       "post_processor": \(postProcessor), "decoder": \(decoder),
       "model": {"type": "BPE", \(model) "vocab": {\(pieces)}, "merges": \(merges)}}
      """
  }

  static func tokenizer(_ content: String) throws -> Tokenizer {
    try TemporaryFolder.load("tokenizer.json", Array(content.utf8))
  }

  @Test("merges are read as one text or as two, and a whole word is taken where the file says so")
  func merges() throws {
    #expect(try Self.tokenizer(Self.file()).encode("abc ab") == [5, 6])
    // Without the merge of "ab" and "c" the piece "abc" is only found whole.
    let merges = #"["a b", "Ġ ab"]"#
    #expect(try Self.tokenizer(Self.file(merges: merges)).encode("abc") == [4, 2])
    #expect(try Self.tokenizer(Self.file(merges: merges, model: #""ignore_merges": true,"#)).encode("abc") == [5])
  }

  // Made with tokenizers 0.23.3: a BPE of these pieces, with each pre-tokenizer, `[t for t, _ in
  // pre_tokenize_str(text)]`.
  @Test(
    "pre-tokenizers cut where the library cuts",
    arguments: [
      (#"{"type": "Split", "pattern": {"String": "b"}, "behavior": "MergedWithPrevious"}"#, "abbab", [4, 1, 4]),
      (#"{"type": "Split", "pattern": {"String": "b"}, "behavior": "MergedWithNext"}"#, "ababb", [0, 7, 1, 1]),
      (#"{"type": "Split", "pattern": {"String": "b"}, "behavior": "Contiguous"}"#, "abba", [0, 8, 0]),
      (#"{"type": "Split", "pattern": {"String": "b"}, "behavior": "Removed"}"#, "abba", [0, 0]),
      (#"{"type": "Split", "pattern": {"Regex": "b+"}, "behavior": "Isolated"}"#, "abba", [0, 8, 0]),
      (#"{"type": "Split", "pattern": {"Regex": "b+"}, "behavior": "Removed", "invert": true}"#, "abba", [8]),
      (#"{"type": "CharDelimiterSplit", "delimiter": "b"}"#, "abba", [0, 0]),
    ])
  func behaviors(_ split: String, _ text: String, _ ids: [Int]) throws {
    let byteLevel = #"{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}"#
    let tokenizer = try Self.tokenizer(
      Self.file(
        vocab: ["a", "b", "c", "Ġ", "ab", "abc", "Ġab", "ba", "bb"], merges: #"["a b", "b a", "b b"]"#,
        preTokenizer: #"{"type": "Sequence", "pretokenizers": [\#(split), \#(byteLevel)]}"#))
    #expect(tokenizer.encode(text) == ids)
  }

  // Made with Python's unicodedata 14: normalize(form, text).
  @Test(
    "normalisation forms",
    arguments: [
      (
        "NFC", "e\u{301}|\u{212B}|\u{1112}\u{1161}\u{11AB}|a\u{307}\u{323}|\u{958}",
        "\u{E9}|\u{C5}|\u{D55C}|\u{1EA1}\u{307}|\u{915}\u{93C}"
      ),
      ("NFD", "\u{E9}|\u{C5}|\u{D55C}", "e\u{301}|A\u{30A}|\u{1112}\u{1161}\u{11AB}"),
      ("NFKC", "\u{FB01}|\u{FF21}|\u{FF76}\u{FF9E}|\u{BD}|e\u{301}", "fi|A|\u{30AC}|1\u{2044}2|\u{E9}"),
      ("NFKD", "\u{FB01}|\u{E9}|\u{FF76}\u{FF9E}", "fi|e\u{301}|\u{30AB}\u{3099}"),
    ])
  func forms(_ form: String, _ text: String, _ expected: String) throws {
    let tokenizer = try Self.allBytes(normalizer: #"{"type": "\#(form)"}"#)
    #expect(tokenizer.decode(tokenizer.encode(text)).utf8.elementsEqual(expected.utf8))
    let long = String(repeating: text + "\n", count: 1000)
    #expect(
      tokenizer.decode(tokenizer.encode(long)).utf8.elementsEqual(String(repeating: expected + "\n", count: 1000).utf8))
  }

  @Test(
    "the other normalizers",
    arguments: [
      (#"{"type": "Lowercase"}"#, "ABC ÄÖ İ", "abc äö i\u{307}"),
      (#"{"type": "Strip", "strip_left": true, "strip_right": false}"#, " \t a ", "a "),
      (#"{"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]}"#, "Éa", "Ea"),
      (#"{"type": "Prepend", "prepend": ">"}"#, "a", ">a"),
      (#"{"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}"#, "a   b c", "a b c"),
      (#"{"type": "Replace", "pattern": {"String": "ab"}, "content": "x"}"#, "aabb", "axb"),
      (#"{"type": "Sequence", "normalizers": []}"#, "a", "a"),
    ])
  func normalizers(_ normalizer: String, _ text: String, _ expected: String) throws {
    let tokenizer = try Self.allBytes(normalizer: normalizer)
    #expect(tokenizer.decode(tokenizer.encode(text)).utf8.elementsEqual(expected.utf8))
  }

  /// A byte-level vocabulary of the 256 bytes without merges.
  static func allBytes(normalizer: String = "null", added: String = "[]") throws -> Tokenizer {
    let printable = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
    let scalars = printable + (0..<68).map { 0x100 + $0 }
    let vocab = scalars.compactMap { Unicode.Scalar($0) }.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }
    return try tokenizer(file(vocab: vocab, merges: "[]", normalizer: normalizer, added: added))
  }

  @Test("added tokens take white space along, keep to whole words, and are found in normalised text, as they say")
  func added() throws {
    let tokenizer = try Self.allBytes(
      normalizer: #"{"type": "Lowercase"}"#,
      added: """
        [{"id": 300, "content": "<m>", "special": true, "lstrip": true, "rstrip": false, "normalized": false},
         {"id": 301, "content": "foo", "special": false, "single_word": true, "normalized": false},
         {"id": 302, "content": "Bar", "special": false, "rstrip": true, "normalized": true}]
        """)
    func added(_ text: String, parse: Bool = true) -> [Int] {
      tokenizer.encode(text, parseSpecialTokens: parse).filter { $0 >= 256 }
    }
    #expect(tokenizer.decode(tokenizer.encode("a  <m> b")) == "a<m> b")
    #expect(added("a <m> b") == [300])
    #expect(added("a <m> b", parse: false) == [])
    #expect(added("foo foox xfoo foo_ (foo)") == [301, 301])
    #expect(added("BAR bar") == [302, 302])
    #expect(tokenizer.encode("BAR  x").count == 2)
    #expect(tokenizer.count == 303)
    #expect(tokenizer.piece(of: 300) == "<m>")
  }

  @Test("a template puts marks around a text")
  func template() throws {
    let template = """
      {"type": "TemplateProcessing",
       "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                  {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [],
       "special_tokens": {"<s>": {"id": "<s>", "ids": [7], "tokens": ["<s>"]},
                          "</s>": {"id": "</s>", "ids": [8], "tokens": ["</s>"]}}}
      """
    let added = #"[{"id": 7, "content": "<s>", "special": true}, {"id": 8, "content": "</s>", "special": true}]"#
    let tokenizer = try Self.tokenizer(Self.file(postProcessor: template, added: added))
    #expect(tokenizer.encode("ab") == [7, 4, 8])
    #expect(tokenizer.encode("") == [7, 8])
    #expect(tokenizer.encode("ab", addSpecialTokens: false) == [4])
    #expect(tokenizer.beginningOfText == 7)
    #expect(tokenizer.endOfText == [8])
  }

  @Test(
    "what is not built is named, what is broken is said",
    arguments: [
      (
        file(normalizer: #"{"type": "Nmt"}"#), "the normalizer asks for 'Nmt', which is not built here"
      ),
      (file(preTokenizer: #"{"type": "UnicodeScripts"}"#), "the pre-tokenizer asks for 'UnicodeScripts'"),
      (file(decoder: #"{"type": "WordPiece"}"#), "the decoder asks for 'WordPiece'"),
      (file(postProcessor: #"{"type": "New"}"#), "the post-processor asks for 'New'"),
      (file(model: #""end_of_word_suffix": "</w>","#), "the model's end_of_word_suffix asks for '</w>'"),
      (file(merges: #"["a z"]"#), "merge 0, 'a z', has or makes a piece without an id"),
      (file(merges: #"["a c"]"#), "merge 0, 'a c', has or makes a piece without an id"),
      (file(merges: #"["a b", 5]"#), "merge 1 is an integer and not two pieces"),
      (file(merges: "{}"), "the model has no array 'merges'"),
      (file(model: #""unk_token": "<unk>","#), "the unknown piece '<unk>' is not in the vocabulary"),
      (file(vocab: ["a", "a"], merges: "[]"), "the key 'a' appears twice"),
      (file(added: #"[{"id": -1, "content": "x"}]"#), "a piece has the id -1; ids go from 0 to 262143"),
      (file(added: #"[{"id": 99999999999, "content": "x"}]"#), "a piece has the id 99999999999"),
      (file(added: #"[{"content": "x"}]"#), "an entry of 'added_tokens' has no 'id' and 'content'"),
      (
        file(preTokenizer: #"{"type": "Split", "pattern": {"Regex": "x(?=y)"}, "behavior": "Isolated"}"#),
        "no splitter follows the pattern 'x(?=y)'"
      ),
      (#"{"model": {"type": "WordHeap", "vocab": {}}}"#, "the model asks for 'WordHeap'"),
      (#"{"model": {"type": "BPE"}}"#, "the model has no object 'vocab'"),
      (#"{"model": {"type": "BPE", "vocab": {"a": "b"}, "merges": []}}"#, "the piece 'a' has a string for its id"),
      (#"{"other": []}"#, "the JSON is neither a tokenizer nor an object of pieces and ids"),
    ])
  func refused(_ content: String, _ sentence: String) throws {
    let message = try #require(problem { _ = try Self.tokenizer(content) })
    #expect(message.contains(sentence), "\(message)")
  }
}
