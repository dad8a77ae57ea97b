import Generation
import Testing

/// Which tokens can be drawn at all, against transformers 5.23's LogitsProcessors:
///
///     l = torch.tensor([[2.0, 1.5, 1.2, 0.9, 0.3, 0.0, -0.4, -1.0, -1.7, -2.5, -3.0, -4.0]])
///     TypicalLogitsWarper(mass=m)(None, l), MinPLogitsWarper(min_p=m)(None, l)
@Suite("What samplers keep") struct SamplerChoiceTests {
  private static let logits: [Float] = [2, 1.5, 1.2, 0.9, 0.3, 0, -0.4, -1, -1.7, -2.5, -3, -4]

  /// The tokens that 3000 draws give.
  private static func drawn(
    _ logits: [Float] = logits, after history: [Int] = [], prompt: Int = 0, _ change: (inout Sampler.Settings) -> Void
  ) -> [Int] {
    var settings = Sampler.Settings()
    settings.temperature = 1
    change(&settings)
    var sampler = Sampler(settings)
    var found: Set<Int> = []
    for _ in 0..<3000 {
      if let id = logits.withUnsafeBufferPointer({ sampler.next($0, after: history, prompt: prompt) }) {
        found.insert(id)
      }
    }
    return found.sorted()
  }

  @Test(
    "typical-p keeps the most typical",
    arguments: [(0.2, [1, 2]), (0.5, [0, 1, 2, 3]), (0.8, [0, 1, 2, 3]), (0.95, [0, 1, 2, 3, 4, 5, 6])])
  func typical(mass: Double, kept: [Int]) {
    #expect(Self.drawn { $0.typicalP = mass } == kept)
  }

  @Test("typical-p comes after top-k and top-p, and min-p keeps a part of the likeliest")
  func order() {
    let kept = Self.drawn {
      ($0.topK, $0.topP, $0.typicalP) = (6, 0.9, 0.6)
    }
    #expect(kept == [0, 1, 2])
    #expect(Self.drawn { $0.minP = 0.3 } == [0, 1, 2, 3])
  }

  /// The formula of OpenAI's API: logit − count · frequency − (count > 0) · presence.
  @Test("penalties count what was generated, not the prompt; a bias is added, and −∞ forbids")
  func penalties() {
    func greedy(_ history: [Int], prompt: Int = 0, _ change: (inout Sampler.Settings) -> Void) -> [Int] {
      Self.drawn(after: history, prompt: prompt) {
        $0.temperature = 0
        change(&$0)
      }
    }
    #expect(greedy([0, 0], prompt: 2) { $0.frequencyPenalty = 10 } == [0])
    #expect(greedy([0, 0]) { $0.frequencyPenalty = 0.26 } == [1], "2 − 0.52 < 1.5")
    #expect(greedy([0, 0]) { $0.frequencyPenalty = 0.24 } == [0], "2 − 0.48 > 1.5")
    #expect(greedy([0, 0]) { $0.presencePenalty = 0.49 } == [0])
    #expect(greedy([0, 0]) { $0.presencePenalty = 0.51 } == [1])
    // SequenceBiasLogitsProcessor([[[3], 2.5], [[0], -10.0]]) gives token 3 the logit 3.4 and token 0 −8.
    #expect(greedy([]) { $0.bias = [3: 2.5, 0: -10] } == [3])
    #expect(Self.drawn([1, 1, 1]) { $0.bias = [1: -.infinity] } == [0, 2])
    #expect(Self.drawn([1]) { $0.bias = [0: -.infinity] } == [])
  }
}
