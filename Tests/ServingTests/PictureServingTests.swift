import Execution
import Files
import Foundation
import Generation
import Images
import Models
import Serving
import TestSupport
import Testing

/// Pictures in conversations, as clients of OpenAI's API send them.
@Suite struct PictureServingTests {
  private static let server: ModelServer? = try? Served.server([Served.model("shapes-vl"), Served.model("story-gpt2")])
  private let server: ModelServer

  init() throws { server = try #require(Self.server) }

  private static func scene(_ index: Int) -> DrawnScene { DrawnScene(seed: 2, index: index, of: [.shapes]) }

  private static func address(_ bytes: [UInt8]) -> String {
    "data:image/png;base64," + Data(bytes).base64EncodedString()
  }

  private static func part(_ scene: DrawnScene) -> JSONValue {
    ["type": "image_url", "image_url": ["url": .string(address(scene.picture.png))]]
  }

  private func ask(_ messages: [JSONValue], model: String = "shapes-vl", _ more: (String, JSONValue)...) -> Answered {
    var object = JSONObject()
    object["model"] = .string(model)
    object["messages"] = .array(messages)
    object["temperature"] = 0
    object["max_tokens"] = 40
    for (key, value) in more { object[key] = value }
    return server.ask("/v1/chat/completions", .object(object))
  }

  private func said(_ answer: Answered, _ choice: Int = 0) -> String? {
    answer.json["choices"]?.array?[choice]["message"]?["content"]?.string
  }

  @Test("questions about drawn pictures are answered, also behind what was asked before")
  func answers() throws {
    var (asked, right) = (0, 0)
    for index in 0..<10 {
      let scene = Self.scene(index)
      var messages: [JSONValue] = []
      for question in scene.questions {
        let text: JSONValue = ["type": "text", "text": .string(question.text)]
        messages.append([
          "role": "user", "content": .array(messages.isEmpty ? [Self.part(scene), text] : [text]),
        ])
        let answer = ask(messages)
        #expect(answer.status == 200, "\(answer.message)")
        messages.append(["role": "assistant", "content": .string(question.answer)])
        asked += 1
        if said(answer) == question.answer { right += 1 }
      }
    }
    // The card of the model promises more, of a thousand pictures.
    #expect(asked > 40 && right * 10 > asked * 8, "\(right) of \(asked)")
  }

  @Test("an answer is what the generator writes of the same picture and question, also several and streamed")
  func likeTheGenerator() throws {
    let scene = Self.scene(3)
    let loader = try Here.models()
    let loaded = try loader.load(loader.describe("shapes-vl"))
    let tokenizer = try #require(loaded.tokenizer)
    let encoder = try PictureEncoder(loaded)
    let token = try #require(encoder.token)
    let pictures = try PictureReader(loaded.description, stack: encoder.stack)
      .read(bytes: [scene.picture.png], limit: Picture.pixelLimit)
    let writing = try PicturePrompt(loaded.description, token: token, tokenizer)
    let question = scene.questions[0].text
    let ids = tokenizer.encode(
      try writing.expanded(
        writing.marked(question, count: 1), pictures, tokens: encoder.tokens(of: pictures)), addSpecialTokens: false)
    var settings = TextGenerator.Settings()
    settings.maximumTokens = 40
    settings.sampling.temperature = 0
    try ShownPictures(
      pictures, in: ids, of: loaded.description.plan, encoder, pool: Served.pool, computeType: .f32
    ).show(to: &settings)
    let executor = try loaded.executor(pool: Served.pool, longest: ids.count, states: .f32, computeType: .f32)
    let expected = try TextGenerator(executor, tokenizer: tokenizer).generate(ids, settings) { _, _ in true }
    let message: JSONValue = [
      "role": "user", "content": .array([Self.part(scene), ["type": "text", "text": .string(question)]]),
    ]
    let answer = ask([message], ("n", 2))
    #expect(said(answer) == expected.text && said(answer, 1) == expected.text, "\(answer.text)")
    #expect(answer.json["usage"]?["prompt_tokens"]?.integer == ids.count)
    let stream = ask([message], ("stream", true))
    let pieces = stream.events.compactMap { $0["choices"]?.array?.first?["delta"]?["content"]?.string }
    #expect(pieces.joined() == expected.text)
    // Another picture is another answer.
    let other = ask([
      ["role": "user", "content": .array([Self.part(Self.scene(4)), ["type": "text", "text": .string(question)]])]
    ])
    #expect(other.status == 200 && said(other) != expected.text)
  }

  @Test(
    "what is no picture, or has none to read it, is refused with a sentence",
    arguments: [
      ("shapes-vl", #"{"type": "image_url", "image_url": {"url": "http://localhost/a.png"}}"#, "fetches nothing"),
      ("shapes-vl", #"{"type": "image_url", "image_url": {"url": "data:image/png;base64,@@"}}"#, "fetches nothing"),
      ("shapes-vl", #"{"type": "image_url", "image_url": {"url": "data:;base64,R0lGODlhAQABAAAAACw="}}"#, "a GIF"),
      ("shapes-vl", #"{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}"#, "picture 1"),
      ("shapes-vl", #"{"type": "image_url", "image_url": {}}"#, "neither a text nor an 'image_url'"),
      ("shapes-vl", #"{"type": "image_url", "image_url": {"url": "data:,", "detail": "high"}}"#, "'detail'"),
      ("shapes-vl", #"{"type": "text", "text": "What is <image> this?"}"#, "places for pictures"),
      ("story-gpt2", #"{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}"#, "no text"),
    ])
  func refuses(_ model: String, _ part: String, _ sentence: String) throws {
    let answer = ask([["role": "user", "content": .array([try JSONValue(parsing: part)])]], model: model)
    #expect(answer.status == 400 && answer.message.contains(sentence), "\(answer.status) \(answer.message)")
    #expect(answer.parameter == "messages")
  }

  @Test("more pictures than a prompt has room for, and places without a picture, are refused")
  func bounds() throws {
    let many = Array(repeating: Self.part(Self.scene(0)), count: 33)
    let refused = ask([["role": "user", "content": .array(many)]])
    #expect(refused.status == 400 && refused.message.contains("more than 32 pictures"), "\(refused.message)")
    let long = ask([["role": "user", "content": .array(Array(many.prefix(20)))]])
    #expect(long.status == 400 && long.message.contains("context"), "\(long.message)")
    let bare = server.ask("/v1/completions", ["model": "shapes-vl", "prompt": "<image>What is it?"])
    #expect(bare.status == 400 && bare.message.contains("places for pictures"), "\(bare.message)")
    let probe = server.ask("/v1/completions", ["model": "shapes-vl", "prompt": "How many", "max_tokens": 3])
    #expect(probe.status == 200, "\(probe.message)")
  }
}
