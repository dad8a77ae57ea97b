import Components

/// What passes compute and read, by the operators' own counts.
public struct Work: Sendable, Hashable {
  /// Floating-point operations; a multiplication and an addition are two.
  public var flops = 0.0
  /// Bytes of the matrices that are read, in their stored formats.
  public var weightBytes = 0.0

  /// No work.
  public init() {}

  /// Does `other` too.
  public mutating func add(_ other: Work) {
    flops += other.flops
    weightBytes += other.weightBytes
  }
}

/// How much one step does in a pass.
struct StepWork {
  let step: Step
  /// Bytes of the matrices that every row is multiplied with; 0 where rows meet none, or only a part of one, as in a
  /// lookup.
  let matrixBytes: Int

  init(_ step: Step, in plan: Plan, _ parameters: Parameters) {
    self.step = step
    let matrices = step.parameters.filter { plan.parameters[$0].use == .matrix }
    let elements = matrices.reduce(0) { $0 + plan.parameters[$1].count }
    let whole = elements > 0 && step.operation.flops(step: step, context: 1) >= 2 * elements
    matrixBytes = whole ? matrices.reduce(0) { $0 + parameters.byteCount(of: $1) } : 0
  }

  /// Whether its rows are tokens whose logits are asked for.
  var isForOutputs: Bool { step.outputs.first?.extent == .outputs }

  /// Operations for the tokens at `positions` of a sequence.
  func flops(_ positions: Range<Int>) -> Double {
    guard let first = positions.first, let last = positions.last else { return 0 }
    let (least, most) = (operations(first), operations(last))
    if least == most { return Double(positions.count) * most }
    return positions.reduce(0) { $0 + operations($1) }
  }

  private func operations(_ position: Int) -> Double { Double(step.operation.flops(step: step, context: position + 1)) }
}

extension PlanExecutor {
  /// What it takes to compute `tokens` more tokens of each of `sequences` sequences that are `position` tokens long, when
  /// the logits of each sequence's last token are wanted.
  public func work(tokens: Int, sequences: Int = 1, position: Int = 0) -> Work {
    let passes = (tokens * sequences + maximumRows - 1) / maximumRows
    var work = Work()
    for step in stepWork {
      if step.isForOutputs {
        let last = position + tokens - 1
        work.flops += Double(sequences) * step.flops(last..<last + 1)
        work.weightBytes += Double(min(passes, sequences) * step.matrixBytes)
      } else {
        work.flops += Double(sequences) * step.flops(position..<position + tokens)
        work.weightBytes += Double(passes * step.matrixBytes)
      }
    }
    return work
  }
}
