import Execution
import Files
import Formats
import Generation
import Models
import Serving
import Synchronization
import TestSupport
import Testing

@Suite struct BatchingTests {
  /// Requests of many kinds, each with its own seed.
  private static func requests(_ count: Int) -> [JSONValue] {
    let texts = ["Once", "The cat", "One day a girl named Lily went to the park", "He said", "a b c d e f g h i j k"]
    return (0..<count).map { index in
      var body = JSONObject()
      body["prompt"] = .string(String(repeating: texts[index % texts.count] + " ", count: 1 + index % 7))
      body["max_tokens"] = .integer(1 + index * 7 % 23)
      body["temperature"] = index % 3 == 0 ? 0 : 1
      body["seed"] = .integer(index)
      body["logprobs"] = 1
      if index % 4 == 1 { body["echo"] = true }
      if index % 5 == 2 { body["n"] = 3 }
      return .object(body)
    }
  }

  @Test(
    "tokens and probabilities do not depend on what else runs, to the last bit",
    arguments: ["story-llama", "story-gpt2", "story-hybrid"])
  func invariance(model: String) throws {
    let server = try Served.server([try Served.model(model)])
    let requests = Self.requests(60)
    let alone = requests.map { server.ask("/v1/completions", $0).json["choices"] }
    #expect(alone.allSatisfy { $0 != nil })
    let together = requests.shuffled().map { ($0, Asking(server, "/v1/completions", $0)) }
    for (request, asking) in together {
      let index = try #require(requests.firstIndex(of: request))
      #expect(asking.whole().json["choices"] == alone[index])
    }
  }

  /// Small models of several kinds: plain, with experts, with latent attention, with states.
  static let kinds: [(String, [String])] = [
    (
      "story-llama",
      ["hidden_size=256", "mlp.intermediate_size=512", "attention.num_heads=8", "layers.count=2", "vocab_size=300"]
    ),
    (
      "mixtral-8x7b",
      [
        "hidden_size=256", "layers.count=2", "attention.num_heads=8", "attention.num_kv_heads=2", "mlp.num_experts=4",
        "mlp.expert_size=256", "vocab_size=300", "context_length=256",
      ]
    ),
  ]

  @Test(
    "nor do they in quantised weights, other formats and models of experts",
    arguments: [StorageFormat.f32, .bf16, .f16, .q8_0, .q4_0, .q4_k, .q6_k], [ComputeTypeName.stored, .f32])
  func formats(format: StorageFormat, computeType: ComputeTypeName) throws {
    for (name, changes) in Self.kinds {
      let batches = try QuantisedBatches(name, changes, format: format, computeType: computeType.type)
      let together = try batches.run(Array(0..<11))
      let some = try batches.run([4, 9, 1])
      for index in 0..<11 {
        #expect(try batches.run([index])[index] == together[index], "\(name), \(index)")
        if let one = some[index] { #expect(one == together[index], "\(name), \(index)") }
      }
    }
  }

  @Test("who leaves is dropped, and the others' answers are what they were")
  func leaving() throws {
    let server = try Served.server([try Served.model("story-llama")])
    let requests = Self.requests(40)
    let expected = requests.map { server.ask("/v1/completions", $0).json["choices"] }
    let askings = requests.map { request -> (Asking, Asking) in
      let leaver = Asking(
        server, "/v1/completions", ["prompt": "Once", "max_tokens": 200, "ignore_eos": true, "stream": true])
      return (Asking(server, "/v1/completions", request), leaver)
    }
    for (_, leaver) in askings { server.drop(leaver.answer) }
    for (index, (asking, _)) in askings.enumerated() { #expect(asking.whole().json["choices"] == expected[index]) }
    // The scheduler looks between two steps; when it has, nothing of them is left.
    var metrics = ""
    for _ in 0..<1000 where !metrics.contains("chimera_jobs_running 0\n") { metrics = server.ask("/metrics").text }
    #expect(metrics.contains("chimera_jobs_running 0\n"))
    #expect(metrics.contains("chimera_state_bytes 0\n"))
  }

  @Test("jobs wait for KV cache and all get their turn")
  func budget() throws {
    let model = try Served.model("story-llama")
    let server = try Served.server([model]) { $0.stateBytes = model.bytesPerToken * 120 }
    let askings = Self.requests(30).compactMap { request in
      request["n"] == nil ? Asking(server, "/v1/completions", request) : nil
    }
    for asking in askings { #expect(asking.whole().status == 200) }
  }
}
