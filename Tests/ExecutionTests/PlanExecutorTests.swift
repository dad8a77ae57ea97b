import Conformance
import Execution
import Kernels
import TestSupport
import Testing

@Suite struct PlanExecutorTests {
  /// More tokens than a window's memory holds, so that windows move on several times.
  static let long = (0..<60).map { ($0 * 7 + $0 / 5) % 13 }

  @Test("a window that moves on gives what the whole sequence at once gives", arguments: [1, 2, 7, 16])
  func windowsMove(_ parts: Int) throws {
    let model = try TinyModel("context_length=64", "attention.window=5", "position=rope")
    let whole = try model.logits(Self.long, parts: 60, maximumRows: 64)
    #expect(largestDifference(try model.logits(Self.long, parts: parts), whole) < 2e-5)
  }

  @Test("a prompt longer than a pass is computed in parts")
  func longPrompts() throws {
    let model = try TinyModel("context_length=64", "position=alibi")
    let whole = try model.logits(Self.long, parts: 60, maximumRows: 64)
    #expect(largestDifference(try model.logits(Self.long, parts: 60, maximumRows: 16), whole) < 2e-5)
  }

  @Test("sequences computed together do not meet")
  func batches() throws {
    let model = try TinyModel("position=rope", "attention.window=4")
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 2), states: .f32, fusing: true, computeType: .stored)
    let texts = [[3, 1, 4], [1, 5, 9, 2, 6], [12]]
    let sequences = try texts.map { _ in try executor.openSequence(length: 8) }
    var together = Array(repeating: [Float](), count: texts.count)
    for pass in [texts, [[7], [8], [9]]] {
      let inputs = zip(sequences, pass).map { (sequence: $0, tokens: $1) }
      try executor.forward(inputs, logits: .all) { input, _, row in together[input] += row }
    }
    for (index, text) in texts.enumerated() {
      let alone = try model.logits(text + [7 + index], parts: 8)
      #expect(largestDifference(together[index], alone) < 2e-5)
    }
  }

  @Test("the last logits are those of all")
  func lastLogits() throws {
    let model = try TinyModel("position=sinusoidal")
    let all = try model.logits(TinyModel.tokens, parts: 10)
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1), states: .f32, fusing: true, computeType: .stored)
    let sequence = try executor.openSequence(length: 16)
    var positions: [Int] = []
    try executor.forward([(sequence, TinyModel.tokens)], logits: .last) { _, position, row in
      positions.append(position)
      #expect(largestDifference(Array(row), Array(all.suffix(13))) < 2e-5)
    }
    #expect(positions == [9])
  }

  @Test("memory is shared by lifetime: more layers take no more")
  func memoryByLifetime() throws {
    let bytes = try [2, 12].map { layers in
      let model = try TinyModel("layers.count=\(layers)")
      return try PlanExecutor(
        model.plan, model.parameters, pool: ThreadPool(threads: 1), states: .f32, fusing: true, computeType: .stored
      ).workingBytes
    }
    #expect(bytes[0] == bytes[1])
  }

  @Test("what cannot be computed is refused")
  func refusals() throws {
    let model = try TinyModel("position=learned")
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1), states: .f32, fusing: true, computeType: .stored)
    #expect(throws: ExecutionProblem.tooLong(tokens: 17, limit: 16)) { try executor.openSequence(length: 17) }
    let sequence = try executor.openSequence(length: 4)
    let forward = { (tokens: [Int]) in try executor.forward([(sequence, tokens)], logits: .last) { _, _, _ in } }
    #expect(throws: ExecutionProblem.unknownToken(13, vocabulary: 13)) { try forward([13]) }
    #expect(throws: ExecutionProblem.unknownToken(-1, vocabulary: 13)) { try forward([1, -1]) }
    #expect(throws: ExecutionProblem.noTokens) { try forward([]) }
    #expect(throws: ExecutionProblem.tooLong(tokens: 5, limit: 4)) { try forward([1, 2, 3, 4, 5]) }
    try forward([1, 2, 3, 4])
    #expect(throws: ExecutionProblem.tooLong(tokens: 5, limit: 4)) { try forward([1]) }
    sequence.reset()
    try forward([1])
  }

  @Test("tensors that two models share start alike")
  func sharedStarts() throws {
    let plain = try TinyModel()
    let rope = try TinyModel("norm=rmsnorm", "position=learned")
    let first = try Parameters(plain.plan, seed: 1)
    let second = try Parameters(rope.plan, seed: 1)
    for (index, tensor) in plain.plan.parameters.enumerated() {
      guard let other = rope.plan.parameters.firstIndex(where: { $0.name == tensor.name }) else { continue }
      #expect(first.values(index) == second.values(other), "\(tensor.name)")
    }
    #expect(first.values(0) != (try Parameters(plain.plan, seed: 2)).values(0))
  }
}
