import Conformance
import Execution
import Files
import Foundation
import Kernels
import TestSupport
import Testing

import Training

@Suite struct EvaluationTests {
  private static let ids = (0..<41).map { ($0 * $0 + 3 * $0) % 13 }

  private func text() throws -> TokenText {
    let bytes: [UInt8] = Self.ids.flatMap { (id: Int) -> [UInt8] in [UInt8(id), 0] }
    return TokenText([try TokenShard.rawTokens(MappedFile(copying: bytes, name: "ids"))])
  }

  /// −log p of each token after the first, predicted from the tokens of `window` before it.
  private func losses(_ model: TinyModel, window: (Int) -> Range<Int>) throws -> [Double] {
    try (1..<Self.ids.count).map { target in
      let tokens = Array(Self.ids[window(target)])
      let logits: [Double] = try model.logits(tokens, parts: tokens.count).suffix(13).map { Double($0) }
      let most = logits.max() ?? 0
      let total: Double = logits.reduce(0) { (sum: Double, logit: Double) -> Double in sum + exp(logit - most) }
      return log(total) + most - logits[Self.ids[target]]
    }
  }

  @Test(
    "every token but the first counts once, with the context that its window gives",
    arguments: [(8, 1), (8, 4), (12, 5), (16, 15)])
  func windows(_ context: Int, _ stride: Int) throws {
    let model = try TinyModel("position=rope")
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: true,
      computeType: .stored)
    let found = try Evaluation(executor, on: try text(), context: context, stride: stride, beginning: nil)
    #expect(found.tokens == Self.ids.count - 1)
    // The first window predicts the tokens up to `context`; each later one `stride` more, from `context` before its last.
    let expected = try losses(model) { (target: Int) -> Range<Int> in
      let later = (target - context + stride - 1) / stride * stride
      let end = target <= context ? context + 1 : min(Self.ids.count, context + 1 + later)
      return max(0, end - 1 - context)..<target
    }
    // Sums of f32 logits in another order.
    #expect(abs(found.loss - expected.reduce(0, +) / Double(expected.count)) < 1e-5)
    #expect(abs(found.perplexity - exp(found.loss)) < 1e-9)
    #expect(abs(found.bitsPerByte(bytes: 80) - found.loss * 40 / log(2) / 80) < 1e-12)
  }

  @Test("with a token that begins texts, the first counts too")
  func beginning() throws {
    let model = try TinyModel("position=rope")
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: true,
      computeType: .stored)
    let found = try Evaluation(executor, on: try text(), context: 8, stride: 4, beginning: 7)
    #expect(found.tokens == Self.ids.count)
    #expect(throws: TrainingProblem.self) {
      try Evaluation(executor, on: try text().prefix(1), context: 8, stride: 4, beginning: nil)
    }
  }
}
