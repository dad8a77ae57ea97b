import ArgumentParser
import Files
import Generation
import Models
import Tokenization

/// A conversation on the command line; the options of every command that writes one with a chat template.
struct ChatOptions: ParsableArguments {
  @Flag(help: "Put the prompt into the model's chat template.") var chat = false
  @Option(help: "The system message, with --chat.") var system: String?
  @Option(help: "A conversation to answer: JSON, or a JSON message a line; '-' is standard input.") var messages:
    String?
  @Option(help: "Tools that the model may call: a JSON file with a list of schemas.") var tools: String?
  @Option(help: .init("The name of the chat template, where a model has several.", visibility: .hidden))
  var chatTemplate: String?
  @Flag(help: .init("Do not ask for an answer: the text ends with the last message.", visibility: .hidden))
  var noGenerationPrompt = false

  /// Whether a chat template is used.
  var isWanted: Bool { chat || messages != nil }

  /// Notes what excludes each other; `hasPrompt` says whether a prompt is given.
  func check(_ mistakes: inout Mistakes, hasPrompt: Bool) {
    mistakes.note("--chat needs a question, or --messages", if: chat && !hasPrompt && messages == nil)
    mistakes.note("--messages and a prompt exclude each other", if: messages != nil && hasPrompt)
    mistakes.note("--system goes with --chat", if: system != nil && !isWanted)
    for (name, isGiven) in [
      ("--tools", tools != nil), ("--chat-template", chatTemplate != nil),
      ("--no-generation-prompt", noGenerationPrompt),
    ] { mistakes.note("\(name) goes with --chat or --messages", if: isGiven && !isWanted) }
  }

  /// The conversation that was given: `prompt` as a question, or the messages of the file.
  func conversation(_ prompt: String?) throws -> Conversation {
    var turns = try messages.map { try MessageFile.messages(at: $0) } ?? []
    if let prompt { turns.append(["role": "user", "content": .string(prompt)]) }
    if let system {
      guard turns.first?["role"]?.string != "system" else {
        throw Failure(.usage, "--system and a system message in --messages exclude each other")
      }
      turns.insert(["role": "system", "content": .string(system)], at: 0)
    }
    return Conversation(
      messages: turns, tools: try tools.map { try MessageFile.tools(at: $0) }, asksForAnswer: !noGenerationPrompt,
      template: chatTemplate)
  }
}

/// A conversation that has become tokens, and what ends an answer to it.
struct ChatPrompt {
  let text: String
  let ids: [Int]
  let stops: [String]
  /// Tokens that the template writes behind an answer.
  let ends: Set<Int>

  /// Writes `conversation` as the chat template of `loaded` does.
  /// `expanding` is what becomes of the text before it is made into tokens.
  init(
    _ conversation: Conversation, _ template: ChatTemplate, _ tokenizer: Tokenizer,
    expanding: (String) throws -> String = { $0 }
  ) throws {
    text = try expanding(template.text(of: conversation))
    try tokenizer.requireEncodable(text)
    Console.note(leftOut: tokenizer.leftOut(of: text))
    // The template writes the beginning of the text; special tokens in it are tokens, whoever wrote them.
    ids = tokenizer.encode(text, addSpecialTokens: false)
    if ids.isEmpty { throw Failure(.failed, "the chat template writes nothing for this conversation") }
    stops = template.stops
    let end = template.answerEnd().flatMap { tokenizer.encode($0, addSpecialTokens: false).first }
    ends = end.map { tokenizer.isSpecial($0) ? [$0] : [] } ?? []
  }

  /// The chat template of `loaded`; throws where there is none.
  /// `other` is what the command does without one.
  static func template(of loaded: LoadedModel, otherwise other: String = "") throws -> ChatTemplate {
    guard let template = try loaded.chat() else {
      throw Failure(.failed, "the model has no chat template; \(other)set one: --set chat=chatml")
    }
    return template
  }
}

/// Messages and tools in files.
enum MessageFile {
  /// The messages at `path`: a JSON list, an object with `messages`, or one message a line.
  static func messages(at path: String) throws -> [JSONValue] {
    let text = try StandardInput.text(ofFile: path)
    let name = path == "-" ? "standard input" : path
    let first = text.first { !$0.isWhitespace }
    var list: [JSONValue]
    if first == "[" {
      list = try parsed(text, name).array ?? []
    } else if let whole = try? JSONValue(parsing: text, name: name), let found = whole["messages"]?.array {
      list = found
    } else {
      list = []
      for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      where line.contains(where: { !$0.isWhitespace }) {
        list.append(try parsed(String(line), "\(name):\(number + 1)"))
      }
    }
    if list.isEmpty { throw Failure(.invalid, "\(name): there is no message") }
    for (place, message) in list.enumerated() where message["role"]?.string == nil {
      throw Failure(
        .invalid,
        "\(name): message \(place + 1) is \(message.kind) without a 'role'; a message is {\"role\": \"user\", \"content\": \"…\"}"
      )
    }
    return list
  }

  /// The tools at `path`: a JSON list of objects, or one.
  static func tools(at path: String) throws -> [JSONValue] {
    let text = try StandardInput.text(ofFile: path)
    let value = try parsed(text, path == "-" ? "standard input" : path)
    let list = value.array ?? [value]
    for tool in list where tool.object == nil {
      throw Failure(.invalid, "\(path): a tool is \(tool.kind), not an object with its schema")
    }
    return list
  }

  private static func parsed(_ text: String, _ name: String) throws -> JSONValue {
    do { return try JSONValue(parsing: text, name: name) } catch { throw Failure(.invalid, error.description) }
  }
}
