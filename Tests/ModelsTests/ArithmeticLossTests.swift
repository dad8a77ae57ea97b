import Formats
import Components
import Execution
import Foundation
import Kernels
import Models
import SharedData
import TestSupport
import Testing

/// What the arithmetic of stored formats costs a trained model.
@Suite struct ArithmeticLossTests {
  /// Tokens of WikiText-2's validation text. The whole measure is 4 × 512, see README, Performance; there the largest
  /// difference was 0.006 nats.
  static let length = 192

  // The limit is the one that issue of speed names for 2,048 tokens; 192 tokens differ by a little more than those.
  @Test(
    "a trained model predicts text as well in the arithmetic of each stored format as in f32, within 0.02 nats",
    .needs(SharedData.smolLM2, SharedData.wikiText),
    arguments: [nil] + StorageFormat.allCases.filter { $0 == .bf16 || $0.elementsPerBlock == 32 }.map(Optional.some))
  func loss(_ format: StorageFormat?) throws {
    let path = try SharedData.path(SharedData.smolLM2)
    let text = try SharedData.path(SharedData.wikiText)
    let models = try Here.models()
    let described = try models.describe(path)
    let loaded = try models.load(described)
    let words = String(decoding: try Data(contentsOf: URL(fileURLWithPath: text)).prefix(4096), as: UTF8.self)
    let ids = Array(try #require(loaded.tokenizer).encode(words, addSpecialTokens: false).prefix(Self.length))
    #expect(ids.count == Self.length)
    let parameters = try format.map {
      try Parameters(described.plan, stored: stored(models.weights(of: described), as: $0))
    }
    let executors = try [ComputeType.f32, .stored].map {
      try PlanExecutor(
        described.plan, parameters ?? loaded.parameters, pool: ThreadPool(threads: 2), states: .f32, fusing: true,
        computeType: $0)
    }
    let losses = try executors.map { try meanLoss($0, ids) }
    #expect(abs(losses[1] - losses[0]) < 0.02, "\(format?.rawValue ?? "as it is"): \(losses)")
    #expect(losses[0] < 3.6, "the model itself must predict: \(losses)")
  }

  private func meanLoss(_ executor: PlanExecutor, _ ids: [Int]) throws -> Double {
    var loss = 0.0
    try executor.forward([(try executor.openSequence(length: ids.count), ids)], logits: .all) { _, position, logits in
      guard position + 1 < ids.count else { return }
      let top = logits.max() ?? 0
      var sum = 0.0
      for logit in logits { sum += Double(exp(logit - top)) }
      loss += Double(top) + log(sum) - Double(logits[ids[position + 1]])
    }
    return loss / Double(ids.count - 1)
  }

  /// The same tensors with their matrices in `format`.
  private func stored(_ tensors: [String: StoredTensor], as format: StorageFormat) -> [String: StoredTensor] {
    tensors.mapValues { tensor in
      guard tensor.shape.count > 1, let base = tensor.bytes.baseAddress else { return tensor }
      let count = tensor.shape.reduce(1, *)
      var numbers = [Float](repeating: 0, count: count)
      widen(tensor.format, base, count: count, into: &numbers)
      let owner = NSMutableData(length: format.byteCount(elements: count) ?? 0) ?? NSMutableData()
      narrow(numbers, count: count, to: format, into: owner.mutableBytes)
      return StoredTensor(
        name: tensor.name, shape: tensor.shape, format: format,
        bytes: UnsafeRawBufferPointer(start: owner.mutableBytes, count: owner.length), owner: owner)
    }
  }
}
