import Components
import Files
import Foundation
import Models
import Templates
import TestSupport
import Testing
import Tokenization

@Suite("Chat templates")
struct ChatTemplateTests {
  private let user: JSONValue = ["role": "user", "content": "Hi"]

  /// The template that a folder with these files has.
  private func template(_ files: [String: String]) throws -> ChatTemplate? {
    try SmallModels.inFolder { folder in
      var files = files
      files["vocab.json"] = "[\"a\", \"b\"]"
      for (name, text) in files {
        if let slash = name.lastIndex(of: "/") { try makeFolder(folder + "/" + String(name[..<slash])) }
        try writeAtomically(text, to: folder + "/" + name)
      }
      return try ModelLoader.chat(at: folder, tokenizer: Tokenizer.load(from: folder + "/vocab.json"))
    }
  }

  private func text(_ template: ChatTemplate?, _ conversation: Conversation) throws -> String {
    try #require(template).text(of: conversation)
  }

  @Test("are found in each of their places, files of their own before tokenizer_config.json")
  func places() throws {
    let conversation = Conversation(messages: [user])
    let config =
      "{\"chat_template\": \"config {{ bos_token }}\", \"bos_token\": {\"content\": \"<b>\"}, \"eos_token\": null}"
    #expect(try text(template(["tokenizer_config.json": config]), conversation) == "config <b>")
    #expect(
      try text(template(["tokenizer_config.json": config, "chat_template.jinja": "own {{ bos_token }}"]), conversation)
        == "own <b>")
    #expect(
      try text(template(["chat_template.json": "{\"chat_template\": \"processor\"}"]), conversation) == "processor")
    #expect(try template(["tokenizer_config.json": "{}"]) == nil)
    #expect(throws: FileProblem.self) { try template(["tokenizer_config.json": "{\"chat_template\": 3}"]) }
  }

  @Test("of several the one for tools is taken with tools, the default else, and any by its name")
  func several() throws {
    let list = """
      {"chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"},
        {"name": "rag", "template": "{{ documents | length }}"}]}
      """
    for files in [
      ["tokenizer_config.json": list],
      [
        "chat_template.jinja": "plain", "additional_chat_templates/tool_use.jinja": "tools",
        "additional_chat_templates/rag.jinja": "{{ documents | length }}",
      ],
    ] {
      let found = try template(files)
      #expect(try text(found, Conversation(messages: [user])) == "plain")
      #expect(try text(found, Conversation(messages: [user], tools: [["name": "t"]])) == "tools")
      #expect(try text(found, Conversation(messages: [user], documents: [user], template: "rag")) == "1")
      #expect(throws: ModelProblem.noTemplate("x", known: ["default", "rag", "tool_use"])) {
        try text(found, Conversation(messages: [user], template: "x"))
      }
    }
    let unnamed = try template(["tokenizer_config.json": list.replacing("default", with: "other")])
    #expect(throws: ModelProblem.self) { try text(unnamed, Conversation(messages: [user])) }
  }

  @Test("are told messages as transformers tells them: without what is null, reasoning by each name")
  func messages() throws {
    let chat = ChatTemplate(["default": "{{ messages[0] | tojson }}"], origin: "t")
    let message: JSONValue = .object(
      try #require(try JSONValue(parsing: "{\"role\": \"a\", \"content\": null, \"reasoning\": \"r\"}").object))
    // transformers 5.23: render_jinja_template([[{"role": "a", "reasoning": "r"}]], chat_template=…)
    #expect(
      try chat.text(of: Conversation(messages: [message]))
        == "{\"thinking\": \"r\", \"role\": \"a\", \"reasoning\": \"r\", \"reasoning_content\": \"r\"}")
  }

  @Test("in the words of a spec are the same as their Jinja, with one beginning")
  func words() throws {
    var setting = Setting(.group([]))
    setting["turn"] = Setting(text: "<{role}> {content}\n")
    setting["prompt"] = Setting(text: "<it's \\> ")
    setting["system"] = Setting(text: "Be 'brief'.")
    var chat = try ChatTemplate(setting)
    chat.specialTokens = try #require((["bos_token": "<s>", "add_bos_token": true] as JSONValue).object)
    #expect(
      try chat.text(of: Conversation(user: "Hi")) == "<s><system> Be 'brief'.\n<user> Hi\n<it's \\> ")
    #expect(
      try chat.text(of: Conversation(user: "Hi", system: "Now")) == "<s><system> Now\n<user> Hi\n<it's \\> ")
    #expect(
      try ChatTemplate(Setting(text: "turns")).text(
        of: Conversation(messages: [user, ["role": "assistant", "content": "Yo"]], asksForAnswer: false))
        == "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nYo<end_of_turn>\n")
    #expect(try ChatTemplate(Setting(text: "inst")).text(of: Conversation(user: "Hi")) == "[INST] Hi [/INST]")
  }

  @Test("say what ends an answer")
  func end() {
    let chat = ChatTemplate(
      ["default": "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</end>\n{% endfor %}"], origin: "t")
    #expect(chat.answerEnd()?.hasPrefix("</end>") == true)
    #expect(ChatTemplate(["default": "{{ messages[0].content }}"], origin: "t").answerEnd() == nil)
  }
}
