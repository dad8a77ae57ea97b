import Execution
import Files
import Formats
import Generation
import Models
import Serving
import TestSupport
import Testing

/// Prompts that begin alike share what was read of them.
@Suite struct BeginningsTests {
  /// Models whose states have rows for each token, windows, one row for all, and both; with latent attention and experts.
  static let kinds: [(name: String, format: StorageFormat, changes: [String])] = [
    (
      "story-llama", .q8_0,
      ["hidden_size=256", "mlp.intermediate_size=512", "attention.num_heads=8", "layers.count=2", "vocab_size=300"]
    ),
    ("story-hybrid", .f32, ["vocab_size=300"]),
    ("mamba-130m", .f32, ["hidden_size=64", "layers.count=2", "vocab_size=300"]),
    (
      "mistral-7b", .q4_0,
      [
        "hidden_size=256", "layers.count=2", "attention.num_heads=8", "attention.num_kv_heads=2",
        "mlp.intermediate_size=256", "attention.window=48", "vocab_size=300", "context_length=512",
      ]
    ),
    (
      "mixtral-8x7b", .q8_0,
      [
        "hidden_size=256", "layers.count=2", "attention.num_heads=8", "attention.num_kv_heads=2", "mlp.num_experts=4",
        "mlp.expert_size=256", "vocab_size=300", "context_length=512",
      ]
    ),
  ]

  private static let common = (0..<150).map { ($0 * 37 + 11) % 300 }
  /// Prompts of which many begin with the first 150 tokens, or with fewer of them.
  private static let prompts: [[Int]] = (0..<10).map { number in
    let own = (0..<5 + number * 10).map { ($0 * 31 + number * 17) % 300 }
    return (number == 3 ? [] : Array(common.prefix(number == 6 ? 70 : 150))) + own
  }

  @Test("they are to the last bit what they are alone", arguments: kinds.indices)
  func bits(kind: Int) throws {
    let (name, format, changes) = Self.kinds[kind]
    let batches = try QuantisedBatches(name, changes, format: format, computeType: .stored)
    let alone = try Self.prompts.map { try batches.run([$0], keeping: 0).written[0] }
    for order in [Array(0..<10), Array((0..<10).reversed())] {
      let found = try batches.run(order.map { Self.prompts[$0] }, keeping: 1 << 26)
      for (place, number) in order.enumerated() { #expect(found.written[place] == alone[number], "\(name), \(number)") }
      #expect(found.reused.reduce(0, +) >= 128 * 4, "\(name): \(found.reused)")
      #expect(found.reused.allSatisfy { $0 % 16 == 0 })
    }
    // One after the other: each finds what the one before it left.
    let later = try batches.run(Self.prompts, keeping: 1 << 26, together: false)
    for number in 0..<10 { #expect(later.written[number] == alone[number], "\(name), \(number)") }
    #expect(later.reused[1] >= 128 && later.reused[9] >= 128 && later.reused[6] >= 64 && later.reused[3] == 0)
  }

  @Test("where nothing is kept, nothing is found")
  func nothingKept() throws {
    let (name, _, changes) = Self.kinds[0]
    let batches = try QuantisedBatches(name, changes, format: .f32, computeType: .f32)
    let found = try batches.run(Self.prompts, keeping: 0, together: false)
    #expect(found.reused == Array(repeating: 0, count: 10) && found.kept == 0)
    let some = try batches.run(Self.prompts, keeping: 1 << 20, together: false)
    #expect(some.kept > 0 && some.kept <= 1 << 20)
  }

  @Test("usage and metrics say what was read before, and n choices have the KV cache of their prompt once")
  func told() throws {
    let server = try Served.server([try Served.model("story-llama")])
    let prompt = String(repeating: "Once upon a time there was a girl. ", count: 12)
    func ask(_ end: String) -> (text: String?, cached: Int?) {
      let answer = server.ask(
        "/v1/completions", ["prompt": .string(prompt + end), "max_tokens": 4, "temperature": 0, "n": 2]
      ).json
      return (
        answer["choices"]?.array?.first?["text"]?.string,
        answer["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.integer
      )
    }
    let first = ask("She")
    #expect(first.cached == 0)
    let second = ask("She")
    #expect(second.text == first.text)
    let cached = try #require(second.cached)
    #expect(cached >= 64 && cached % 16 == 0)
    var metrics = ""
    for _ in 0..<1000 where !metrics.contains("chimera_jobs_running 0\n") { metrics = server.ask("/metrics").text }
    #expect(metrics.contains("chimera_prompt_tokens_reused_total \(cached)\n"))
    #expect(metrics.contains("chimera_state_bytes 0\n") && !metrics.contains("chimera_kept_state_bytes 0\n"))
  }
}
