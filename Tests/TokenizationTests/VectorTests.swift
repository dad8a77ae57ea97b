import Foundation
import SharedData
import Testing
import Tokenization

@Suite("Published token ids")
struct VectorTests {
  // The files of ggml-org/llama.cpp `models/ggml-vocab-*.gguf.inp` and `.out`: 47 texts each, without marks.
  @Test(
    "every text of llama.cpp's vocabulary tests has its ids", .needs("tokenizers"),
    arguments: ["gpt-2", "llama-spm", "llama-bpe", "falcon", "starcoder", "deepseek-coder"])
  func ggml(_ kind: String) throws {
    let name = "tokenizers/ggml-vocab/ggml-vocab-\(kind).gguf"
    let tokenizer = try TestData.tokenizer(name)
    let separator = "\n__ggml_vocab_test__\n"
    let texts = try TestData.text(name + ".inp").components(separatedBy: separator)
    let lines = try TestData.text(name + ".out").components(separatedBy: "\n")
    #expect(texts.count == 47)
    for (text, line) in zip(texts, lines) {
      let ids = line.split(separator: " ").compactMap { Int($0) }
      #expect(
        tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false) == ids, "\(text.debugDescription)")
      #expect(tokenizer.decode(ids).utf8.elementsEqual(text.utf8), "\(text.debugDescription)")
    }
  }

  @Test("every case of transformers.js's tests has its ids and its decoded text", .needs("tokenizers"))
  func transformersJS() throws {
    let path = try SharedData.path("tokenizers/vectors/transformersjs_vectors_a.json")
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
    let files = try #require(root["_tokenizer_files"] as? [String: String])
    let cases = try #require(root["cases"] as? [String: [String: [String: Any]]])
    // Rank files say nothing of splitting; these names come from the models' own tokenizer.json.
    let splittings = ["llama3-tiktoken/tokenizer.model": "dbrx", "qwen-tiktoken/qwen.tiktoken": "qwen2"]
    var checked = 0
    for (name, group) in cases {
      guard let file = files[name]?.split(separator: " ").first.map(String.init), SharedData.has("tokenizers/" + file)
      else { continue }
      let tokenizer = try TestData.tokenizer("tokenizers/" + file, splitting: splittings[file])
      for (label, item) in group {
        guard let text = item["text"] as? String, let ids = item["ids"] as? [Int] else { continue }
        #expect(tokenizer.encode(text) == ids, "\(name) \(label)")
        checked += 1
        guard let decoded = item["decoded"] as? String else { continue }
        // Some of these configurations clean up spaces before punctuation, which decoding here never does.
        let ours = tokenizer.decode(ids)
        #expect(
          ours.utf8.elementsEqual(decoded.utf8) || Self.cleanedUp(ours) == Self.cleanedUp(decoded), "\(name) \(label)")
      }
    }
    #expect(checked == 104)
  }

  @Test(
    "the article of swift-transformers' tests has its ids", .needs("tokenizers"),
    arguments: ["gpt2_encoded_tokens", "llama_encoded"])
  func swiftTransformers(_ name: String) throws {
    let file = name.hasPrefix("gpt2") ? "gpt2" : "llama"
    let path = try SharedData.path("tokenizers/vectors/swift-transformers_\(name).json")
    let tokenizer = try TestData.tokenizer("tokenizers/hf-json/\(file)_tokenizer.json")
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
    let ids = try #require(root["token_ids"] as? [Int])
    #expect(tokenizer.encode(try #require(root["text"] as? String)) == ids)
    #expect(tokenizer.decode(ids) == root["decoded_text"] as? String)
  }

  // The replacements of `clean_up_tokenization` in huggingface/transformers.
  private static func cleanedUp(_ text: String) -> String {
    var text = text
    for mark in [".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"] {
      text = text.replacingOccurrences(of: " " + mark, with: mark)
    }
    return text.replacingOccurrences(of: " ' ", with: "'")
  }
}
