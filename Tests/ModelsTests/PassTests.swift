import Components
import Conformance
import Execution
import Foundation
import Kernels
import Models
import Specification
import TestSupport
import Testing

/// The plan's passes, on a small model of every architecture's shape.
@Suite struct PassTests {
  /// The models that read one text.
  static let names: [String] = {
    guard let models = try? Here.models() else { return [] }
    return models.catalog.models().map(\.name).filter { name in
      guard let described = try? models.describe(name) else { return false }
      return described.architecture.stacks.isEmpty && described.plan.readsTokens
    }
  }()

  /// The architecture with few and narrow layers: the same wiring, at a size that runs at once.
  /// `added` changes keys that it has.
  static func shrunk(_ name: String, adding added: [String] = []) throws -> Plan {
    let models = try Here.models()
    let full = try models.describe(name).architecture
    var changes = [
      "vocab_size=61", "context_length=32", "hidden_size=64", "layers.count=\(min(full.layers.count, 8))",
      "layers.overrides=null", "position.fraction=null", "position.dim=null",
    ]
    let sizes = [
      ("attention.kv_lora_rank", 16), ("attention.q_lora_rank", 24), ("attention.nope_head_dim", 8),
      ("attention.rope_head_dim", 8), ("attention.v_head_dim", 8), ("mlp.expert_size", 24), ("mlp.shared_size", 40),
      ("attention.inner_size", 128), ("attention.dt_rank", 4), ("layers.variants.recurrent.attention.num_blocks", 4),
      ("layers.variants.dense.mlp.intermediate_size", 96), ("layers.variants.mamba.attention.num_heads", 4),
      ("block.per_layer_embedding.vocab_size", 53), ("block.per_layer_embedding.width", 8),
    ]
    for (path, size) in sizes where full.resolved[path: path]?.integer != nil { changes.append("\(path)=\(size)") }
    if full.resolved[path: "attention.kv_lora_rank"] == nil, full.resolved[path: "attention.num_heads"] != nil,
      full.resolved[path: "attention.type"]?.text != "mamba"
    {
      changes.append("attention.head_dim=8")
    }
    if full.resolved[path: "mlp.num_experts"] == nil, full.resolved[path: "mlp"]?.text != "none" {
      changes.append("mlp.intermediate_size=96")
    }
    changes += added.filter { full.resolved[path: String($0.prefix { $0 != "=" })] != nil }
    // A key that is not there cannot be deleted.
    let patches = try changes.filter { change in
      !change.hasSuffix("=null") || full.resolved[path: change.dropLast(5)] != nil
    }.flatMap { try Overrides([$0]).patches }
    return try models.describe(name, patches: patches).plan
  }

  // Joined sums are the same sums; the kernels may take another path for fewer rows: a few roundings of numbers near 1.
  @Test("the fused plan gives the plain plan's logits", arguments: names)
  func fused(_ name: String) throws {
    let plan = try Self.shrunk(name)
    let parameters = try Parameters(plan, seed: 3)
    var noise = Noise(seed: 4)
    for index in plan.parameters.indices {
      guard let numbers = parameters.mutable(index) else { continue }
      for i in numbers.indices { numbers[i] += 0.1 * noise.next() }
    }
    let tokens = (0..<20).map { ($0 * 11 + 3) % 61 }
    for wanted in [PlanExecutor.Wanted.all, .last] {
      let logits = try [true, false].map { fusing in
        let executor = try PlanExecutor(
          plan, parameters, pool: ThreadPool(threads: 2), maximumRows: 32, states: .f32, fusing: fusing,
          computeType: .stored)
        #expect(fusing == (executor.plan.steps.count < plan.steps.count))
        let sequence = try executor.openSequence(length: 24)
        var logits: [Float] = []
        try executor.forward([(sequence, tokens)], logits: wanted) { _, _, row in logits += row }
        // An encoder's text is not continued.
        for token in plan.seesWholeTexts ? [] : [5, 6, 7] {
          try executor.forward([(sequence, [token])], logits: wanted) { _, _, row in logits += row }
        }
        return logits
      }
      let more = plan.seesWholeTexts ? 0 : 3
      #expect(logits[0].count == (wanted == .all ? 20 + more : 1 + more) * plan.logits.width)
      #expect(largestDifference(logits[0], logits[1]) < 1e-5)
    }
  }
}
