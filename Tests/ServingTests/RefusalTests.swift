import Files
import Serving
import ServingLink
import Testing

@Suite struct RefusalTests {
  private let server: ModelServer

  init() throws { server = try #require(Served.stories) }

  /// A path, the members of a body beside a good one's, the status and the parameter that is named.
  static let wrong: [(String, String, Int, String?)] = [
    ("/v1/completions", #"{"tempersture": 1}"#, 400, "tempersture"),
    ("/v1/completions", #"{"temperature": "hot"}"#, 400, "temperature"),
    ("/v1/completions", #"{"temperature": -1}"#, 400, "temperature"),
    ("/v1/completions", #"{"top_p": 1.5}"#, 400, "top_p"),
    ("/v1/completions", #"{"n": 0}"#, 400, "n"),
    ("/v1/completions", #"{"n": 129}"#, 400, "n"),
    ("/v1/completions", #"{"n": 2, "best_of": 1}"#, 400, "best_of"),
    ("/v1/completions", #"{"best_of": 2, "stream": true}"#, 400, "best_of"),
    ("/v1/completions", #"{"max_tokens": -1}"#, 400, "max_tokens"),
    ("/v1/completions", #"{"max_tokens": 1000000000}"#, 400, "max_tokens"),
    ("/v1/completions", #"{"logprobs": true}"#, 400, "logprobs"),
    ("/v1/completions", #"{"prompt": {}}"#, 400, "prompt"),
    ("/v1/completions", #"{"prompt": []}"#, 400, "prompt"),
    ("/v1/completions", #"{"prompt": [1000000]}"#, 400, "prompt"),
    ("/v1/completions", #"{"prompt": [-1]}"#, 400, "prompt"),
    ("/v1/completions", #"{"prompt": [1, "a"]}"#, 400, "prompt"),
    ("/v1/completions", #"{"stop": 1}"#, 400, "stop"),
    ("/v1/completions", #"{"logit_bias": {"a": 1}}"#, 400, "logit_bias"),
    ("/v1/completions", #"{"logit_bias": {"1": 1000}}"#, 400, "logit_bias"),
    ("/v1/completions", #"{"suffix": "x"}"#, 400, "suffix"),
    ("/v1/completions", #"{"stream_options": {"include_usage": true}}"#, 400, "stream_options"),
    ("/v1/completions", #"{"stream": true, "stream_options": {"usage": true}}"#, 400, "stream_options.usage"),
    ("/v1/completions", #"{"response_format": {"type": "xml"}}"#, 400, "response_format.type"),
    ("/v1/completions", #"{"grammar": "root ::= nowhere"}"#, 400, "grammar"),
    ("/v1/completions", #"{"model": "gpt-4"}"#, 404, "model"),
    ("/v1/chat/completions", #"{"messages": []}"#, 400, "messages"),
    ("/v1/chat/completions", #"{"messages": [{"content": "x"}]}"#, 400, "messages"),
    ("/v1/chat/completions", #"{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}"#, 400, "messages"),
    ("/v1/chat/completions", #"{"messages": [{"role": "user"}]}"#, 400, "messages"),
    ("/v1/chat/completions", #"{"messages": [{"role": "user", "content": null}]}"#, 400, "messages"),
    ("/v1/chat/completions", #"{"messages": [{"role": "user", "content": "x"}], "store": true}"#, 400, "store"),
    (
      "/v1/chat/completions", #"{"messages": [{"role": "user", "content": "x"}], "modalities": ["audio"]}"#, 400,
      "modalities"
    ),
    ("/v1/completions", #"{"prompt": "x", "service_tier": "flex"}"#, 400, "service_tier"),
    (
      "/v1/chat/completions", #"{"messages": [{"role": "user", "content": "x"}], "top_logprobs": 3}"#, 400,
      "top_logprobs"
    ),
    (
      "/v1/chat/completions", #"{"messages": [{"role": "user", "content": "x"}], "tool_choice": "required"}"#, 400,
      "tool_choice"
    ),
    (
      "/v1/chat/completions",
      #"{"messages": [{"role": "user", "content": "x"}], "tool_choice": {"function": {"name": "f"}}}"#, 400,
      "tool_choice"
    ),
    (
      "/v1/chat/completions", #"{"messages": [{"role": "user", "content": "x"}], "parallel_tool_calls": false}"#, 400,
      "parallel_tool_calls"
    ),
    (
      "/v1/chat/completions",
      // The template of this server's models does not say how a call is written.
      #"{"messages": [{"role": "user", "content": "x"}], "tools": [{"function": {"name": "f"}}],"#
        + #""tool_choice": "required"}"#,
      400, "tool_choice"
    ),
    (
      "/v1/chat/completions",
      #"{"messages": [{"role": "user", "content": "x"}], "tools": [{"function": {}}], "tool_choice": "required"}"#,
      400, "tools"
    ),
    (
      "/v1/chat/completions",
      #"{"messages": [{"role": "user", "content": "x"}], "tools": [{"function": {"name": "f"}}], "tool_choice": "any"}"#,
      400, "tool_choice"
    ),
    ("/v1/chat/completions", #"{"messages": [{"role": "user", "content": "x"}], "functions": []}"#, 400, "functions"),
    ("/v1/embeddings", #"{"input": ""}"#, 400, "input"),
    ("/v1/embeddings", #"{"input": "x", "dimensions": 3}"#, 400, "dimensions"),
    ("/v1/embeddings", #"{"input": "x", "pooling": "sum"}"#, 400, "pooling"),
    ("/tokenize", #"{"prompt": 3}"#, 400, "prompt"),
    ("/detokenize", #"{"tokens": [99999999]}"#, 400, "tokens"),
  ]

  @Test("a wrong, unknown or unsupported parameter is a 400 that names it", arguments: RefusalTests.wrong)
  func parameters(path: String, members: String, status: Int, parameter: String?) throws {
    var body = JSONObject()
    body["model"] = "story-llama"
    for (key, value) in try #require(JSONValue(parsing: members).object) { body[key] = value }
    let answer = server.ask(path, .object(body))
    #expect(answer.status == status, "\(answer.text)")
    #expect(answer.parameter == parameter, "\(answer.text)")
    #expect(answer.message.contains(parameter?.split(separator: ".").last ?? ""), "\(answer.text)")
  }

  @Test("null counts as absent, also of what would be refused")
  func nulls() {
    let body: JSONValue = [
      "model": "story-llama", "prompt": "a", "max_tokens": 1, "suffix": .null, "stop": .null, "n": .null,
    ]
    #expect(server.ask("/v1/completions", body).status == 200)
  }

  @Test("a prompt longer than the context is refused with OpenAI's code")
  func context() {
    let ids = JSONValue.array(Array(repeating: 1, count: 5000))
    let answer = server.ask("/v1/completions", ["model": "story-llama", "prompt": ids])
    #expect(answer.status == 400)
    #expect(answer.json["error"]?["code"]?.string == "context_length_exceeded")
  }

  @Test("other paths, methods and kinds of bodies have their statuses")
  func statuses() {
    #expect(server.ask("/v1/nothing").status == 404)
    #expect(server.ask("/v1/models/gpt-4").status == 404)
    #expect(server.ask("/v1/completions").status == 405)
    #expect(server.ask("/health", [:]).status == 405)
    #expect(server.ask("/v1/completions", [:], type: "text/plain").status == 415)
    #expect(server.ask("/v1/completions", "text").json["error"]?["code"]?.string == "invalid_json")
    #expect(server.ask("/../../etc/passwd").status == 404)
  }

  @Test("what needs more KV cache than there is, and what waits too long a queue, is refused")
  func limits() throws {
    let model = try Served.model("story-llama")
    let small = try Served.server([model]) { $0.stateBytes = 1000 }
    let answer = small.ask("/v1/completions", ["prompt": "Once", "max_tokens": 100])
    #expect(answer.json["error"]?["code"]?.string == "request_too_large")
    let short = try Served.server([model]) { $0.waiting = 2 }
    let many = short.ask("/v1/completions", ["prompt": ["a", "b", "c"], "max_tokens": 1])
    #expect(many.status == 429)
    #expect(many.fields["Retry-After"] != nil)
  }

  @Test("a server that ends takes nothing more, and ends what runs with a reason")
  func ending() throws {
    let server = try Served.server([try Served.model("story-llama")]) { $0.tokens = 1_000_000 }
    let running = Asking(
      server, "/v1/completions", ["prompt": "Once", "max_tokens": 100_000, "ignore_eos": true, "n": 4])
    server.stop(within: .zero)
    let answer = running.whole()
    #expect(answer.status == 503 || answer.status == 200)
    #expect(server.ask("/v1/completions", ["prompt": "Once"]).json["error"]?["code"]?.string == "server_ending")
  }
}

@Suite struct RequestGateTests {
  private let gate = RequestGate(token: "secret", hosts: ["my.box"], origins: ["http://ui.box"])

  private func refusal(_ fields: [String: String], _ path: String = "/v1/models", method: String = "GET") -> Int? {
    gate.refusal(of: RequestHead(method: method, target: path, fields: fields))?.status
  }

  @Test("a name that is neither an address nor listed is refused, whatever the token")
  func hosts() {
    for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "my.box", "MY.BOX:1", "10.0.0.7"] {
      #expect(refusal(["host": host, "authorization": "Bearer secret"]) == nil, "\(host)")
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "1.2.3.400", ""] {
      #expect(refusal(["host": host, "authorization": "Bearer secret"]) == 403, "\(host)")
    }
    #expect(refusal(["authorization": "Bearer secret"]) == 403)
  }

  @Test("a page of another origin is refused, its own and listed ones are not")
  func origins() {
    let fields = ["host": "localhost:80", "authorization": "Bearer secret"]
    #expect(refusal(fields.merging(["origin": "http://localhost:80"]) { $1 }) == nil)
    #expect(refusal(fields.merging(["origin": "http://ui.box"]) { $1 }) == nil)
    #expect(refusal(fields.merging(["origin": "http://evil.example"]) { $1 }) == 403)
    #expect(refusal(fields.merging(["origin": "null"]) { $1 }) == 403)
    #expect(refusal(["host": "localhost", "origin": "http://ui.box"], method: "OPTIONS") == nil)
  }

  @Test("without the token only health and version are told")
  func tokens() {
    #expect(refusal(["host": "localhost"]) == 401)
    #expect(refusal(["host": "localhost", "authorization": "Bearer secre"]) == 401)
    #expect(refusal(["host": "localhost", "authorization": "Bearer secrets"]) == 401)
    #expect(refusal(["host": "localhost", "authorization": "bearer secret"]) == nil)
    #expect(refusal(["host": "localhost"], "/health") == nil)
  }
}

@Suite struct FrameTests {
  @Test("messages come out as they went in, however the pipe cuts them")
  func pieces() throws {
    let frames = [
      Frame(.settings, text: "{}"),
      RequestHead(method: "POST", target: "/a?b", fields: ["host": "x"]).frame(request: 7, body: [1, 2]),
      Frame(.end, request: .max),
    ]
    let bytes = frames.flatMap(\.bytes)
    for size in [1, 3, 1000] {
      var reader = FrameReader()
      var found: [Frame] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        found += try reader.append(bytes[start..<min(bytes.count, start + size)])
      }
      #expect(found.map(\.kind) == frames.map(\.kind))
      #expect(found.map(\.payload) == frames.map(\.payload))
      #expect(found.map(\.request) == frames.map(\.request))
    }
    let parsed = try #require(RequestHead.parse(frames[1]))
    #expect(parsed.head.path == "/a")
    #expect(parsed.body == [1, 2])
  }

  @Test(
    "what is no message is told at once",
    arguments: [[0, 0, 0, 0], [255, 255, 255, 255], [9, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0]])
  func broken(bytes: [UInt8]) {
    var reader = FrameReader()
    #expect(throws: FrameReader.Broken.self) { try reader.append(bytes) }
  }
}
