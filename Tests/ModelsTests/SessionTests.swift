import Components
import Execution
import Generation
import Kernels
import Models
import TestSupport
import Testing

/// A session that keeps what texts have in common writes what a generator writes that computes all of each.
@Suite("Sessions") struct SessionTests {
  private static func settings(_ count: Int) -> TextGenerator.Settings {
    var settings = TextGenerator.Settings()
    settings.maximumTokens = count
    settings.sampling.temperature = 0
    return settings
  }

  // Greedy tokens, so that roundings of rows that are computed together or apart do not show.
  @Test("turns give the tokens of a fresh pass, whatever is shared", arguments: PassTests.names)
  func turns(_ name: String) throws {
    let plan = try PassTests.shrunk(name, adding: ["context_length=64"])
    let parameters = try Parameters(plan, seed: 3)
    let executor = try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: true, computeType: .f32)
    let session = TextSession(executor, tokenizer: nil)
    var prompt = [3, 1, 4, 1, 5, 9, 2, 6]
    if plan.seesWholeTexts {
      #expect(throws: ModelProblem.self) { try session.generate(prompt, Self.settings(4)) { _, _ in true } }
      return
    }
    for turn in 0..<4 {
      let kept = try session.generate(prompt, Self.settings(4)) { _, _ in true }
      let fresh = try TextGenerator(executor, tokenizer: nil).generate(prompt, Self.settings(4)) { _, _ in true }
      #expect(kept.tokens == fresh.tokens, "turn \(turn)")
      // The third turn takes back a part, the fourth is the same again.
      if turn == 1 { prompt = Array(prompt[..<5]) + [7, 7] } else if turn == 0 { prompt += kept.tokens + [8, 2] }
    }
  }

  @Test("what was computed is not computed again where every token has a row of its own")
  func reuse() throws {
    let plan = try PassTests.shrunk("llama-7b", adding: ["context_length=64"])
    let executor = try PlanExecutor(
      plan, Parameters(plan, seed: 3), pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: true,
      computeType: .f32)
    let session = TextSession(executor, tokenizer: nil)
    let first = try session.generate([3, 1, 4, 1], Self.settings(3)) { _, _ in true }
    #expect(session.reused == 0)
    // The last generated token was never put in.
    _ = try session.generate([3, 1, 4, 1] + first.tokens + [8], Self.settings(3)) { _, _ in true }
    #expect(session.reused == 4 + 2)
    _ = try session.generate([3, 1, 5], Self.settings(3)) { _, _ in true }
    #expect(session.reused == 2)
  }
}
