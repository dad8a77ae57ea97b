import Components
import Kernels

/// Computes the loss of whole sequences and the gradients of the learned tensors.
///
///     loss = mean over rows with a target of −log softmax(logits)[target], or of what another loss says of them
///
/// All memory is taken when the executor is made; `memory` says how much, and `TrainingMemory` before that. Logits are
/// computed a block of rows at a time, forwards and backwards, and never exist together. Results are the same bits for
/// the same number of threads.
public final class GradientExecutor {
  /// The plan as it was composed.
  public let plan: Plan
  /// What the executor takes, beside the learned tensors.
  public let memory: TrainingMemory
  /// Where each learned tensor's gradient lies among `gradients`.
  public let layout: ParameterLayout
  /// The most tokens of a batch.
  public let maximumRows: Int
  private let options: TrainingOptions
  private let schedule: TrainingSchedule
  private let pool: ThreadPool
  private let parameters: Parameters
  private let buffers: [FloatBuffer]
  private let gradientBuffer: FloatBuffer
  private let binding: TrainingBinding
  private let kernels: [any Kernel]
  private var passMemory: PassMemory
  private var isCleared = true
  /// Told of each step after it ran forwards, with what it read and wrote; nil, and nothing is told, when nobody looks.
  public var observer: ((Step, any Kernel, ForwardContext) -> Void)?
  /// Where the time goes since `startProfile`; nil, and nothing is measured, when nobody asked.
  public private(set) var profile: TrainingProfile?

  /// What an executor of `plan` for batches of up to `rows` tokens would take; throws when that cannot be counted.
  public static func plannedMemory(
    _ plan: Plan, rows: Int, threads: Int, loss: any Kernel = CrossEntropy(), options: TrainingOptions
  ) throws(ExecutionProblem) -> TrainingMemory {
    let schedule = TrainingSchedule(plan, loss: loss, options: options)
    return try TrainingMemory(
      schedule, TrainingMemoryPlan(schedule), rows: rows, threads: threads, logitsBytes: options.logitsBytes)
  }

  /// An executor of `plan` for batches of up to `rows` tokens in all, whose outputs have the `loss` that it computes of their rows.
  public init(
    _ plan: Plan, _ parameters: Parameters, pool: ThreadPool, rows: Int, loss: any Kernel = CrossEntropy(),
    options: TrainingOptions
  ) throws(ExecutionProblem) {
    self.plan = plan
    self.parameters = parameters
    self.pool = pool
    self.options = options
    schedule = TrainingSchedule(plan, loss: loss, options: options)
    let regions = TrainingMemoryPlan(schedule)
    memory = try TrainingMemory(schedule, regions, rows: rows, threads: pool.threads, logitsBytes: options.logitsBytes)
    layout = ParameterLayout(plan)
    maximumRows = memory.tokenRows
    let tokens = try FloatBuffer(count: regions.tokenWidth * memory.tokenRows)
    let outputs = try FloatBuffer(count: regions.outputWidth * memory.blockRows)
    gradientBuffer = try FloatBuffer(count: layout.count)
    buffers = [tokens, outputs]
    for buffer in [tokens, outputs, gradientBuffer] { buffer.useHugePages() }
    binding = TrainingBinding(
      schedule, regions, memory, parameters, tokens: tokens.base, outputs: outputs.base, gradients: gradientBuffer.base)
    kernels = try schedule.plan.kernels()
    passMemory = try PassMemory(plan, rows: maximumRows)
    try passMemory.reserveScratch(memory.scratchNeed, workers: pool.threads)
  }

  /// The mean loss of `batch`: whole sequences, and for each of their tokens what should follow it, −1 for nothing.
  /// `given` is what each has on axes beside the text's tokens, and `prefixes` how many of its first tokens see each other.
  ///
  /// 0 when nothing has a target. Throws for an empty sequence, too many tokens, or ids outside the vocabulary.
  public func loss(
    _ batch: [[Int]], targets: [[Int]], beside given: [[RowAxis: AxisInput]] = [], prefixes: [Int] = []
  ) throws(ExecutionProblem) -> Double {
    try check(batch, targets)
    try plan.check(given, new: batch.indices, counts: batch.lazy.map(\.count), limit: maximumRows)
    return run(batch, targets, given, prefixes, gradientScale: nil)
  }

  /// The mean loss of `batch`, whose gradient times `gradientScale` is added to `gradients`.
  public func trainingLoss(
    _ batch: [[Int]], targets: [[Int]], beside given: [[RowAxis: AxisInput]] = [], prefixes: [Int] = [],
    gradientScale: Float = 1
  ) throws(ExecutionProblem) -> Double {
    try check(batch, targets)
    try plan.check(given, new: batch.indices, counts: batch.lazy.map(\.count), limit: maximumRows)
    return run(batch, targets, given, prefixes, gradientScale: gradientScale)
  }

  /// Begins new gradients: the next pass puts its own in their place.
  public func clearGradients() { isCleared = true }

  /// The gradients of all learned tensors, each where `layout` says; zeros between them.
  public var gradients: UnsafeMutableBufferPointer<Float> {
    if isCleared {
      gradientBuffer.base.update(repeating: 0, count: gradientBuffer.count)
      isCleared = false
    }
    return UnsafeMutableBufferPointer(start: gradientBuffer.base, count: layout.count)
  }

  /// The gradient of learned tensor `index`.
  public func gradient(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(rebasing: gradients[layout.ranges[index]])
  }

  private func run(
    _ batch: [[Int]], _ targets: [[Int]], _ given: [[RowAxis: AxisInput]], _ prefixes: [Int], gradientScale: Float?
  ) -> Double {
    var pass = passMemory.fill(
      batch, targets: targets, given: given, prefixes: prefixes, skipping: schedule.plan.logits.axis == .outputs,
      pool: pool)
    let outputs = pass.batches[RowAxis.outputs.index]
    let wanted = outputs.targets.count { $0 >= 0 }
    if wanted == 0 { return 0 }
    let startsGradients = isCleared && gradientScale != nil
    pass.startsGradients = startsGradients
    if gradientScale != nil { isCleared = false }
    let isTraining = gradientScale != nil
    for action in 0..<schedule.tail.lowerBound { run(action, in: pass, isFirstBlock: true) }
    let (rows, goals) = (outputs.selected, outputs.targets)
    var sum = 0.0
    for start in stride(from: 0, to: goals.count, by: memory.blockRows) {
      let block = start..<min(start + memory.blockRows, goals.count)
      pass.batches[RowAxis.outputs.index] = AxisBatch(
        selected: UnsafeBufferPointer(rebasing: rows[block]), targets: UnsafeBufferPointer(rebasing: goals[block]))
      if let gradientScale {
        binding.lossGradient?.update(repeating: gradientScale / Float(wanted), count: block.count)
      }
      for action in schedule.tail where isTraining || schedule.actions[action].isForward {
        run(action, in: pass, isFirstBlock: start == 0)
      }
      for row in 0..<block.count { sum += Double(binding.loss[row]) }
      pass.startsGradients = false
    }
    pass.batches[RowAxis.outputs.index] = outputs
    pass.startsGradients = startsGradients
    if isTraining {
      for action in schedule.tail.upperBound..<schedule.actions.count { run(action, in: pass, isFirstBlock: true) }
    }
    return sum / Double(wanted)
  }

  /// Measures the passes from here on, from zero.
  public func startProfile() { profile = TrainingProfile() }

  /// Measures no longer.
  public func endProfile() { profile = nil }

  /// Useful operations of a training pass over `sequences` sequences of `tokens` tokens: those of matrices and of what
  /// mixes tokens, forwards and twice as many backwards. What is computed again does not count.
  public func flops(sequences: Int, tokens: Int) -> Double {
    let steps = schedule.plan.steps.map { StepWork($0, in: plan, parameters) }
    let useful = steps.filter { $0.matrixBytes(rows: 1) > 0 || !$0.step.states.isEmpty }
    return 3 * Double(sequences) * useful.reduce(0) { $0 + $1.flops(0..<tokens) }
  }

  private func run(_ action: Int, in pass: Pass, isFirstBlock: Bool) {
    guard profile != nil else { return compute(action, in: pass, isFirstBlock: isFirstBlock) }
    let (seconds, attoseconds) = ContinuousClock().measure { compute(action, in: pass, isFirstBlock: isFirstBlock) }
      .components
    let name =
      switch schedule.actions[action] {
      case .forward(let step): "\(schedule.plan.steps[step].operation.name) forward"
      case .backward(let step): "\(schedule.plan.steps[step].operation.name) backward"
      }
    profile?.add(Double(seconds) + Double(attoseconds) * 1e-18, to: name)
  }

  private func compute(_ action: Int, in pass: Pass, isFirstBlock: Bool) {
    let bound = binding.steps[action]
    switch schedule.actions[action] {
    case .forward(let step):
      kernels[step].forward(ForwardContext(bound, in: pass))
      observer?(schedule.plan.steps[step], kernels[step], ForwardContext(bound, in: pass))
    case .backward(let step):
      for zeroed in binding.zeroed[action] where isFirstBlock || !zeroed.isOutsideTail {
        let count = pass.batches[zeroed.value.axis.index].count
        zeroed.value.base.update(repeating: 0, count: count * zeroed.value.width)
      }
      if pass.startsGradients {
        for range in binding.zeroedParameters[action] {
          (gradientBuffer.base + range.lowerBound).update(repeating: 0, count: range.count)
        }
      }
      kernels[step].backward(BackwardContext(bound, in: pass))
    }
  }

  private func check(_ batch: [[Int]], _ targets: [[Int]]) throws(ExecutionProblem) {
    precondition(
      batch.count == targets.count && zip(batch, targets).allSatisfy { $0.count == $1.count },
      "a target for each of \(batch.map(\.count)) tokens, not \(targets.map(\.count))")
    let count = batch.reduce(0) { $0 + $1.count }
    if count == 0 || batch.contains(where: \.isEmpty) { throw .noTokens }
    if count > maximumRows { throw .tooLong(tokens: count, limit: maximumRows) }
    let (vocabulary, width) = (plan.shape.vocabSize, plan.logits.width)
    for (ids, goals) in zip(batch, targets) {
      if let limit = plan.longestSequence, ids.count > limit { throw .tooLong(tokens: ids.count, limit: limit) }
      if let id = ids.first(where: { $0 < 0 || $0 >= vocabulary }) { throw .unknownToken(id, vocabulary: vocabulary) }
      if let id = goals.first(where: { $0 < -1 || $0 >= width }) { throw .unknownToken(id, vocabulary: width) }
    }
  }
}

extension TrainingSchedule.Action {
  /// Whether it runs a step forwards.
  var isForward: Bool {
    if case .forward = self { true } else { false }
  }
}
