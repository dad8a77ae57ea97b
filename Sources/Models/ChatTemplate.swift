import Components

/// How a conversation is written as text for a model that was trained on conversations.
public struct ChatTemplate: Sendable, Hashable {
  /// The text of one turn, with `{role}` and `{content}`.
  public let turn: String
  /// The text that asks for the answer.
  public let prompt: String
  /// What the system turn says when the user says nothing else.
  public let system: String?
  /// The texts that end an answer.
  public let stops: [String]

  /// A template of these texts.
  public init(turn: String, prompt: String, system: String?, stops: [String]) {
    self.turn = turn
    self.prompt = prompt
    self.system = system
    self.stops = stops
  }

  /// The template in a spec's `chat`: the name of a known one, or a group of `turn`, `prompt`, `system` and `stops`.
  public init(_ setting: Setting) throws(Problems) {
    var setting = setting
    let keys = ["type", "turn", "prompt", "system", "stops"]
    if let unknown = setting.entries?.first(where: { !keys.contains($0.key) }) {
      let hint = nearestName(to: unknown.key, in: keys).map { "did you mean '\($0)'?" }
      throw Problems([
        Problem(
          "'\(unknown.key.prefix(60))' is not a key of 'chat'", at: unknown.place,
          hint: hint ?? "its keys are \(keys.joined(separator: ", "))")
      ])
    }
    if let name = setting.text ?? setting["type"]?.text {
      guard let known = Self.known[name] else {
        let names = Self.known.keys.sorted()
        let hint =
          nearestName(to: name, in: names).map { "did you mean '\($0)'?" } ?? "there are "
          + names.joined(separator: ", ")
        throw Problems([Problem("no chat template is named '\(name)'", at: setting.place, hint: hint)])
      }
      if setting.entries == nil {
        self = known
        return
      }
      setting["type"] = nil
      self.init(
        turn: setting["turn"]?.text ?? known.turn, prompt: setting["prompt"]?.text ?? known.prompt,
        system: setting["system"]?.text ?? known.system,
        stops: setting["stops"]?.list?.compactMap(\.text) ?? known.stops)
      return
    }
    guard let turn = setting["turn"]?.text, let prompt = setting["prompt"]?.text else {
      throw Problems([
        Problem("'chat' takes the name of a template, or the texts 'turn' and 'prompt'", at: setting.place)
      ])
    }
    self.init(
      turn: turn, prompt: prompt, system: setting["system"]?.text,
      stops: setting["stops"]?.list?.compactMap(\.text) ?? [])
  }

  /// The template that a Jinja template in a model file amounts to, told by the marks it writes; nil when unknown.
  public init?(jinja: String) {
    guard let match = Self.marks.first(where: { jinja.contains($0.mark) }), let known = Self.known[match.name] else {
      return nil
    }
    self = known
    if let system = Self.defaultSystem(in: jinja, of: known) {
      self.init(turn: known.turn, prompt: known.prompt, system: system, stops: known.stops)
    }
  }

  /// The conversation of one question as text.
  public func text(user: String, system: String? = nil) -> String {
    var text = ""
    if let system = system ?? self.system { text += written("system", system) }
    return text + written("user", user) + prompt
  }

  private func written(_ role: String, _ content: String) -> String {
    turn.replacing("{role}", with: role).replacing("{content}", with: content)
  }

  /// A system turn that the Jinja template writes out when the conversation has none: the text between the mark of a
  /// system turn and the mark of its end, as ChatML templates have it.
  private static func defaultSystem(in jinja: String, of template: ChatTemplate) -> String? {
    let parts = template.turn.replacing("{role}", with: "system").split(separator: "{content}")
    guard parts.count == 2 else { return nil }
    let text = jinja.replacing("\\n", with: "\n")
    guard let start = text.firstRange(of: String(parts[0])),
      let end = text[start.upperBound...].firstRange(of: String(parts[1]).trimmingLineEnd)
    else { return nil }
    let found = text[start.upperBound..<end.lowerBound]
    return found.contains("'") || found.contains("{") ? nil : String(found)
  }

  private static let marks = [
    (mark: "<|im_start|>", name: "chatml"), (mark: "<|start_header_id|>", name: "headers"),
    (mark: "[INST]", name: "inst"), (mark: "<start_of_turn>", name: "turns"),
  ]

  /// The known templates by name.
  private static let known: [String: ChatTemplate] = [
    "chatml": ChatTemplate(
      turn: "<|im_start|>{role}\n{content}<|im_end|>\n", prompt: "<|im_start|>assistant\n", system: nil,
      stops: ["<|im_end|>"]),
    "headers": ChatTemplate(
      turn: "<|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>",
      prompt: "<|start_header_id|>assistant<|end_header_id|>\n\n", system: nil, stops: ["<|eot_id|>"]),
    "inst": ChatTemplate(turn: "[INST] {content} [/INST]", prompt: "", system: nil, stops: ["</s>"]),
    "turns": ChatTemplate(
      turn: "<start_of_turn>{role}\n{content}<end_of_turn>\n", prompt: "<start_of_turn>model\n", system: nil,
      stops: ["<end_of_turn>"]),
  ]
}

extension String {
  fileprivate var trimmingLineEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}
