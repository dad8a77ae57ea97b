import SharedData
import Testing
import Tokenization

@Suite("Tokens as they are shown") struct ShownTokenTests {
  static let vocabularies = [
    "tokenizers/hf-json/gpt2_tokenizer.json", "tokenizers/hf-json/llama_tokenizer.json",
    "tokenizers/llama2-spm/tokenizer.model",
    "tokenizers/mistral-spm/tokenizer.model.v1", "tokenizers/openllama-spm/tokenizer.model",
    "tokenizers/hf-json/falcon_tokenizer.json", "tokenizers/hf-json/anthropic_tokenizer.json",
  ].filter(SharedData.has)

  @Test(
    "decoding is the bytes of the first token, then those of the others, with a space behind each word that has ended",
    .enabled(if: !vocabularies.isEmpty), arguments: vocabularies)
  func decoding(name: String) throws {
    try check(try Tokenizer.load(from: SharedData.path(name)))
  }

  @Test("so it is for bytes, each a token")
  func ofBytes() throws { try check(try Tokenizer.ofBytes()) }

  @Test(
    "and so for a unigram model, for words of WordPiece and for GPT-1's ends of words",
    arguments: [
      ("small.model", smallModel),
      (
        "tokenizer.json",
        Array(
          ###"{"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "vocab": {"[UNK]": 0, "play": 1, "##ing": 2, "!": 3, "un": 4}}, "normalizer": null, "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": false}, "added_tokens": [{"id": 0, "content": "[UNK]", "special": true}]}"###
            .utf8)
      ),
      (
        "tokenizer.json",
        Array(
          #"{"model": {"type": "BPE", "unk_token": "<unk>", "end_of_word_suffix": "</w>", "vocab": {"<unk>": 0, "a": 1, "b": 2, "a</w>": 3, "b</w>": 4, "ab</w>": 5}, "merges": ["a b</w>"]}, "normalizer": null, "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "BPEDecoder", "suffix": "</w>"}, "added_tokens": [{"id": 0, "content": "<unk>", "special": true}]}"#
            .utf8)
      ),
    ] as [(String, [UInt8])])
  func otherKinds(name: String, content: [UInt8]) throws {
    try check(try TemporaryFolder.load(name, content), atLeast: 4)
  }

  private func check(_ tokenizer: Tokenizer, atLeast count: Int = 200) throws {
    let shown = tokenizer.shownTokens
    #expect(shown.count >= count)
    var state: UInt64 = 5
    for _ in 0..<400 {
      var ids: [Int] = []
      var expected: [UInt8] = []
      var owesSpace = false
      for place in 0..<6 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let token = shown[Int(state >> 33) % shown.count]
        // A first token of which nothing is shown leaves the next at the beginning; grammars never choose it.
        if place == 0, token.firstBytes.isEmpty { break }
        ids.append(token.id)
        expected += place == 0 ? token.firstBytes : (owesSpace ? [0x20] : []) + token.bytes
        owesSpace = token.endsWord
      }
      #expect(tokenizer.decode(ids) == String(decoding: expected, as: UTF8.self))
    }
    for token in shown { #expect(!tokenizer.isSpecial(token.id)) }
  }
}
