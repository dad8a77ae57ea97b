import Foundation
import SharedData
import Testing
import Tokenization

/// The shared test data, which stands beside the package and not in it.
enum TestData {
  static func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: SharedData.path(name))), as: UTF8.self)
  }

  /// A vocabulary of the test data: a GGUF file's table or whatever `load` reads.
  static func tokenizer(_ name: String, splitting: String? = nil) throws -> Tokenizer {
    let path = try SharedData.path(name)
    if path.hasSuffix(".gguf") { return try Tokenizer(GGUFVocabulary.table(path)) }
    return try Tokenizer.load(from: path, splitting: splitting)
  }
}

/// A vocabulary file of the test data with the way of splitting it needs.
struct VocabularyFile: Sendable, CustomTestStringConvertible {
  let name: String
  var splitting: String?
  /// Whether text comes back as it was: not where normalisation changes it.
  var keepsText = true
  var testDescription: String { name }

  func tokenizer() throws -> Tokenizer { try TestData.tokenizer("tokenizers/" + name, splitting: splitting) }

  static let all = [
    VocabularyFile(name: "gpt2"),
    VocabularyFile(name: "hf-json/gpt2_tokenizer.json"),
    VocabularyFile(name: "hf-json/falcon_tokenizer.json"),
    VocabularyFile(name: "hf-json/llama_tokenizer.json"),
    VocabularyFile(name: "hf-json/anthropic_tokenizer.json", keepsText: false),
    VocabularyFile(name: "llama2-spm/tokenizer.model"),
    VocabularyFile(name: "llama2-spm/tokenizer.bin"),
    VocabularyFile(name: "openllama-spm/tokenizer.model", keepsText: false),
    VocabularyFile(name: "mistral-spm/tokenizer.model.v1"),
    VocabularyFile(name: "mistral-spm/mistral_instruct_tokenizer_240323.model.v3"),
    VocabularyFile(name: "llama3-tiktoken/tokenizer.model", splitting: "llama-bpe"),
    VocabularyFile(name: "tiktoken/cl100k_base.tiktoken"),
    VocabularyFile(name: "tiktoken/o200k_base.tiktoken"),
    VocabularyFile(name: "tiktoken/o200k_base.tiktoken", splitting: "tekken"),
    VocabularyFile(name: "qwen-tiktoken/qwen.tiktoken", splitting: "qwen2", keepsText: false),
    VocabularyFile(name: "ggml-vocab/ggml-vocab-gpt-2.gguf"),
    VocabularyFile(name: "ggml-vocab/ggml-vocab-llama-spm.gguf"),
    VocabularyFile(name: "ggml-vocab/ggml-vocab-llama-bpe.gguf"),
    VocabularyFile(name: "ggml-vocab/ggml-vocab-falcon.gguf"),
    VocabularyFile(name: "ggml-vocab/ggml-vocab-starcoder.gguf"),
    VocabularyFile(name: "ggml-vocab/ggml-vocab-deepseek-coder.gguf"),
    VocabularyFile(name: "../llama/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"),
    VocabularyFile(name: "../llama/stories260K"),
  ]
}

/// A folder for one test, which removes it at its end.
struct TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("tokenization-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// A tokenizer from one file of this content.
  static func load(
    _ name: String, _ content: [UInt8], splitting: String? = nil, specialTokens: [String: Int] = [:]
  ) throws -> Tokenizer {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    return try Tokenizer.load(from: folder.write(name, content), splitting: splitting, specialTokens: specialTokens)
  }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ content: String) throws -> String { try write(name, Array(content.utf8)) }

  @discardableResult
  func write(_ name: String, _ content: [UInt8]) throws -> String {
    let file = path + "/" + name
    try Data(content).write(to: URL(fileURLWithPath: file))
    return file
  }
}

/// The message of the problem that `body` throws.
func problem(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}
