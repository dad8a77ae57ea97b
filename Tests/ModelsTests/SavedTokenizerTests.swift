import Checkpoints
import Files
import Foundation
import Models
import SharedData
import TestSupport
import Testing
import Tokenization

/// Vocabularies of GGUF files as the files of a Hugging Face folder.
@Suite struct SavedTokenizerTests {
  private static let files =
    (try? FileManager.default.contentsOfDirectory(atPath: SharedData.folder + "/tokenizers/ggml-vocab"))?
    .filter { $0.hasSuffix(".gguf") }.sorted().map { "tokenizers/ggml-vocab/" + $0 } ?? []
  private static let texts = [
    "Hello, world! It's 2026; they've 1234567 things.", "  two spaces, a tab\tand\n\nlines\r\n", "naïve café Ünïcödé ﬁ",
    "こんにちは世界 你好，世界 привет мир", "🚀🦄 emoji ✈️ family 👨‍👩‍👧‍👦", "a", " ", "", "x = [i**2 for i in range(10)]",
    "l'été ▁bar ▁▁ <s> </s> <|endoftext|>", "don't DON'T I'LL", "\u{0}\u{1}\u{7f}", "…—“quoted” ‘text’",
  ]

  private func written(_ table: VocabularyTable, chatTemplate: String?, to folder: String) throws {
    let files = try #require(table.huggingFaceFiles(chatTemplate: chatTemplate))
    for (name, content) in files { try writeAtomically(content.serialized(), to: folder + "/" + name) }
  }

  @Test("give the same ids and texts", .needs("tokenizers/ggml-vocab"), arguments: files)
  func same(_ name: String) throws {
    let path = try SharedData.path(name)
    let table = try #require(VocabularyTable(GGUFFile(path: path)))
    let original = try Tokenizer(table)
    try SmallModels.inFolder { folder in
      try written(table, chatTemplate: nil, to: folder)
      let saved = try Tokenizer.load(from: folder)
      #expect(saved.beginningOfText == original.beginningOfText)
      #expect(saved.addsBeginningOfText == original.addsBeginningOfText)
      var texts = Self.texts
      if let inputs = try? String(contentsOfFile: path + ".inp", encoding: .utf8) {
        texts += inputs.components(separatedBy: "\n__ggml_vocab_test__\n")
      }
      for text in texts {
        let ids = original.encode(text)
        #expect(saved.encode(text) == ids, "\(text)")
        // Hugging Face's decoder takes a mark such as "ö" for a byte of that number, in the original's file too.
        let decoded = saved.decode(ids)
        #expect(decoded == original.decode(ids) || decoded.contains("\u{FFFD}"), "\(text)")
      }
    }
  }

  @Test("carry the chat template, the marks, and pieces with scores as merges")
  func small() throws {
    let pieces = ["<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁ab", "ba", "<0x0A>", "<0x78>"]
    var table = VocabularyTable(path: "small", model: "llama", pieces: TextList(pieces))
    table.scores = [0, 0, 0, -8, -9, -10, -1, -2, -3, 0, 0]
    table.kinds = [2, 3, 3, 1, 1, 1, 1, 1, 1, 6, 6]
    table.beginningOfText = 1
    table.endOfText = [2]
    let original = try Tokenizer(table)
    try SmallModels.inFolder { folder in
      try written(table, chatTemplate: "{{ messages }}", to: folder)
      let config = try JSONValue(contentsOf: folder + "/tokenizer_config.json")
      #expect(config["chat_template"] == "{{ messages }}" && config["eos_token"] == "</s>")
      let saved = try Tokenizer.load(from: folder)
      #expect(saved.endOfText == [2])
      for text in ["ab", "abab", "ba ab", "x\n", "aabba", " a"] {
        #expect(saved.encode(text) == original.encode(text), "\(text)")
      }
    }
  }
}
