import Components
import Composition
import Conformance
import Execution
import Kernels
import Specification
import StandardComponents
import TestSupport
import Testing

/// What layers take from each other: chosen keys, keys and values, tensors.
@Suite struct SharedPartsTests {
  private func model(_ patches: String...) throws -> TinyModel { try TinyModel(patches: patches) }

  private func weights(_ model: TinyModel, from other: TinyModel) {
    for (index, tensor) in model.plan.parameters.enumerated() {
      guard let source = other.plan.parameters.firstIndex(where: { $0.name == tensor.name }),
        let numbers = other.parameters.mutable(source), let own = model.parameters.mutable(index)
      else { continue }
      for i in own.indices { own[i] = numbers[i] }
    }
  }

  private static let text = [3, 1, 4, 1, 5, 9, 2, 6, 5, 12, 7, 0]

  // The same sums, whose rounding may differ where keys are hidden by a number: f32, of a dozen terms near 1.
  @Test("an indexer that may choose every key changes nothing, and one that may not does")
  func everyKey() throws {
    let plain = try model("attention={num_heads: 4, num_kv_heads: 2}")
    for (choice, isSame) in [("top_k: 12", true), ("top_k: 40", true), ("top_k: 4", false)] {
      let indexed = try model(
        "attention={num_heads: 4, num_kv_heads: 2, indexer: {num_heads: 2, head_dim: 4, \(choice)}}")
      weights(indexed, from: plain)
      let difference = largestDifference(
        try indexed.logits(Self.text, parts: 12), try plain.logits(Self.text, parts: 12))
      #expect((difference < 1e-5) == isSame, "\(choice): \(difference)")
    }
  }

  @Test("no gradient reaches an indexer through what it chose, and all else has one", arguments: ["token", "head"])
  func indexerGradients(per: String) throws {
    let model = try model(
      "attention={num_heads: 4, num_kv_heads: 2, indexer: {num_heads: 2, head_dim: 4, top_k: 3, per: \(per)}}")
    let executor = try GradientExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1), rows: 16,
      options: TrainingOptions(precision: .f32))
    _ = try executor.trainingLoss([Self.text], targets: [Array(Self.text.dropFirst()) + [3]])
    var counts = (indexers: 0, others: 0)
    for (index, tensor) in model.plan.parameters.enumerated() {
      let isOfIndexer = tensor.name.path.contains("index")
      let moves = Array(executor.gradient(index)).contains { $0 != 0 }
      #expect(moves == !isOfIndexer, "\(tensor.name)")
      if isOfIndexer { counts.indexers += 1 } else { counts.others += 1 }
    }
    #expect(counts.indexers == (per == "token" ? 6 : 4) && counts.others > 0)
  }

  @Test("blocks before the last are chosen, and the last is always seen")
  func blocks() throws {
    let window = try model("attention={num_heads: 4, window: 4, window_step: 4}")
    let indexed = try model(
      "attention={num_heads: 4, indexer: {num_heads: 2, head_dim: 4, per: head, block: 4, top_k: 1, local_blocks: 1}}")
    weights(indexed, from: window)
    // One block, always the token's own: chunks of four.
    let difference = largestDifference(
      try indexed.logits(Self.text, parts: 12), try window.logits(Self.text, parts: 12))
    #expect(difference < 1e-5)
  }

  @Test("a layer takes the keys that the last indexer before it chose, and has no tensors for it")
  func reuse() throws {
    let own = "{num_heads: 4, indexer: {num_heads: 2, head_dim: 4, top_k: 3}}"
    let shared = try model("attention=\(own)", "layers.overrides=[{layers: 1, attention: {indexer: null}}]")
    #expect(shared.plan.parameters.allSatisfy { $0.name.layer != 1 || !$0.name.path.contains("index") })
    let taking = try model(
      "attention={num_heads: 4}",
      "layers.overrides=[{layers: 0, attention: {indexer: {num_heads: 2, head_dim: 4, top_k: 3}}}, "
        + "{layers: 1, attention: {indexer: {reuse: true}}}]")
    let chosen = taking.plan.steps.filter { $0.operation.name == "choose keys" }
    #expect(chosen.count == 1)
    let attends = taking.plan.steps.filter { $0.operation.name == "attend" }
    #expect(attends.map { $0.inputs.last } == [chosen.first?.outputs.first, chosen.first?.outputs.first])
    #expect(throws: (any Error).self) { try model("attention={num_heads: 4, indexer: {reuse: true}}") }
  }

  @Test("layers that share keys cache them once")
  func keys() throws {
    let own = try model("attention={num_heads: 4, num_kv_heads: 2, keys_as: far}")
    let shared = try model(
      "attention={num_heads: 4, num_kv_heads: 2, keys_as: far}",
      "layers.overrides=[{layers: 1, attention: {take_keys: true}}]")
    #expect(own.plan.states.count == 4)
    #expect(shared.plan.states.count == 2)
    #expect(shared.plan.parameters.count == own.plan.parameters.count - 2)
    let whole = try shared.logits(Self.text, parts: 12)
    #expect(largestDifference(try shared.logits(Self.text, parts: 1), whole) < 1e-5)
    #expect(throws: (any Error).self) { try model("attention={num_heads: 4, keys_as: far, take_keys: true}") }
  }

  static let sharing = [
    "{attention: {type: shared_block, num_heads: 4, blocks: 2, adapter_rank: 2, inner: {type: short_conv}}, layers: {count: 5}}",
    "{block: {type: cycles, layers: 2, low_cycles: 2}, layers: {count: 12}}",
  ]

  @Test("tensors that layers share are counted once, without all layers", arguments: sharing)
  func counts(_ patch: String) throws {
    let tree = try YAMLReader(source: "sharing").read(patch)
    var setting = try TinyModel.surroundings()
    for entry in tree.entries ?? [] { setting[path: entry.key] = entry.value }
    let model = try TinyModel(setting, of: Registry(standardComponents))
    let composer = Composer(try Registry(standardComponents))
    #expect(try composer.parameterCount(of: model.architecture) == model.plan.parameterCount)
    #expect(model.plan.parameters.contains { $0.name.layer == nil && $0.name.path.contains("*") })
  }
}
