import Formats
import Components
import Foundation
import Execution
import Kernels
import Models
import SharedData
import TestSupport
import Testing

@Suite struct StateFormatLossTests {
  /// The mean loss of the first `count` tokens of wikitext-2's validation text after each other.
  private func loss(_ loaded: LoadedModel, _ ids: [Int], states: StorageFormat) throws -> Double {
    let executor = try loaded.executor(pool: ThreadPool(threads: 2), states: states, computeType: .f32)
    let sequence = try executor.openSequence(length: ids.count)
    var sum = 0.0
    try executor.forward([(sequence, ids)], logits: .all) { _, position, logits in
      guard position + 1 < ids.count else { return }
      let top = Double(logits.max() ?? 0)
      sum += top + log(logits.reduce(0) { $0 + exp(Double($1) - top) }) - Double(logits[ids[position + 1]])
    }
    return sum / Double(ids.count - 1)
  }

  // Over 4 × 512 tokens the losses are 2.91811 (f32), 2.91813 (f16), 2.91829 (bf16) and 2.91860 (q8_0), by
  // `chimera logits MODEL --tokens IDS --output FILE --cache FORMAT` and a sum in numpy; 0.005 nats are ten times the
  // largest difference, for fewer tokens. In f32, for the rounding of int8 dots moves more than a cache does.
  @Test("a narrower cache costs a trained model less than 0.005 nats", .needs(SharedData.smolLM2, SharedData.wikiText))
  func losses() throws {
    let path = try SharedData.path(SharedData.smolLM2)
    let corpus = try SharedData.path(SharedData.wikiText)
    let models = try Here.models()
    let loaded = try models.load(models.describe(path))
    let tokenizer = try #require(loaded.tokenizer)
    let text = try String(contentsOfFile: corpus, encoding: .utf8).prefix(2000)
    let ids = Array(tokenizer.encode(String(text), addSpecialTokens: false).prefix(256))
    #expect(ids.count == 256)
    let exact = try loss(loaded, ids, states: .f32)
    #expect(exact > 1 && exact < 4)
    for format in PlannedState.formats where format != .f32 {
      let found = try loss(loaded, ids, states: format)
      #expect(abs(found - exact) < 0.005 && found != exact, "\(format.rawValue): \(found) instead of \(exact)")
    }
  }
}
