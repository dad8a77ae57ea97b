import ArgumentParser
import Essentials
import Files
import Models
import Tokenization

/// `chimera tokenize`: text to ids and back.
struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Convert text to token ids, or ids to text.",
    discussion: """
      The tokenizer is that of a model, or any tokenizer file: tokenizer.json, tokenizer.model, *.tiktoken, vocab.json with \
      merges.txt, GGUF. Without TEXT, standard input is read.

        chimera tokenize story-llama "Once upon a time"
        chimera tokenize tokenizer.json --decode 15496,995
        chimera tokenize tokenizer.json --lines texts.jsonl --json
        chimera tokenize model.gguf --chat "Hi" --json
      """)

  @Argument(help: "A model, or a tokenizer file or folder.") var model: String
  @Argument(help: "The text.") var text: String?
  @Option(parsing: .unconditional, help: "Token ids to convert to text: 1,2,3.") var decode: String?
  @Option(help: "Convert each line of this file: a text, a JSON string, or a JSON list of ids.") var lines: String?
  @OptionGroup var conversation: ChatOptions
  @Flag(help: "Leave out beginning-of-text and end-of-text tokens.") var plain = false
  @Flag(help: "Write a JSON document with the pieces.") var json = false
  @Flag(help: "Fetch a model that is published and not here, without asking.") var yes = false

  func validate() throws {
    if text != nil, decode != nil { throw ValidationError("a text and --decode exclude each other") }
    var mistakes = Mistakes()
    conversation.check(&mistakes, hasPrompt: text != nil)
    mistakes.note("--plain is for a text; a chat template writes all marks itself", if: conversation.isWanted && plain)
    mistakes.note(
      "a conversation, --decode and --lines exclude each other",
      if: conversation.isWanted && (decode != nil || lines != nil))
    try mistakes.check()
    if lines != nil, text != nil || decode != nil { throw ValidationError("--lines stands in place of a text") }
  }

  func run() throws {
    let (tokenizer, template) = try find()
    if conversation.isWanted {
      guard let template = try template() else {
        throw Failure(.failed, "'\(model)' has no chat template")
      }
      let chat = try ChatPrompt(try conversation.conversation(text), template, tokenizer)
      return write(chat.ids, text: chat.text, tokenizer)
    }
    if let lines {
      for (place, line) in try LineFile(path: lines, readsLists: true).lines {
        if case .json(let value) = line, let list = value.array {
          let ids = list.compactMap(\.integer)
          guard ids.count == list.count, ids.allSatisfy({ $0 >= 0 }) else {
            throw Failure(.invalid, "\(place): a list on a line holds ids")
          }
          try write(textOf: ids, of: place, tokenizer)
        } else {
          guard let text = line.text else { throw Failure(.invalid, "\(place): a line is a text or a list of ids") }
          try write(idsOf: text, tokenizer)
        }
      }
    } else if let decode {
      try write(textOf: try TokenList.ids(decode, of: "--decode"), of: nil, tokenizer)
    } else {
      try write(idsOf: try text ?? StandardInput.text(), tokenizer)
    }
  }

  private func write(textOf ids: [Int], of place: String?, _ tokenizer: Tokenizer) throws {
    if let id = ids.first(where: { $0 >= tokenizer.count }) {
      throw Failure(
        place == nil ? .usage : .invalid,
        "\(place.map { $0 + ": " } ?? "")token \(id) is outside the vocabulary of \(tokenizer.count)")
    }
    if json {
      var document = JSONObject()
      document["ids"] = .array(ids.map { .integer($0) })
      document["text"] = .string(tokenizer.decode(ids))
      Console.write(JSONValue.object(document).serialized(pretty: false) + "\n")
    } else {
      Console.write(generated: tokenizer.decode(ids) + "\n")
    }
  }

  private func write(idsOf input: String, _ tokenizer: Tokenizer) throws {
    try tokenizer.requireEncodable(input)
    Console.note(leftOut: tokenizer.leftOut(of: input))
    write(tokenizer.encode(input, addSpecialTokens: !plain), text: nil, tokenizer)
  }

  private func write(_ ids: [Int], text: String?, _ tokenizer: Tokenizer) {
    if json {
      var document = JSONObject()
      document["text"] = text.map { .string($0) }
      document["ids"] = .array(ids.map { .integer($0) })
      document["pieces"] = .array(ids.map { .string(tokenizer.piece(of: $0) ?? "") })
      Console.write(JSONValue.object(document).serialized(pretty: false) + "\n")
    } else {
      Console.write(ids.map(String.init).joined(separator: " ") + "\n")
    }
  }

  /// The tokenizer, and what finds its chat template.
  private func find() throws -> (Tokenizer, chat: () throws -> ChatTemplate?) {
    // A tokenizer's own file is not a model: JSON would else be read as a spec.
    let isModel = [".yaml", ".yml", ".safetensors"].contains { model.hasSuffix($0) }
    if kind(ofPath: model) == .file, !isModel, !model.hasSuffix(".gguf") {
      let tokenizer = try Tokenizer.load(from: model)
      let folder = model.lastIndex(of: "/").map { String(model[..<$0]) } ?? "."
      return (tokenizer, { try ModelLoader.chat(at: folder.isEmpty ? "/" : folder, tokenizer: tokenizer) })
    }
    do {
      // A GGUF file may hold a vocabulary and no model.
      if kind(ofPath: model) == .file, model.hasSuffix(".gguf") {
        if let tokenizer = try ModelLoader.tokenizer(inGGUF: model) {
          return (tokenizer, { try ModelLoader.chat(at: model, tokenizer: tokenizer) })
        }
      } else {
        let models = try Zoo().models
        let described = try models.describe(model)
        if let tokenizer = try models.tokenizer(of: described) {
          return (tokenizer, { try models.chat(of: described, tokenizer: tokenizer) })
        }
      }
      throw Failure(.notFound, "'\(model)' has no tokenizer on this machine")
    } catch let problem as ModelProblem {
      guard kind(ofPath: model) == .folder else { throw problem }
      let tokenizer = try Tokenizer.load(from: model)
      return (tokenizer, { try ModelLoader.chat(at: model, tokenizer: tokenizer) })
    }
  }
}
