import Components
import Kernels

/// Runs a plan forwards and backwards over whole sequences, keeping what the backward reads.
public final class GradientExecutor {
  /// The plan.
  public let plan: Plan
  private let rows: Int
  private let pool: ThreadPool
  private let parameters: Parameters
  private let memory: FloatBuffer
  private let gradients: GradientMemory
  private let binding: StepBinding
  private var passMemory: PassMemory
  private var pass: Pass?

  /// An executor of `plan` for batches of up to `rows` tokens in all.
  public init(_ plan: Plan, _ parameters: Parameters, pool: ThreadPool, rows: Int) throws(ExecutionProblem) {
    self.plan = plan
    self.parameters = parameters
    self.pool = pool
    self.rows = (max(1, rows) + 15) / 16 * 16
    let layout = MemoryPlan(keepingAll: plan)
    memory = try FloatBuffer(count: layout.width * self.rows)
    gradients = try GradientMemory(plan, layout: layout, rows: self.rows)
    binding = StepBinding(
      plan, parameters, values: memory.base, layout: layout, rows: self.rows, gradients: gradients)
    passMemory = try PassMemory(rows: self.rows)
    let width = plan.steps.reduce(0) {
      max($0, $1.operation.scratch(step: $1, rows: self.rows, context: self.rows))
    }
    try passMemory.reserveScratch(width: width, workers: pool.threads)
  }

  /// The logits of every token of `batch`, row after row; valid until the next call.
  public func forward(_ batch: [[Int]]) throws(ExecutionProblem) -> UnsafeMutableBufferPointer<Float> {
    let count = batch.reduce(0) { $0 + $1.count }
    if count == 0 || batch.contains(where: \.isEmpty) { throw .noTokens }
    if count > rows { throw .tooLong(tokens: count, limit: rows) }
    for ids in batch {
      if let limit = plan.longestSequence, ids.count > limit { throw .tooLong(tokens: ids.count, limit: limit) }
      if let id = ids.first(where: { $0 < 0 || $0 >= plan.shape.vocabSize }) {
        throw .unknownToken(id, vocabulary: plan.shape.vocabSize)
      }
    }
    let pass = passMemory.fill(training: batch, pool: pool)
    for (index, step) in plan.steps.enumerated() {
      step.operation.forward(ForwardContext(binding.steps[index], in: pass))
    }
    self.pass = pass
    return UnsafeMutableBufferPointer(start: binding.address(of: plan.logits), count: count * plan.logits.width)
  }

  /// Computes the gradient of every learned tensor, given that of the logits of the last `forward`.
  public func backward(logits gradient: UnsafeBufferPointer<Float>) {
    guard let pass, let source = gradient.baseAddress else { return }
    precondition(gradient.count == pass.outputRows.count * plan.logits.width, "a gradient for every logit of the last pass")
    gradients.clear()
    if let last = plan.steps.lastIndex(where: { $0.outputs.contains(plan.logits) }) {
      let place = plan.steps[last].outputs.firstIndex(of: plan.logits) ?? 0
      binding.steps[last].outputGradients[place].base.update(from: source, count: gradient.count)
    }
    for (index, step) in plan.steps.enumerated().reversed() {
      step.operation.backward(BackwardContext(binding.steps[index], in: pass))
    }
  }

  /// The gradient of learned tensor `index` after the last `backward`.
  public func gradient(_ index: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: gradients.parameters[index].base, count: gradients.parameters[index].count)
  }
}
