import ArgumentParser
import Files
import Foundation
import Models
import Tokenization

/// `chimera tokenize`: text to ids and back.
struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn text into token ids, or ids into text.",
    discussion: """
      The tokenizer is a model's, or any tokenizer file: tokenizer.json, tokenizer.model, *.tiktoken, vocab.json with
      merges.txt, GGUF. Without TEXT, standard input is read.

        chimera tokenize stories260K "Once upon a time"
        chimera tokenize tokenizer.json --decode 15496,995
      """)

  @Argument(help: "A model, or a tokenizer file or folder.") var model: String
  @Argument(help: "The text.") var text: String?
  @Option(help: "Ids to turn into text: 1,2,3.") var decode: String?
  @Flag(help: "Leave out the tokens that mark the beginning and the end.") var plain = false
  @Flag(help: "Write a JSON document with the pieces.") var json = false

  func run() throws {
    let tokenizer = try find()
    if let decode {
      let ids = try TokenList.ids(decode)
      if let id = ids.first(where: { $0 >= tokenizer.count }) {
        throw Failure(.usage, "token \(id) is outside the vocabulary of \(tokenizer.count)")
      }
      Console.write(tokenizer.decode(ids) + "\n")
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
    let data = try FileHandle.standardInput.readToEnd() ?? Data()
    guard let text = String(data: data, encoding: .utf8) else { throw Failure(.invalid, "standard input is not UTF-8") }
    return text
  }

  private func find() throws -> Tokenizer {
    let models = try Zoo().models
    do {
      if let tokenizer = try models.tokenizer(of: model) { return tokenizer }
      throw Failure(.notFound, "'\(model)' has no tokenizer on this machine")
    } catch let problem as ModelProblem {
      guard kind(ofPath: model) != .nothing else { throw problem }
      return try Tokenizer.load(from: model)
    }
  }
}
