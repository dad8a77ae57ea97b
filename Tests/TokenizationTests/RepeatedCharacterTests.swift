import SharedData
import Testing
import Tokenization

@Suite("A mebibyte of one character", .serialized)
struct RepeatedCharacterTests {
  static let characters = ["a", " ", "\n", "^", "1", "中", "\u{301}", "😀", "e\u{301}", " \n", "▁"]

  /// One vocabulary of each kind.
  static let kinds = [
    "gpt2", "hf-json/falcon_tokenizer.json", "hf-json/llama_tokenizer.json", "hf-json/anthropic_tokenizer.json",
    "llama2-spm/tokenizer.model", "openllama-spm/tokenizer.model", "llama3-tiktoken/tokenizer.model",
    "tiktoken/cl100k_base.tiktoken", "tiktoken/o200k_base.tiktoken", "qwen-tiktoken/qwen.tiktoken",
    "ggml-vocab/ggml-vocab-deepseek-coder.gguf", "ggml-vocab/ggml-vocab-starcoder.gguf",
  ]

  @Test(
    "is encoded in linear time, and comes back", .needs("tokenizers"),
    arguments: VocabularyFile.all.filter { kinds.contains($0.name) }
  )
  func time(_ file: VocabularyFile) throws {
    let tokenizer = try file.tokenizer()
    for character in Self.characters {
      let text = String(repeating: character, count: (1 << 20) / character.utf8.count)
      var ids: [Int] = []
      // Measured 0.01 to 0.5 s on two shared cores of an EPYC; a quadratic merge takes minutes.
      #expect(
        endsSoon { ids = tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false) },
        "\(character.debugDescription)")
      // Where ▁ spells a space, the two cannot be told apart.
      if file.keepsText, character != "▁" { #expect(tokenizer.decode(ids).utf8.elementsEqual(text.utf8)) }
    }
  }

  @Test("is split by likelihood in linear time")
  func unigram() throws {
    let tokenizer = try TemporaryFolder.load("small.model", smallModel)
    for character in Self.characters {
      let text = String(repeating: character, count: (1 << 20) / character.utf8.count)
      #expect(endsSoon { _ = tokenizer.encode(text) }, "\(character.debugDescription)")
    }
  }

  @Test("is merged as a short run is: the ids of 4096 letters repeat in a longer run", .needs("tokenizers/gpt2"))
  func sameMerges() throws {
    let tokenizer = try TestData.tokenizer("tokenizers/gpt2")
    for character in ["a", "^", "="] {
      let short = tokenizer.encode(String(repeating: character, count: 4096))
      let long = tokenizer.encode(String(repeating: character, count: 65536))
      #expect(long.count == 16 * short.count)
      #expect(Set(long) == Set(short))
    }
  }
}
