import Components
import Conformance
import Execution
import Formats
import Foundation
import Generation
import Kernels
import Models
import TestSupport
import Testing

/// Texts that are written with proposals are those that are written without.
@Suite("Speculative decoding") struct SpeculationTests {
  private static let prompt = [3, 1, 4, 1, 5, 9, 2, 6, 5]
  /// Windows that texts of this length move on.
  private static let windows = ["local", "sliding", "attention"].map { "layers.variants.\($0).attention.window=11" }

  /// Proposes what it is told to, whatever the text; and tokens that nobody would, in between.
  private final class StubbornDrafter: TokenDrafter {
    let cost = 0.0
    private let text: [Int]

    init(_ text: [Int]) { self.text = text }

    func propose(_ count: Int, following rehearsal: inout Rehearsal) throws -> [TokenProposal] {
      var proposals: [TokenProposal] = []
      for place in rehearsal.tokens.count..<rehearsal.tokens.count + count where place < text.count {
        let token = place % 5 == 4 ? (text[place] + 1) % 61 : text[place]
        guard rehearsal.accept(token) else { break }
        proposals.append(TokenProposal(token))
      }
      return proposals
    }
  }

  private static func executor(_ plan: Plan, seed: UInt64, states: StorageFormat = .f32) throws -> PlanExecutor {
    let parameters = try Parameters(plan, seed: seed)
    // What is learned from nothing predicts nothing: with more noise some tokens are likelier than others.
    var noise = Noise(seed: 4 + seed)
    for index in plan.parameters.indices {
      guard let numbers = parameters.mutable(index) else { continue }
      for i in numbers.indices { numbers[i] += 0.15 * noise.next() }
    }
    return try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: 1), maximumRows: 16, states: states, fusing: true, computeType: .f32)
  }

  private static func settings(_ count: Int, temperature: Double = 0, seed: UInt64 = 0) -> TextGenerator.Settings {
    var settings = TextGenerator.Settings()
    settings.maximumTokens = count
    settings.sampling.temperature = temperature
    settings.sampling.seed = seed
    return settings
  }

  // Greedy tokens, so that roundings of rows that are computed together or apart do not show.
  @Test("greedy texts are the same for every kind of state, with good and bad proposals", arguments: PassTests.names)
  func greedy(_ name: String) throws {
    let plan = try PassTests.shrunk(name, adding: ["context_length=64", "attention.window=11"] + Self.windows)
    if plan.seesWholeTexts {
      #expect(throws: ModelProblem.self) {
        try TextGenerator(try Self.executor(plan, seed: 3), tokenizer: nil).generate(Self.prompt, Self.settings(4)) {
          _, _ in true
        }
      }
      return
    }
    let executor = try Self.executor(plan, seed: 3)
    var settings = Self.settings(20)
    for slides in [false, true] {
      settings.slides = slides
      settings.maximumTokens = slides && plan.longestText < 80 ? 80 : 20
      let plain = try TextGenerator(executor, tokenizer: nil).generate(Self.prompt, settings) { _, _ in true }
      let drafter = StubbornDrafter(Self.prompt + plain.tokens)
      let speculation = Speculation(drafter, most: 6)
      let generator = TextGenerator(executor, tokenizer: nil, speculation: speculation)
      var emitted: [Int] = []
      let drafted = try generator.generate(Self.prompt, settings) { _, id in
        if let id { emitted.append(id) }
        return true
      }
      #expect(drafted.tokens == plain.tokens && emitted == plain.tokens && drafted.ending == plain.ending)
      let counts = try #require(drafted.drafts)
      #expect(counts.accepted > 0 && counts.accepted < counts.proposed && counts.passes > 0)
    }
  }

  @Test("a sampled text is the same, token by token, where proposals are not drawn", arguments: PlannedState.formats)
  func lookup(_ format: StorageFormat) throws {
    let plan = try PassTests.shrunk("llama-7b", adding: ["context_length=64"])
    let executor = try Self.executor(plan, seed: 3, states: format)
    for seed: UInt64 in 0..<8 {
      var settings = Self.settings(40, temperature: 0.7, seed: seed)
      settings.sampling.topP = 0.9
      settings.sampling.repeatPenalty = 1.1
      settings.logProbabilities = 2
      let plain = try TextGenerator(executor, tokenizer: nil).generate(Self.prompt, settings) { _, _ in true }
      let drafter = StubbornDrafter(Self.prompt + plain.tokens)
      let drafted = try TextGenerator(executor, tokenizer: nil, speculation: Speculation(drafter, most: 4))
        .generate(Self.prompt, settings) { _, _ in true }
      #expect(drafted.tokens == plain.tokens)
      #expect(drafted.probabilities.map(\.token.id) == plain.probabilities.map(\.token.id))
    }
  }

  @Test("a generation that is cancelled or stopped within a pass ends there")
  func ends() throws {
    let plan = try PassTests.shrunk("llama-7b", adding: ["context_length=64"])
    let executor = try Self.executor(plan, seed: 3)
    let plain = try TextGenerator(executor, tokenizer: nil).generate(Self.prompt, Self.settings(20)) { _, _ in true }
    for count in 1...12 {
      let drafter = StubbornDrafter(Self.prompt + plain.tokens)
      let generator = TextGenerator(executor, tokenizer: nil, speculation: Speculation(drafter, most: 7))
      var written = 0
      let cancelled = try generator.generate(Self.prompt, Self.settings(20)) { _, _ in
        written += 1
        return written < count
      }
      #expect(cancelled.ending == .cancelled && cancelled.tokens == Array(plain.tokens.prefix(count)))
      let short = try generator.generate(Self.prompt, Self.settings(count)) { _, _ in true }
      #expect(short.ending == .length && short.tokens == Array(plain.tokens.prefix(count)))
      var ending = Self.settings(20)
      ending.ends = [plain.tokens[count]]
      let ended = try generator.generate(Self.prompt, ending) { _, _ in true }
      #expect(ended.ending == .end && ended.tokens == Array(plain.tokens.prefix { $0 != plain.tokens[count] }))
    }
  }

  /// χ² of counts against what is expected, over cells of at least five expected; and the degrees of freedom.
  private static func chiSquare(_ counts: [[Int]: Int], _ expected: [[Int]: Double], _ total: Int) -> (
    value: Double, freedom: Int
  ) {
    var (value, cells, restCount, restExpected) = (0.0, 0, total, Double(total))
    for (cell, probability) in expected where probability * Double(total) >= 5 {
      let (count, wanted) = (counts[cell] ?? 0, probability * Double(total))
      value += (Double(count) - wanted) * (Double(count) - wanted) / wanted
      cells += 1
      restCount -= count
      restExpected -= wanted
    }
    if restExpected >= 5 {
      value += (Double(restCount) - restExpected) * (Double(restCount) - restExpected) / restExpected
      cells += 1
    }
    return (value, cells - 1)
  }

  // Wilson and Hilferty: (χ²/n)^⅓ is nearly normal, with mean 1 − 2/9n and variance 2/9n. Seeds are fixed: at 4 standard
  // deviations a right sampler fails for one choice of them in 30,000, and it does not for these. A draft that is believed
  // whatever the model says is tens of deviations away.
  private static func deviations(_ chi: (value: Double, freedom: Int)) -> Double {
    let n = 9 * Double(chi.freedom) / 2
    return (pow(chi.value / Double(chi.freedom), 1.0 / 3) - (1 - 1 / n)) * n.squareRoot()
  }

  struct Way: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var topP = 1.0
    var topK = 0
    var temperature = 0.9
  }

  /// The distribution of three tokens, exactly, from the model's own logits: what `settings` leave of each softmax.
  private static func exact(_ executor: PlanExecutor, _ settings: Sampler.Settings) throws -> [[Int]: Double] {
    var texts: [[Int]: Double] = [[]: 1]
    for _ in 0..<3 {
      var next: [[Int]: Double] = [:]
      for (text, probability) in texts {
        let sequence = try executor.openSequence(length: prompt.count + text.count)
        try executor.forward([(sequence, prompt + text)], logits: .last) { _, _, logits in
          var sampler = Sampler(settings)
          guard let one = sampler.proposal(logits, after: prompt + text, prompt: prompt.count) else { return }
          for (id, share) in zip(one.ids, one.probabilities) { next[text + [id]] = probability * share }
        }
      }
      texts = next
    }
    return texts
  }

  @Test(
    "with a model that drafts, texts are distributed as without",
    arguments: [
      Way(testDescription: "all tokens"), Way(testDescription: "top-p", topP: 0.7),
      Way(testDescription: "top-k, hot", topK: 3, temperature: 2),
    ])
  func distribution(_ way: Way) throws {
    let plan = try Self.few()
    let (executor, draft) = (try Self.executor(plan, seed: 3), try Self.executor(plan, seed: 4))
    var settings = Self.settings(3, temperature: way.temperature)
    settings.sampling.topP = way.topP
    settings.sampling.topK = way.topK
    let expected = try Self.exact(executor, settings.sampling)
    #expect(abs(expected.values.reduce(0, +) - 1) < 1e-9)
    let total = 12_000
    var (counts, accepted, refused): ([[Int]: Int], Int, Int) = ([:], 0, 0)
    let drafter = ModelDrafter(draft, cost: 0.1, vocabulary: plan.logits.width)
    let generator = TextGenerator(executor, tokenizer: nil, speculation: Speculation(drafter, most: 4))
    for seed in 0..<total {
      settings.sampling.seed = UInt64(seed) &* 0x9E37_79B9
      let result = try generator.generate(Self.prompt, settings) { _, _ in true }
      counts[result.tokens, default: 0] += 1
      accepted += result.drafts?.accepted ?? 0
      refused += (result.drafts?.proposed ?? 0) - (result.drafts?.accepted ?? 0)
    }
    #expect(accepted > total / 10 && refused > total / 10, "both ways are taken")
    let chi = Self.chiSquare(counts, expected, total)
    #expect(chi.freedom > 10)
    #expect(abs(Self.deviations(chi)) < 4, "χ² \(chi.value) of \(chi.freedom)")
  }

  /// A model of six tokens, so that texts of three can be counted, whose logits differ as a trained one's do.
  private static func few() throws -> Plan {
    try PassTests.shrunk("llama-7b", adding: ["vocab_size=10", "context_length=64", "layers.count=2"])
  }

  @Test("proposals of the model itself all stay, and those of others are looked at with what the text has kept")
  func own() throws {
    let plan = try PassTests.shrunk("gemma-2-2b", adding: ["context_length=64"])
    let (executor, draft) = (try Self.executor(plan, seed: 3), try Self.executor(plan, seed: 3))
    let drafter = ModelDrafter(draft, cost: 0.1, vocabulary: plan.logits.width)
    let speculation = Speculation(drafter, most: 5)
    let session = TextSession(executor, tokenizer: nil, speculation: speculation)
    var prompt = Self.prompt
    for turn in 0..<3 {
      let plain = try TextGenerator(executor, tokenizer: nil).generate(prompt, Self.settings(9)) { _, _ in true }
      let drafted = try session.generate(prompt, Self.settings(9)) { _, _ in true }
      #expect(drafted.tokens == plain.tokens, "turn \(turn)")
      let counts = try #require(drafted.drafts)
      #expect(counts.accepted == counts.proposed && counts.passes <= 4)
      prompt += drafted.tokens + [8, 2]
    }
    // Its proposals are drawn, and the same distribution keeps every one.
    let sampled = try TextGenerator(executor, tokenizer: nil, speculation: speculation)
      .generate(Self.prompt, Self.settings(30, temperature: 1)) { _, _ in true }
    let counts = try #require(sampled.drafts)
    #expect(counts.accepted == counts.proposed && counts.accepted >= 20)
  }

  @Test(
    "drafts of every kind of state, and of a shorter context, follow the text",
    arguments: ["llama-7b", "mamba2-130m", "gemma-3-270m", "jamba-v0.1", "recurrentgemma-2b"])
  func drafts(_ name: String) throws {
    let small = try PassTests.shrunk(name, adding: ["context_length=32"] + Self.windows)
    let plan = try PassTests.shrunk("llama-7b", adding: ["context_length=128"])
    let (executor, draft) = (try Self.executor(plan, seed: 3), try Self.executor(small, seed: 5))
    let plain = try TextGenerator(executor, tokenizer: nil).generate(Self.prompt, Self.settings(100)) { _, _ in true }
    let drafter = ModelDrafter(draft, cost: 0.1, vocabulary: plan.logits.width)
    let drafted = try TextGenerator(executor, tokenizer: nil, speculation: Speculation(drafter, most: 8))
      .generate(Self.prompt, Self.settings(100)) { _, _ in true }
    #expect(drafted.tokens == plain.tokens)
    #expect((drafted.drafts?.proposed ?? 0) > 20)
  }
}
