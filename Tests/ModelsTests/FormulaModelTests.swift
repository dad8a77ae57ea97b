import Components
import Conformance
import Execution
import Kernels
import Models
import Specification
import TestSupport
import Testing

@Suite("models with a formula")
struct FormulaModelTests {
  private func logits(_ patch: String) throws -> [Float] {
    let models = try Here.models()
    let tree = try YAMLReader(source: "patch").read(
      "{hidden_size: 32, vocab_size: 64, layers: {count: 2}, " + patch + "}")
    let plan = try models.describe("gpt2", patches: [tree]).plan
    let executor = try PlanExecutor(
      plan, try Parameters(plan, seed: 3), pool: ThreadPool(threads: 1), states: .f32, fusing: true,
      computeType: .stored)
    var logits: [Float] = []
    try executor.forward([(try executor.openSequence(length: 4), [1, 2, 3, 4])], logits: .all) { _, _, row in
      logits += row
    }
    return logits
  }

  // The same function by other steps: a few roundings of logits below 1.
  @Test(
    "a formula takes the place of a named activation and gives the same logits",
    arguments: [("relu2", "max(x, 0)^2"), ("quick_gelu", "x * sigmoid(1.702 * x)"), ("gelu", "gelu(x)")])
  func replaces(name: String, formula: String) throws {
    for gated in [false, true] {
      let inner = "intermediate_size: 64, gated: \(gated)"
      let named = try logits("attention: {num_heads: 4}, mlp: {activation: \(name), \(inner)}")
      let written = try logits("attention: {num_heads: 4}, mlp: {activation: {formula: \"\(formula)\"}, \(inner)}")
      #expect(largestDifference(named, written) < 1e-6)
    }
  }
}
