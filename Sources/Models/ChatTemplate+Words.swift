import Components
import Files

extension ChatTemplate {
  /// The template in a spec's `chat`: the name of a known one, a group of `turn`, `prompt`, `system` and `stops`, or Jinja
  /// under `template`. All of them become Jinja.
  public init(_ setting: Setting) throws(Problems) {
    let keys = ["type", "turn", "prompt", "system", "stops", "template"]
    if let unknown = setting.entries?.first(where: { !keys.contains($0.key) }) {
      let hint = nearestName(to: unknown.key, in: keys).map { "did you mean '\($0)'?" }
      throw Problems([
        Problem(
          "'\(unknown.key.prefix(60))' is not a key of 'chat'", at: unknown.place,
          hint: hint ?? "its keys are \(keys.joined(separator: ", "))")
      ])
    }
    var words = Words()
    if let name = setting.text ?? setting["type"]?.text {
      guard let known = Self.known[name] else {
        let names = Self.known.keys.sorted()
        let hint =
          nearestName(to: name, in: names).map { "did you mean '\($0)'?" } ?? "there are "
          + names.joined(separator: ", ")
        throw Problems([Problem("no chat template is named '\(name)'", at: setting.place, hint: hint)])
      }
      words = known
    }
    words.turn = setting["turn"]?.text ?? words.turn
    words.prompt = setting["prompt"]?.text ?? words.prompt
    words.system = setting["system"]?.text ?? words.system
    words.stops = setting["stops"]?.list?.compactMap(\.text) ?? words.stops
    let origin = setting.place.map { "\($0.source): chat" } ?? "chat"
    if let template = setting["template"]?.text {
      self.init(["default": template], origin: origin, stops: words.stops)
      return
    }
    guard !words.turn.isEmpty else {
      throw Problems([
        Problem(
          "'chat' takes the name of a template, the texts 'turn' and 'prompt', or Jinja under 'template'",
          at: setting.place)
      ])
    }
    self.init(["default": words.jinja], origin: origin, stops: words.stops)
  }

  /// The short form of a template: the text of a turn with `{role}` and `{content}`, and what asks for an answer.
  private struct Words: Sendable {
    var turn = ""
    /// The turn of an answer, where it is another.
    var answer: String?
    var prompt = ""
    var system: String?
    var stops: [String] = []
    /// What roles are called.
    var roles: [String: String] = [:]

    /// The Jinja that says the same. What the tokenizer puts in front of a text stands in front.
    var jinja: String {
      let names =
        roles.isEmpty
        ? "m.role" : "{\(roles.map { "'\($0.key)': '\($0.value)'" }.joined(separator: ", "))}.get(m.role, m.role)"
      var text = "{{ bos_token if add_bos_token }}"
      if let system {
        let turn = written(turn, role: "'system'", content: Self.quoted(system))
        text += "{% if messages[0].role != 'system' %}\(turn)"
        text += "{% endif %}"
      }
      text += "{% for m in messages %}"
      let plain = written(turn, role: names, content: "m.content")
      if let answer {
        text += "{% if m.role == 'assistant' %}" + written(answer, role: names, content: "m.content")
        text += "{% else %}\(plain){% endif %}"
      } else {
        text += plain
      }
      return text + "{% endfor %}{% if add_generation_prompt %}{{ \(Self.quoted(prompt)) }}{% endif %}"
    }

    private func written(_ turn: String, role: String, content: String) -> String {
      var parts: [String] = []
      for (place, piece) in turn.split(separator: "{content}", omittingEmptySubsequences: false).enumerated() {
        if place > 0 { parts.append("(\(content))") }
        for (place, text) in piece.split(separator: "{role}", omittingEmptySubsequences: false).enumerated() {
          if place > 0 { parts.append("(\(role))") }
          if !text.isEmpty { parts.append(Self.quoted(String(text))) }
        }
      }
      return "{{ \(parts.joined(separator: " ~ ")) }}"
    }

    private static func quoted(_ text: String) -> String {
      "'"
        + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'").replacing("\n", with: "\\n")
        .replacing("\r", with: "\\r") + "'"
    }
  }

  /// The known templates by name.
  private static let known: [String: Words] = [
    "chatml": Words(
      turn: "<|im_start|>{role}\n{content}<|im_end|>\n", prompt: "<|im_start|>assistant\n", stops: ["<|im_end|>"]),
    "headers": Words(
      turn: "<|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>",
      prompt: "<|start_header_id|>assistant<|end_header_id|>\n\n", stops: ["<|eot_id|>"]),
    "inst": Words(turn: "[INST] {content} [/INST]", answer: "{content}</s>", stops: ["</s>"]),
    "turns": Words(
      turn: "<start_of_turn>{role}\n{content}<end_of_turn>\n", prompt: "<start_of_turn>model\n",
      stops: ["<end_of_turn>"], roles: ["assistant": "model"]),
  ]
}
