import Foundation
import SharedData
import Testing
import Tokenization

@Suite("Tokenizers from files")
struct LoadingTests {
  @Test("a file that is no vocabulary says what is missing")
  func missing() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    #expect(
      problem { _ = try Tokenizer.load(from: folder.path + "/nowhere") }
        == "\(folder.path)/nowhere: error: no such file or folder")
    #expect(
      problem { _ = try Tokenizer.load(from: folder.path) }
        == """
        \(folder.path): error: the folder has no vocabulary: \
        no tokenizer.json, tokenizer.model, vocab.json or encoder.json
        """)
    let text = try folder.write("readme.txt", "This is not a vocabulary.\n")
    #expect(problem { _ = try Tokenizer.load(from: text) }?.contains("not a vocabulary of a known kind") == true)
    let gguf = try folder.write("model.gguf", "GGUF....")
    #expect(problem { _ = try Tokenizer.load(from: gguf) }?.contains("GGUF; open the file as a model") == true)
    let ranks = try folder.write("x.tiktoken", "YQ== 0\n")
    #expect(problem { _ = try Tokenizer.load(from: ranks) }?.contains("name it, as one of gpt-2, llama-bpe") == true)
    let empty = try folder.write("empty", "")
    #expect(problem { _ = try Tokenizer.load(from: empty) } != nil)
    let pieces = try folder.write("vocab.json", #"{"ab": 0, "c": 1}"#)
    #expect(problem { _ = try Tokenizer.load(from: pieces) }?.contains("neither merges.txt nor vocab.bpe") == true)
  }

  @Test("vocab.json with merges.txt, with the marks of the small files beside them")
  func piecesAndMerges() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.write("vocab.json", #"{"a": 0, "b": 1, "ab": 2, "Ġ": 3, "Ġab": 4, "<|endoftext|>": 5, "<start>": 6}"#)
    try folder.write("merges.txt", "#version: 0.2\na b\nĠ ab\n")
    try folder.write("tokenizer_config.json", #"{"bos_token": {"content": "<start>"}, "add_bos_token": true}"#)
    try folder.write("generation_config.json", #"{"eos_token_id": [5, 2]}"#)
    try folder.write("added_tokens.json", #"{"<start>": 6}"#)
    let tokenizer = try Tokenizer.load(from: folder.path)
    #expect(tokenizer.encode("ab ab") == [6, 2, 4])
    #expect(tokenizer.encode("ab<|endoftext|>", addSpecialTokens: false) == [2, 5])
    #expect(tokenizer.beginningOfText == 6)
    #expect(tokenizer.addsBeginningOfText)
    #expect(tokenizer.endOfText == [5, 2])
    #expect(tokenizer.specialTokens == ["<|endoftext|>": 5, "<start>": 6])
    #expect(tokenizer.piece(of: 4) == "Ġab")
    #expect(tokenizer.id(of: "Ġab") == 4)
    #expect(tokenizer.bytes(of: 4) == Array(" ab".utf8))
    #expect(tokenizer.id(of: "nothing") == nil)
    #expect(tokenizer.piece(of: 7) == nil)
    #expect(tokenizer.bytes(of: -1) == nil)
    #expect(tokenizer.count == 7)
    #expect(tokenizer.decode([6, 2, 5], skipSpecialTokens: true) == "ab")

    try folder.write("merges.txt", "a b\nĠ nothing\n")
    #expect(
      problem { _ = try Tokenizer.load(from: folder.path) }
        == """
        \(folder.path)/merges.txt: error: line 2, 'Ġ nothing', is not a merge of two pieces of the vocabulary
        """)
  }

  @Test("the marks of the test data's vocabularies", .needs("tokenizers", "llama"))
  func marks() throws {
    func check(_ name: String, _ beginning: Int?, _ end: Set<Int>, adds: Bool) throws {
      let tokenizer = try TestData.tokenizer(name)
      #expect(tokenizer.beginningOfText == beginning, "\(name)")
      #expect(tokenizer.endOfText == end, "\(name)")
      #expect(tokenizer.addsBeginningOfText == adds, "\(name)")
    }
    try check("tokenizers/gpt2", 50256, [50256], adds: false)
    try check("tokenizers/hf-json/llama_tokenizer.json", 1, [2], adds: true)
    try check("tokenizers/llama2-spm/tokenizer.model", 1, [2], adds: true)
    try check("tokenizers/ggml-vocab/ggml-vocab-llama-spm.gguf", 1, [2], adds: true)
    // <|end_of_text|> and the end of a turn, <|eot_id|>.
    try check("tokenizers/ggml-vocab/ggml-vocab-llama-bpe.gguf", 128_000, [128_001, 128_009], adds: true)
    try check("llama/stories260K", 1, [2], adds: true)
    // <|im_end|> and <|endoftext|>; add_bos_token is false.
    try check("llama/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf", 1, [2, 0], adds: false)
  }

  @Test("marks in a text are found when asked for, and are plain text otherwise", .needs(SharedData.smolLM2))
  func marksInText() throws {
    let tokenizer = try TestData.tokenizer(SharedData.smolLM2)
    let text = "<|im_start|>user\nHi<|im_end|>\n"
    let ids = tokenizer.encode(text)
    #expect(ids.first == 1)
    #expect(ids.filter { $0 == 2 }.count == 1)
    #expect(!tokenizer.encode(text, parseSpecialTokens: false).contains { $0 < 17 })
    #expect(tokenizer.decode(ids) == text)
    #expect(tokenizer.decode(ids, skipSpecialTokens: true) == "user\nHi\n")
  }

  // Loading a vocabulary of 128,000 pieces took 95 ms when this was written, on two shared cores; 150 ms is the aim.
  @Test("a large vocabulary is there in a moment", .needs("tokenizers"))
  func speed() throws {
    let path = try SharedData.path("tokenizers/ggml-vocab/ggml-vocab-llama-bpe.gguf")
    let table = try GGUFVocabulary.table(path)
    #expect(try endsSoon { _ = try Tokenizer(table) })
  }
}
