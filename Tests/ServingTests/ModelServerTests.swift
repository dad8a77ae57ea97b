import Execution
import Files
import Foundation
import Generation
import Kernels
import Models
import Serving
import ServingLink
import TestSupport
import Testing

@Suite struct ModelServerTests {
  private let server: ModelServer

  init() throws { server = try #require(Served.stories) }

  private func completion(_ more: (String, JSONValue)..., model: String = "story-llama") -> JSONValue {
    var object = JSONObject()
    object["model"] = .string(model)
    object["prompt"] = "Once upon a time"
    object["temperature"] = 0
    object["max_tokens"] = 12
    for (key, value) in more { object[key] = value }
    return .object(object)
  }

  @Test(
    "a greedy completion is what the generator writes of the same prompt", arguments: ["story-llama", "story-gpt2"])
  func likeTheGenerator(model: String) throws {
    let loader = try Here.models()
    let loaded = try loader.load(loader.describe(model))
    let executor = try loaded.executor(pool: Served.pool, states: .f32, computeType: .f32)
    var settings = TextGenerator.Settings()
    settings.maximumTokens = 12
    settings.sampling.temperature = 0
    settings.beginsText = false
    let ids = try #require(loaded.tokenizer).encode("Once upon a time")
    let expected = try TextGenerator(executor, tokenizer: loaded.tokenizer).generate(ids, settings) { _, _ in true }
    let answer = server.ask("/v1/completions", completion(model: model))
    #expect(answer.status == 200)
    #expect(answer.json["choices"]?.array?.first?["text"]?.string == expected.text)
    #expect(answer.json["usage"]?["prompt_tokens"]?.integer == ids.count)
    #expect(answer.json["usage"]?["completion_tokens"]?.integer == expected.tokens.count)
  }

  @Test("a prompt's probabilities are those of its tokens one by one, and each token's is among the likeliest")
  func promptProbabilities() throws {
    let loader = try Here.models()
    let loaded = try loader.load(loader.describe("story-llama"))
    let executor = try loaded.executor(pool: Served.pool, states: .f32, computeType: .f32)
    let ids = try #require(loaded.tokenizer).encode("Once upon a time there was a little girl")
    let answer = server.ask(
      "/v1/completions",
      completion(
        ("prompt", .array([.array(ids.map { .integer($0) })])), ("echo", true), ("logprobs", 1), ("max_tokens", 1)))
    let lists = try #require(answer.json["choices"]?.array?.first?["logprobs"])
    let numbers = try #require(lists["token_logprobs"]?.array)
    #expect(numbers.count == ids.count + 1)
    #expect(numbers[0].isNull)
    #expect(lists["tokens"]?.array?.count == ids.count + 1)
    let sequence = try executor.openSequence(length: ids.count)
    for (place, id) in ids.enumerated() {
      try executor.forward([(sequence, [id])], logits: .last) { _, position, logits in
        guard place + 1 < ids.count else { return }
        let top = Double(logits.max() ?? 0)
        let all = top + log(logits.reduce(0.0) { $0 + exp(Double($1) - top) })
        let expected = Double(logits[ids[place + 1]]) - all
        // One row at a time is summed in another order than many: f32 over 64 to 256 numbers.
        #expect(abs((numbers[place + 1].number ?? 0) - expected) < 1e-4)
      }
    }
    for (place, top) in try #require(lists["top_logprobs"]?.array).enumerated().dropFirst() {
      let token = try #require(lists["tokens"]?.array?[place].string)
      #expect(top[token] == numbers[place])
    }
  }

  @Test("offsets and tokens of an echo are those of its text")
  func offsets() throws {
    let answer = server.ask("/v1/completions", completion(("echo", true), ("logprobs", 0)))
    let choice = try #require(answer.json["choices"]?.array?.first)
    let text = Array(try #require(choice["text"]?.string).unicodeScalars)
    let lists = try #require(choice["logprobs"])
    let tokens = try #require(lists["tokens"]?.array).compactMap(\.string)
    let offsets = try #require(lists["text_offset"]?.array).compactMap(\.integer)
    for (token, offset) in zip(tokens, offsets) where offset >= 0 && offset + token.unicodeScalars.count <= text.count {
      let there = String(String.UnicodeScalarView(text[offset..<offset + token.unicodeScalars.count]))
      #expect(there == token || token.hasPrefix("<"))
    }
  }

  @Test("the pieces of a stream are the whole text, and its last ones count the tokens and end it")
  func stream() throws {
    let whole = server.ask("/v1/completions", completion())
    let answer = server.ask(
      "/v1/completions", completion(("stream", true), ("stream_options", ["include_usage": true])))
    #expect(answer.fields["Content-Type"] == "text/event-stream; charset=utf-8")
    let text = answer.events.compactMap { $0["choices"]?.array?.first?["text"]?.string }.joined()
    #expect(text == whole.json["choices"]?.array?.first?["text"]?.string)
    #expect(answer.events.last?["usage"] == whole.json["usage"])
    #expect(answer.events.last?["choices"]?.array?.isEmpty == true)
    #expect(answer.text.hasSuffix("data: [DONE]\n\n"))
  }

  @Test("a conversation is answered, whole and streamed, with the role first")
  func chat() throws {
    let body: JSONValue = [
      "model": "story-llama",
      "messages": [["role": "user", "content": [["type": "text", "text": "Tell me a story."]]]],
      "max_tokens": 8, "temperature": 0, "logprobs": true, "top_logprobs": 2, "ignore_eos": true,
    ]
    let whole = server.ask("/v1/chat/completions", body)
    #expect(whole.status == 200, "\(whole.text)")
    let choice = try #require(whole.json["choices"]?.array?.first)
    let content = try #require(choice["logprobs"]?["content"]?.array)
    #expect(content.count == whole.json["usage"]?["completion_tokens"]?.integer)
    #expect(content.first?["top_logprobs"]?.array?.count == 2)
    var object = try #require(body.object)
    object["stream"] = true
    let events = server.ask("/v1/chat/completions", .object(object)).events
    #expect(events.first?["choices"]?.array?.first?["delta"]?["role"]?.string == "assistant")
    let text = events.compactMap { $0["choices"]?.array?.first?["delta"]?["content"]?.string }.joined()
    #expect(text == choice["message"]?["content"]?.string)
  }

  @Test("of several choices each is what its seed gives alone")
  func choices() throws {
    let many = server.ask("/v1/completions", completion(("temperature", 1), ("seed", 7), ("n", 3)))
    let texts = try #require(many.json["choices"]?.array).compactMap { $0["text"]?.string }
    for (place, text) in texts.enumerated() {
      let alone = server.ask("/v1/completions", completion(("temperature", 1), ("seed", .integer(7 + place))))
      #expect(alone.json["choices"]?.array?.first?["text"]?.string == text)
    }
    #expect(Set(texts).count > 1)
  }

  @Test("of the best of several the likeliest is answered")
  func bestOf() throws {
    let all = server.ask(
      "/v1/completions", completion(("temperature", 1), ("seed", 7), ("n", 4), ("logprobs", 0)))
    let best = try #require(all.json["choices"]?.array).max { a, b in mean(a) < mean(b) }
    let answer = server.ask("/v1/completions", completion(("temperature", 1), ("seed", 7), ("best_of", 4)))
    #expect(answer.json["choices"]?.array?.count == 1)
    #expect(answer.json["choices"]?.array?.first?["text"] == best?["text"])
  }

  private func mean(_ choice: JSONValue) -> Double {
    let numbers = choice["logprobs"]?["token_logprobs"]?.array?.compactMap(\.number) ?? []
    return numbers.reduce(0, +) / Double(max(1, numbers.count))
  }

  @Test("a stop text is cut off, a bias forbids, and the reason says what ended")
  func stops() throws {
    let plain = server.ask("/v1/completions", completion())
    let text = try #require(plain.json["choices"]?.array?.first?["text"]?.string)
    #expect(plain.json["choices"]?.array?.first?["finish_reason"]?.string == "length")
    let word = try #require(text.split(separator: " ").dropFirst(2).first).description
    let stopped = server.ask("/v1/completions", completion(("stop", .array([.string(word)]))))
    let cut = try #require(stopped.json["choices"]?.array?.first)
    #expect(cut["finish_reason"]?.string == "stop")
    #expect(cut["text"]?.string == text.firstRange(of: word).map { String(text[..<$0.lowerBound]) })
    let first = server.ask("/v1/completions", completion(("logprobs", 0), ("max_tokens", 1)))
    let token = try #require(first.json["choices"]?.array?.first?["logprobs"]?["tokens"]?.array?.first?.string)
    let id = try #require(
      server.ask("/tokenize", ["model": "story-llama", "prompt": .string("a" + token), "add_special_tokens": false])
        .json["tokens"]?.array?.last?.integer)
    let biased = server.ask(
      "/v1/completions", completion(("logit_bias", [String(id): -100]), ("logprobs", 0), ("max_tokens", 1)))
    #expect(biased.json["choices"]?.array?.first?["logprobs"]?["tokens"]?.array?.first?.string != token)
  }

  @Test("what a JSON schema allows is written, and a schema that cannot be kept is refused by its keyword")
  func schema() throws {
    let schema: JSONValue = [
      "type": "object",
      "properties": [
        "name": ["type": "string", "maxLength": 8], "age": ["type": "integer", "maximum": 99, "minimum": 0],
      ],
      "required": ["name", "age"], "additionalProperties": false,
    ]
    let format: JSONValue = ["type": "json_schema", "json_schema": ["name": "x", "schema": schema]]
    for seed in 0..<4 {
      let answer = server.ask(
        "/v1/completions",
        completion(("response_format", format), ("max_tokens", 200), ("temperature", 1), ("seed", .integer(seed))))
      let text = try #require(answer.json["choices"]?.array?.first?["text"]?.string)
      #expect(try JSONValue(parsing: text)["age"]?.integer != nil)
    }
    let bad: JSONValue = [
      "type": "json_schema", "json_schema": ["name": "x", "schema": ["type": "object", "not": [:]]],
    ]
    let refused = server.ask("/v1/completions", completion(("response_format", bad)))
    #expect(refused.status == 400)
    #expect(refused.parameter == "response_format.json_schema.schema")
    #expect(refused.message.contains("not"))
  }

  @Test("hidden states have length 1, and the mean is not the last")
  func embeddings() throws {
    func vector(_ pooling: String) throws -> [Double] {
      let body: JSONValue = ["model": "story-llama", "input": ["Once upon a time"], "pooling": .string(pooling)]
      let answer = server.ask("/v1/embeddings", body)
      return try #require(answer.json["data"]?.array?.first?["embedding"]?.array).compactMap(\.number)
    }
    let (mean, last) = (try vector("mean"), try vector("last"))
    #expect(mean != last)
    // Rounded to f32: 24 bits of each of some hundred numbers.
    for vector in [mean, last] { #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5) }
    let base64 = server.ask(
      "/v1/embeddings", ["model": "story-llama", "input": "Once upon a time", "encoding_format": "base64"])
    #expect((base64.json["data"]?.array?.first?["embedding"]?.string?.count ?? 0) == (mean.count * 4 + 2) / 3 * 4)
  }

  @Test("tokens and texts become each other")
  func tokens() throws {
    let ids = server.ask("/tokenize", ["model": "story-gpt2", "prompt": "a little girl"]).json["tokens"]
    let text = server.ask("/detokenize", ["model": "story-gpt2", "tokens": try #require(ids)]).json["prompt"]
    #expect(text?.string == "a little girl")
    let info = server.ask("/tokenizer_info?model=story-llama").json
    #expect(info["chat_template"]?.string?.contains("im_start") == true)
  }

  @Test("what is asked for by GET is there")
  func documents() throws {
    #expect(server.ask("/health").status == 200)
    #expect(
      server.ask("/v1/models").json["data"]?.array?.compactMap { $0["id"]?.string } == ["story-llama", "story-gpt2"])
    #expect(server.ask("/v1/models/story%2Dgpt2").json["id"]?.string == "story-gpt2")
    #expect(server.ask("/version").json["version"]?.string == "test")
    #expect(server.ask("/metrics").text.contains("# TYPE chimera_generated_tokens_total counter"))
    let paths = server.ask("/openapi.json").json["paths"]?.object?.keys ?? []
    #expect(paths.contains("/v1/chat/completions"))
  }
}
