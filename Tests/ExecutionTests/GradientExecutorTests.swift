import Conformance
import Execution
import Kernels
import TestSupport
import Testing

@Suite struct GradientExecutorTests {
  /// Ten sequences of 16 tokens, and what follows each.
  static let batch = (0..<10).map { row in (0..<16).map { ($0 * (row + 3) + row) % 13 } }
  static let targets = batch.map { Array($0.dropFirst()) + [-1] }

  private func gradients(
    _ model: TinyModel, options: TrainingOptions = TrainingOptions(precision: .f32), threads: Int = 2,
    _ body: (GradientExecutor) throws -> Void = { executor in
      _ = try executor.trainingLoss(GradientExecutorTests.batch, targets: GradientExecutorTests.targets)
    }
  ) throws -> [Float] {
    let executor = try GradientExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: threads), rows: 160, options: options)
    try body(executor)
    return model.plan.parameters.indices.flatMap { Array(executor.gradient($0)) }
  }

  private func model() throws -> TinyModel {
    try TinyModel(
      "position=rope", "norm=rmsnorm", "mlp.gated=true", "head.softcap=3", "head.bias=true", "head.tied=true")
  }

  // The same sums in another order.
  @Test("logits in blocks of rows give the gradients of all at once")
  func blocks() throws {
    let model = try model()
    let whole = try gradients(model)
    let executor = try GradientExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 2), rows: 160,
      options: TrainingOptions(precision: .f32, logitsBytes: 1))
    #expect(executor.memory.blockRows == 64)
    let parts = try gradients(model, options: TrainingOptions(precision: .f32, logitsBytes: 1))
    #expect(largestDifference(whole, parts) < 1e-6 * (whole.map(abs).max() ?? 0))
  }

  @Test("what is computed again is the same, in less memory", arguments: ["rmsnorm", "layernorm"])
  func recomputation(norm: String) throws {
    for patches in [
      ["position=rope"], ["position=learned", "block.placement=sandwich"], ["block.placement=post", "mlp.gated=true"],
    ] {
      let model = try TinyModel(patches: ["norm=\(norm)"] + patches)
      let options = TrainingOptions(precision: .f32, recomputation: .cheap)
      let kept = try gradients(model)
      #expect(largestDifference(try gradients(model, options: options), kept) == 0)
      let plain = try GradientExecutor.plannedMemory(
        model.plan, rows: 160, threads: 1, options: TrainingOptions(precision: .f32))
      #expect(
        try GradientExecutor.plannedMemory(model.plan, rows: 160, threads: 1, options: options).activations
          < plain.activations)
    }
  }

  // Sums of two terms and their double, rounded once more.
  @Test("gradients add up until they are cleared")
  func accumulation() throws {
    let model = try model()
    let once = try gradients(model)
    let largest = once.map(abs).max() ?? 0
    let twice = try gradients(model) { executor in
      for _ in 0..<2 { _ = try executor.trainingLoss(Self.batch, targets: Self.targets, gradientScale: 0.5) }
    }
    #expect(largestDifference(once, twice) < 1e-6 * largest)
    let again = try gradients(model) { executor in
      _ = try executor.trainingLoss(Self.batch.reversed(), targets: Self.targets.reversed(), gradientScale: 7)
      executor.clearGradients()
      _ = try executor.loss(Self.batch, targets: Self.targets)
      _ = try executor.trainingLoss(Self.batch, targets: Self.targets)
    }
    #expect(largestDifference(again, once) == 0)
    #expect(!(try gradients(model) { $0.clearGradients() }).contains { $0 != 0 })
    let nothing = try gradients(model) { executor in
      let loss = try executor.trainingLoss(Self.batch, targets: Self.targets.map { $0.map { _ in -1 } })
      #expect(loss == 0)
    }
    #expect(!nothing.contains { $0 != 0 })
  }

  // Rows that meet in a kernel may be added in another order.
  @Test("a token without a target has no part in the loss")
  func masks() throws {
    let model = try model()
    let executor = try GradientExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 2), rows: 160, options: TrainingOptions(precision: .f32))
    let some = Self.targets.map { Array($0.prefix(5)) + Array(repeating: -1, count: 11) }
    let loss = try executor.trainingLoss(Self.batch, targets: some)
    let gradient = Array(executor.gradients)
    executor.clearGradients()
    let shorter = try executor.trainingLoss(
      Self.batch.map { Array($0.prefix(5)) }, targets: some.map { Array($0.prefix(5)) })
    #expect(abs(loss - shorter) < 1e-6)
    #expect(largestDifference(gradient, Array(executor.gradients)) < 2e-6 * (gradient.map(abs).max() ?? 0))
  }

  @Test("the same bits again, and other threads' within rounding")
  func deterministic() throws {
    let model = try model()
    let two = try gradients(model)
    #expect(largestDifference(try gradients(model), two) == 0)
    #expect(largestDifference(two, try gradients(model, threads: 3)) < 2e-6 * (two.map(abs).max() ?? 0))
  }

  @Test("memory is told before it is taken, and too much is refused")
  func memory() throws {
    let model = try model()
    let planned = try GradientExecutor.plannedMemory(
      model.plan, rows: 160, threads: 2, options: TrainingOptions(precision: .f32))
    let executor = try GradientExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 2), rows: 160, options: TrainingOptions(precision: .f32))
    #expect(executor.memory == planned)
    #expect(planned.gradients >= 4 * model.plan.parameterCount)
    #expect(planned.total == planned.gradients + planned.activations + planned.logits + planned.scratch)
    #expect(throws: ExecutionProblem.self) {
      try GradientExecutor.plannedMemory(model.plan, rows: .max, threads: 1, options: TrainingOptions(precision: .f32))
    }
    #expect(throws: ExecutionProblem.self) {
      try GradientExecutor(
        model.plan, model.parameters, pool: ThreadPool(threads: 1), rows: 1 << 39,
        options: TrainingOptions(precision: .f32))
    }
  }

  @Test("what cannot be computed is refused")
  func refusals() throws {
    let model = try model()
    let executor = try GradientExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1), rows: 16, options: TrainingOptions(precision: .f32))
    #expect(throws: ExecutionProblem.noTokens) { try executor.loss([], targets: []) }
    #expect(throws: ExecutionProblem.noTokens) { try executor.loss([[1], []], targets: [[1], []]) }
    #expect(throws: ExecutionProblem.unknownToken(13, vocabulary: 13)) {
      try executor.loss([[1, 13]], targets: [[1, 2]])
    }
    #expect(throws: ExecutionProblem.unknownToken(-2, vocabulary: 13)) {
      try executor.loss([[1, 2]], targets: [[1, -2]])
    }
    #expect(throws: ExecutionProblem.tooLong(tokens: 17, limit: 16)) {
      try executor.loss([Array(repeating: 1, count: 17)], targets: [Array(repeating: 1, count: 17)])
    }
  }

  // bf16 keeps 8 bits: each factor is off by up to 2⁻⁹, and what many of them add to partly cancels.
  @Test("in bf16 loss and gradients stay near those of f32, and a few steps with them too")
  func mixedPrecision() throws {
    let losses = try TrainingOptions.Precision.allCases.map { precision in
      let model = try self.model()
      let executor = try GradientExecutor(
        model.plan, model.parameters, pool: ThreadPool(threads: 2), rows: 160,
        options: TrainingOptions(precision: precision))
      return try (0..<10).map { _ in
        executor.clearGradients()
        let loss = try executor.trainingLoss(Self.batch, targets: Self.targets)
        for index in model.plan.parameters.indices {
          guard let numbers = model.parameters.mutable(index) else { continue }
          let gradient = executor.gradient(index)
          for i in numbers.indices { numbers[i] -= 0.1 * gradient[i] }
        }
        return loss
      }
    }
    #expect(losses[0][9] < losses[0][0] - 0.1)
    #expect(zip(losses[0], losses[1]).allSatisfy { abs($0 - $1) < 0.01 * $0 })
    let model = try self.model()
    let (exact, narrow) = (try gradients(model), try gradients(model, options: TrainingOptions(precision: .bf16)))
    let difference = zip(exact, narrow).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let size = exact.reduce(Float(0)) { $0 + $1 * $1 }
    #expect((difference / size).squareRoot() < 0.03)
  }
}
