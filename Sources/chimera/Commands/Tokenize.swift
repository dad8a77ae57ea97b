import ArgumentParser
import Files
import Foundation
import Models
import Tokenization

/// `chimera tokenize`: text to ids and back.
struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert text to token ids, or ids to text.",
    discussion: """
      The tokenizer is that of a model, or any tokenizer file: tokenizer.json, tokenizer.model, *.tiktoken, vocab.json with \
      merges.txt, GGUF. Without TEXT, standard input is read.

        chimera tokenize story-llama "Once upon a time"
        chimera tokenize tokenizer.json --decode 15496,995
      """)

  @Argument(help: "A model, or a tokenizer file or folder.") var model: String
  @Argument(help: "The text.") var text: String?
  @Option(parsing: .unconditional, help: "Token ids to convert to text: 1,2,3.") var decode: String?
  @Flag(help: "Leave out beginning-of-text and end-of-text tokens.") var plain = false
  @Flag(help: "Write a JSON document with the pieces.") var json = false

  func validate() throws {
    if text != nil, decode != nil { throw ValidationError("a text and --decode exclude each other") }
  }

  func run() throws {
    let tokenizer = try find()
    if let decode {
      let ids = try TokenList.ids(decode, of: "--decode")
      if let id = ids.first(where: { $0 >= tokenizer.count }) {
        throw Failure(.usage, "token \(id) is outside the vocabulary of \(tokenizer.count)")
      }
      if json {
        var document = JSONObject()
        document["ids"] = .array(ids.map { .integer($0) })
        document["text"] = .string(tokenizer.decode(ids))
        Console.write(JSONValue.object(document).serialized(pretty: false) + "\n")
      } else {
        Console.write(generated: tokenizer.decode(ids) + "\n")
      }
      return
    }
    let input = try text ?? standardInput()
    try tokenizer.requireEncodable(input)
    let ids = tokenizer.encode(input, addSpecialTokens: !plain)
    if json {
      var document = JSONObject()
      document["ids"] = .array(ids.map { .integer($0) })
      document["pieces"] = .array(ids.map { .string(tokenizer.piece(of: $0) ?? "") })
      Console.write(JSONValue.object(document).serialized(pretty: false) + "\n")
    } else {
      Console.write(ids.map(String.init).joined(separator: " ") + "\n")
    }
  }

  private func standardInput() throws -> String {
    let data: Data
    do { data = try FileHandle.standardInput.readToEnd() ?? Data() } catch {
      throw Failure(.failed, "there is no text: give one, or pass it on standard input")
    }
    guard let text = String(data: data, encoding: .utf8) else { throw Failure(.invalid, "standard input is not UTF-8") }
    return text
  }

  private func find() throws -> Tokenizer {
    // A tokenizer's own file is not a model: JSON would else be read as a spec.
    let isModel = [".yaml", ".yml", ".safetensors"].contains { model.hasSuffix($0) }
    if kind(ofPath: model) == .file, !isModel, !model.hasSuffix(".gguf") { return try Tokenizer.load(from: model) }
    do {
      // A GGUF file may hold a vocabulary and no model.
      let tokenizer =
        try kind(ofPath: model) == .file && model.hasSuffix(".gguf")
        ? ModelLoader.tokenizer(inGGUF: model) : Zoo().models.tokenizer(of: model)
      if let tokenizer { return tokenizer }
      throw Failure(.notFound, "'\(model)' has no tokenizer on this machine")
    } catch let problem as ModelProblem {
      guard kind(ofPath: model) == .folder else { throw problem }
      return try Tokenizer.load(from: model)
    }
  }
}
