import SharedData
import Testing
import Tokenization

@Suite("Text to ids and back")
struct RoundTripTests {
  @Test(
    "every corpus comes back byte for byte, from every vocabulary", .needs("tokenizers", "llama", "corpora"),
    arguments: VocabularyFile.all.filter(\.keepsText))
  func corpora(_ file: VocabularyFile) throws {
    let tokenizer = try file.tokenizer()
    for name in ["botchan.txt", "names.txt", "tinyshakespeare.txt", "wikitext-2.valid.tokens.txt"] {
      let text = try TestData.text("corpora/" + name)
      let ids = tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false)
      #expect(ids.allSatisfy { $0 >= 0 && $0 < tokenizer.count })
      #expect(tokenizer.decode(ids).utf8.elementsEqual(text.utf8), "\(name)")
    }
  }

  // Made by tiktoken 0.14.0 with the pattern of the vocabulary's name: len(encoding.encode_ordinary(text)); for gpt2
  // and llama2 by tokenizers 0.23.3 and sentencepiece 0.2.3.
  @Test(
    "tiny Shakespeare has as many ids as other libraries give it", .needs("tokenizers", "corpora"),
    arguments: [
      ("gpt2", nil, 338_025), ("tiktoken/cl100k_base.tiktoken", nil, 301_829),
      ("tiktoken/o200k_base.tiktoken", nil, 297_606),
      ("llama3-tiktoken/tokenizer.model", "llama-bpe", 301_768), ("llama2-spm/tokenizer.model", nil, 368_633),
    ] as [(String, String?, Int)])
  func counts(_ name: String, _ splitting: String?, _ count: Int) throws {
    let tokenizer = try TestData.tokenizer("tokenizers/" + name, splitting: splitting)
    #expect(tokenizer.encode(try TestData.text("corpora/tinyshakespeare.txt"), addSpecialTokens: false).count == count)
  }

  @Test(
    "a vocabulary read from several kinds of files gives the same ids",
    .needs("tokenizers", "corpora", "llama/stories260K"))
  func sameVocabulary() throws {
    let text = try TestData.text("corpora/botchan.txt")
    for names in [
      ["gpt2", "hf-json/gpt2_tokenizer.json", "ggml-vocab/ggml-vocab-gpt-2.gguf"],
      [
        "llama2-spm/tokenizer.model", "llama2-spm/tokenizer.bin", "ggml-vocab/ggml-vocab-llama-spm.gguf",
        "hf-json/llama_tokenizer.json",
      ],
      [
        "../llama/stories260K/tokenizer.model", "../llama/stories260K/tok512.bin",
        "../llama/stories260K/stories260K.gguf",
      ],
    ] {
      let ids = try names.map { try TestData.tokenizer("tokenizers/" + $0).encode(text, parseSpecialTokens: false) }
      #expect(Set(ids).count == 1 && ids[0].count > text.count / 8, "\(names): \(ids.map(\.count)) ids")
    }
  }

  @Test("encoding twice, and on many threads, gives the same ids", .needs("tokenizers/gpt2", "corpora"))
  func threads() async throws {
    let tokenizer = try TestData.tokenizer("tokenizers/gpt2")
    let text = try TestData.text("corpora/tinyshakespeare.txt")
    let ids = tokenizer.encode(text)
    #expect(tokenizer.encode(text) == ids)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 { group.addTask { tokenizer.encode(text) == ids } }
      for await same in group { #expect(same) }
    }
  }
}
