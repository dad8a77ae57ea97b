import Components
import Essentials

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
  /// For how many rows of another stack it is done, once for a sequence, or how many its rows read; nil in the text alone.
  private let others: Int?
  /// Bytes of each matrix that rows are multiplied with, and the part of it that one row meets; none where rows meet
  /// only rows of one, as in a lookup.
  private let matrices: [(bytes: Int, share: Double)]

  init(_ step: Step, in plan: Plan, _ parameters: Parameters) {
    self.step = step
    let other = step.inputs.lazy.map(\.axis).first { !$0.isOfText } ?? step.axis
    others = other.isOfText ? nil : plan.longestInput(on: other)
    let matrices = step.parameters.filter { plan.parameters[$0].use == .matrix }
    let elements = matrices.reduce(0) { $0 + plan.parameters[$1].activeCount }
    let whole = elements > 0 && step.operation.flops(step: step, context: 1) >= 2 * elements
    self.matrices = (whole ? matrices : []).map { index in
      let tensor = plan.parameters[index]
      return (parameters.byteCount(of: index), Double(tensor.activeCount) / Double(max(1, tensor.count)))
    }
  }

  /// Bytes of matrices that `rows` rows read at once; of several matrices that rows choose among, as many as evenly
  /// spread choices meet.
  func matrixBytes(rows: Int) -> Double {
    matrices.reduce(0) { $0 + Double($1.bytes) * (1 - pow(1 - $1.share, Double(rows))) }
  }

  /// Whether its rows are tokens whose logits are asked for.
  var isForOutputs: Bool { step.outputs.first?.axis == .outputs }

  /// Operations for the tokens at `positions` of a sequence.
  func flops(_ positions: Range<Int>) -> Double {
    guard let first = positions.first, let last = positions.last else { return 0 }
    if let others {
      let each = Double(step.operation.flops(step: step, context: others))
      return step.axis.isOfText ? Double(positions.count) * each : first == 0 ? Double(others) * each : 0
    }
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
        work.weightBytes += Double(min(passes, sequences)) * step.matrixBytes(rows: (sequences + passes - 1) / passes)
      } else {
        work.flops += Double(sequences) * step.flops(position..<position + tokens)
        work.weightBytes += Double(passes) * step.matrixBytes(rows: min(maximumRows, tokens * sequences))
      }
    }
    return work
  }
}
