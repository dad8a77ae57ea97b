import Components

/// What training takes beside the learned tensors themselves and the optimizer, in bytes.
public struct TrainingMemory: Sendable, Hashable {
  /// The gradients of the learned tensors.
  public let gradients: Int
  /// Values of all rows: what backward reads again, and what is on its way.
  public let activations: Int
  /// Values of a block of rows with targets: mostly logits.
  public let logits: Int
  /// The workers' scratch memory, shared and their own.
  public let scratch: Int
  /// Rows that a block of logits holds.
  public let blockRows: Int
  let tokenRows: Int
  let scratchNeed: ScratchNeed

  /// All of it.
  public var total: Int { gradients + activations + logits + scratch }

  init(
    _ schedule: TrainingSchedule, _ layout: TrainingMemoryPlan, rows: Int, threads: Int, logitsBytes: Int
  ) throws(ExecutionProblem) {
    // A multiple of 16, so that every value starts at a cache line.
    guard rows < 1 << 40 else { throw .memory(bytes: Int.max) }
    tokenRows = (max(1, rows) + 15) / 16 * 16
    let fitting = logitsBytes / (4 * max(1, schedule.plan.logits.width)) / 16 * 16
    blockRows = schedule.canCut ? min(tokenRows, max(64, fitting)) : tokenRows
    let tokenRows = tokenRows
    scratchNeed = schedule.plan.scratchNeed(rows: tokenRows, context: tokenRows)
    gradients = try Self.bytes(ParameterLayout(schedule.plan).count, 1)
    activations = try Self.bytes(layout.tokenWidth, tokenRows)
    logits = try Self.bytes(layout.outputWidth, blockRows)
    scratch = try Self.bytes(scratchNeed.count(workers: threads), 1)
    let sum = Double(gradients) + Double(activations) + Double(logits) + Double(scratch)
    if sum >= 0x1p62 { throw .memory(bytes: Int.max) }
  }

  private static func bytes(_ a: Int, _ b: Int) throws(ExecutionProblem) -> Int {
    let (count, overflow) = a.multipliedReportingOverflow(by: b)
    if overflow || count > Int.max / 4 { throw .memory(bytes: Int.max) }
    return 4 * count
  }
}

/// Learned tensors one behind the other, each at a cache line.
public struct ParameterLayout: Sendable {
  /// For each tensor of the plan, its numbers; none for a frozen one.
  public let ranges: [Range<Int>]
  /// All numbers, those between tensors included.
  public let count: Int

  /// The tensors of `plan`, in its order.
  public init(_ plan: Plan) {
    var start = 0
    ranges = plan.parameters.map { tensor in
      let count = tensor.isFrozen ? 0 : tensor.count
      defer { start = (start + count + 15) / 16 * 16 }
      return start..<start + count
    }
    count = start
  }
}
