import Components
import Execution
import Generation
import Kernels
import Models
import SharedData
import TestSupport
import Testing

/// Against transformers 5.23.0:
///
///     m = AutoModelForCausalLM.from_pretrained("llama/stories260K", dtype=torch.float32)
///     m.generate(torch.tensor([ids]), num_beams=n, do_sample=False, max_new_tokens=16, eos_token_id=ends,
///                num_return_sequences=n, return_dict_in_generate=True, output_scores=True)
@Suite("Beam search") struct BeamSearchTests {
  struct Case: Sendable {
    let prompt: [Int]
    let beams: Int
    let ends: Set<Int>
    let tokens: [[Int]]
    let scores: [Double]
  }

  static let cases = [
    Case(
      prompt: [1], beams: 4, ends: [426],
      tokens: [
        [403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317],
        [403, 407, 261, 378, 432, 383, 286, 261, 376, 268, 414, 422, 395, 405],
        [403, 407, 261, 378, 432, 383, 286, 261, 376, 268, 414, 422, 395, 326],
        [403, 407, 261, 378, 432, 383, 286, 261, 268, 414, 422, 395, 405],
      ], scores: [-0.10014, -0.19614, -0.24297, -0.28171]),
    Case(
      prompt: [1], beams: 3, ends: [395, 317],
      tokens: [
        [403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421],
        [403, 407, 261, 378, 432, 383, 286, 261, 376, 268, 414, 422],
        [403, 407, 261, 378, 432, 383, 286, 261, 268, 414, 422],
      ], scores: [-0.10424, -0.18682, -0.2864]),
    Case(
      prompt: [1, 403, 407], beams: 3, ends: [401],
      tokens: [
        [261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338],
        [261, 378, 432, 383, 286, 261, 376, 268, 414, 422, 395, 405, 426, 405],
        [261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 381, 261],
      ], scores: [-0.10513, -0.20245, -0.22297]),
    Case(
      prompt: [1], beams: 2, ends: [261], tokens: [[403, 407], [385, 328, 432]], scores: [-0.09112, -0.49494]),
  ]

  // Sums of some twenty logarithms of f32 probabilities, printed with five digits.
  @Test("finds the sequences and scores of the reference", .needs("llama/stories260K"), arguments: cases)
  func reference(_ one: Case) throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(SharedData.path("llama/stories260K")))
    let executor = try loaded.executor(pool: ThreadPool(threads: 1), states: .f32, computeType: .f32)
    var settings = TextGenerator.Settings()
    settings.maximumTokens = 16
    settings.ends = one.ends
    let found = try BeamSearch(executor, tokenizer: nil).generate(one.prompt, beams: one.beams, settings)
    #expect(found.map(\.result.tokens) == one.tokens)
    for (score, expected) in zip(found.map(\.score), one.scores) { #expect(abs(score - expected) < 2e-5) }
  }

  @Test(
    "one beam writes what greedy sampling writes, for every kind of state",
    arguments: ["llama-7b", "gpt2", "mamba2-130m"])
  func greedy(_ name: String) throws {
    let plan = try PassTests.shrunk(name, adding: ["context_length=64"])
    let executor = try PlanExecutor(
      plan, Parameters(plan, seed: 3), pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: true,
      computeType: .f32)
    var settings = TextGenerator.Settings()
    settings.maximumTokens = 8
    settings.sampling.temperature = 0
    let prompt = [3, 1, 4, 1, 5]
    let greedy = try TextGenerator(executor, tokenizer: nil).generate(prompt, settings) { _, _ in true }
    #expect(
      try BeamSearch(executor, tokenizer: nil).generate(prompt, beams: 1, settings)[0].result.tokens == greedy.tokens)
    let wide = try BeamSearch(executor, tokenizer: nil).generate(prompt, beams: 5, settings)
    #expect(Set(wide.map(\.result.tokens)).count == 5)
    #expect(wide.map(\.score) == wide.map(\.score).sorted(by: >))
  }
}
