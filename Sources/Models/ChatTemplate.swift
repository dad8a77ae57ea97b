import Components
import Files
import Synchronization
import Templates

/// How a conversation is written as text for a model that was trained on conversations: Jinja templates, and the texts that
/// stand for special tokens in them.
///
/// Evaluated as `apply_chat_template` of transformers 5.23 does it. The template writes the beginning of the text itself, so
/// its text is made into tokens without special tokens around it. Special tokens that stand in what a user wrote are tokens
/// like those of the template, as in transformers: `<|im_end|>` in a message ends the turn.
public struct ChatTemplate: Sendable {
  /// The templates by name: `default`, `tool_use` where there are tools, and what else the model came with.
  public let sources: [String: String]
  /// Where they are from, for messages.
  public let origin: String
  /// `bos_token`, `eos_token` and their kin, by name.
  public var specialTokens = JSONObject()
  /// Texts that end an answer, beside the tokens that do.
  public let stops: [String]
  private let read = ReadTemplates()

  /// The templates `sources`, which `origin` holds.
  public init(_ sources: [String: String], origin: String, specialTokens: JSONObject = .init(), stops: [String] = []) {
    self.sources = sources
    self.origin = origin
    self.specialTokens = specialTokens
    self.stops = stops
  }

  /// The name of the template that `conversation` is written with; throws where it has to be chosen.
  func name(for conversation: Conversation) throws(ModelProblem) -> String {
    if let name = conversation.template {
      guard sources[name] != nil else { throw .noTemplate(name, known: sources.keys.sorted()) }
      return name
    }
    if conversation.tools != nil, sources["tool_use"] != nil { return "tool_use" }
    if sources["default"] != nil { return "default" }
    guard sources.count == 1, let only = sources.keys.first else {
      throw .noTemplate(nil, known: sources.keys.sorted())
    }
    return only
  }

  /// The text of `conversation`; `now` is the time that templates are told, nil for the clock's.
  ///
  /// Throws `TemplateProblem` where the template refuses it or cannot be evaluated, `ModelProblem` where one has to be chosen.
  public func text(of conversation: Conversation, now: Int? = nil) throws -> String {
    let name = try name(for: conversation)
    let template = try read.template(sources[name] ?? "", name: name == "default" ? origin : "\(origin) (\(name))")
    return try template.render(conversation.variables(specialTokens), now: now)
  }

  /// What the template writes behind an answer, up to the first line feed: its beginning is the token that ends a turn.
  public func answerEnd() -> String? {
    let mark = "\u{2063}answer\u{2063}"
    let turns: [JSONValue] = [
      ["role": "user", "content": "question"], ["role": "assistant", "content": .string(mark)],
    ]
    let conversation = Conversation(messages: turns, asksForAnswer: false)
    guard let text = try? text(of: conversation, now: 0), let place = text.firstRange(of: mark) else { return nil }
    let rest = text[place.upperBound...].drop { $0 == " " }
    return rest.isEmpty ? nil : String(rest)
  }
}

/// Templates that have been read: once each, when they are first needed.
private final class ReadTemplates: Sendable {
  private let templates = Mutex<[String: Template]>([:])

  func template(_ source: String, name: String) throws -> Template {
    try templates.withLock { known in
      if let template = known[name] { return template }
      let template = try Template(source, name: name)
      known[name] = template
      return template
    }
  }
}
