import Files
import Foundation
import Models
import Probing
import Serving
import TestSupport
import Testing

/// Looking into a served model: what its parts are, and what becomes of a text without some of them.
@Suite("the parts of a served model")
struct ProbeServingTests {
  private let server: ModelServer

  init() throws { server = try #require(Served.stories) }

  private func probe(_ more: (String, JSONValue)...) -> Answered {
    var object = JSONObject()
    object["model"] = "story-llama"
    object["prompt"] = "Once upon a time there was a dog"
    for (key, value) in more { object[key] = value }
    return server.ask("/probe", .object(object))
  }

  @Test("parts are listed layer by layer")
  func parts() throws {
    let layers = try #require(server.ask("/parts?model=story-llama").json["data"]?.array)
    #expect(layers.count == 6 && layers[2]["name"]?.string == "layers.2")
    let sublayers = try #require(layers[0]["sublayers"]?.array)
    #expect(sublayers.map { $0["name"]?.string } == ["layers.0.attn", "layers.0.mlp"])
    #expect(sublayers.map { $0["heads"]?.array?.count } == [6, 0])
    #expect(server.ask("/parts?model=nothing").status == 404)
  }

  @Test("a text's probabilities are those of its completion, and a head that is off changes them as probe says")
  func off() throws {
    let plain = probe().json
    let echoed = server.ask(
      "/v1/completions",
      [
        "model": "story-llama", "prompt": "Once upon a time there was a dog", "echo": true, "max_tokens": 0,
        "logprobs": 1,
      ]
    ).json
    let numbers = try #require(echoed["choices"]?.array?.first?["logprobs"]?["token_logprobs"]?.array).map(\.number)
    let own = try #require(plain["tokens"]?.array).map { $0["logprob"]?.number }
    #expect(own.count == numbers.count && own[0] == nil)
    // Steps are not joined while they are watched: a few roundings.
    for (a, b) in zip(own, numbers) { if let a, let b { #expect(abs(a - b) < 1e-4) } }
    #expect(plain["changed_loss"]?.isNull == true)
    let part = "layers.1.attn.head.2"
    let changed = probe(("off", [.string(part)])).json
    #expect(changed["loss"]?.number == plain["loss"]?.number)
    let models = try Here.models()
    let loaded = try models.load(models.describe("story-llama"))
    let ids = try #require(loaded.tokenizer).encode("Once upon a time there was a dog")
    let model = try ModelProbe(loaded, tokens: ids.count, pool: Served.pool, computeType: .f32)
    let study = try PartStudy(model, .loss, windows: [ids], other: nil, seed: 0)
    let effect = try study.effects(of: [
      PartChange(name: part, parts: try model.map.parts(named: part).map { ($0, .zero) })
    ])[0]
    let difference = try #require(changed["changed_loss"]?.number) - #require(plain["loss"]?.number)
    #expect(abs(difference - effect.mean) < 1e-5 && abs(difference) > 1e-5)
  }

  @Test("the attention of a head is its weights: a row for each token, which sums to one")
  func attention() throws {
    let rows = try #require(probe(("attention", "layers.0.attn.head.1")).json["attention"]?.array)
    #expect(rows.count > 5)
    for (query, row) in rows.enumerated() {
      let weights = try #require(row.array).compactMap(\.number)
      // Each is rounded to four digits.
      #expect(abs(weights.reduce(0, +) - 1) < 1e-4 * Double(weights.count))
      #expect(weights.dropFirst(query + 1).allSatisfy { $0 == 0 })
    }
  }

  @Test("what is wrong is refused by name")
  func refusals() {
    for (key, value, words) in [
      ("off", ["layers.9"], "layers.*.attn.head.*"), ("off", [3], "names of parts"),
      ("attention", "layers.0", "a head"),
      ("prompt", "", "no tokens"), ("prompt", [1], "one token"), ("logprobs", 99, "0 to 20"), ("of", [], "unknown"),
      ("prompt", .array(Array(repeating: 5, count: 513)), "context"),
    ] as [(String, JSONValue, String)] {
      let answer = probe((key, value))
      #expect(answer.status == 400 && answer.parameter == key, "\(key): \(answer.text)")
      #expect(answer.message.contains(words), "\(answer.message)")
    }
  }
}
