import Components

/// Where the time of passes goes, step by step.
///
/// A step's time ends when all workers are done with it, waiting for each other included.
public final class Profile {
  /// What a pass is for.
  public enum Phase: String, Sendable, CaseIterable {
    /// Several new tokens of a sequence.
    case prompt
    /// One new token of each sequence.
    case generation
  }

  /// Steps that are summed together.
  public struct Line: Sendable {
    /// What they share.
    public let name: String
    /// How often they ran.
    public internal(set) var calls = 0
    /// Seconds that they took.
    public internal(set) var seconds = 0.0
    /// What they computed and read.
    public internal(set) var work = Work()
    /// Whether they multiply whole matrices, or read cached states of sequences: what their rates are of interest for.
    public internal(set) var hasRate = false
  }

  private let steps: [StepWork]
  private let labels: [String]
  private var lines: [Phase: [Line]] = [:]
  private var passCount: [Phase: Int] = [:]
  private var tokenCount: [Phase: Int] = [:]

  init(_ plan: Plan, _ steps: [StepWork]) {
    self.steps = steps
    labels = plan.steps.map { $0.label(in: plan) }
  }

  /// How many passes there were.
  public func passes(_ phase: Phase) -> Int { passCount[phase] ?? 0 }
  /// How many tokens they computed.
  public func tokens(_ phase: Phase) -> Int { tokenCount[phase] ?? 0 }
  /// Seconds that all steps took together.
  public func seconds(_ phase: Phase) -> Double { (lines[phase] ?? []).reduce(0) { $0 + $1.seconds } }

  /// The steps by the name of their operator, slowest first.
  public func byOperator(_ phase: Phase) -> [Line] { sum(phase) { steps[$0].step.operation.name } }

  /// The steps by where they stand in a layer, such as `attn.q`, slowest first.
  public func byScope(_ phase: Phase) -> [Line] { sum(phase) { labels[$0] } }

  private func sum(_ phase: Phase, by name: (Int) -> String) -> [Line] {
    var sums: [String: Line] = [:]
    for (index, line) in (lines[phase] ?? []).enumerated() {
      let name = name(index)
      var sum = sums[name] ?? Line(name: name)
      sum.calls += line.calls
      sum.seconds += line.seconds
      sum.work.add(line.work)
      sum.hasRate = sum.hasRate || line.hasRate
      sums[name] = sum
    }
    return sums.values.sorted { $0.seconds != $1.seconds ? $0.seconds > $1.seconds : $0.name < $1.name }
  }

  /// Runs the steps of a pass with a look at the clock between them.
  func run(_ kernels: [any Kernel], _ bound: [BoundStep], in pass: Pass) {
    let tokens = pass.batches[RowAxis.tokens.index]
    let phase = tokens.count > tokens.sequences.count ? Phase.prompt : .generation
    var lines = self.lines[phase] ?? steps.map { Line(name: $0.step.scope.text) }
    let clock = ContinuousClock()
    var before = clock.now
    for (index, kernel) in kernels.enumerated() {
      kernel.forward(ForwardContext(bound[index], in: pass))
      let now = clock.now
      let (seconds, attoseconds) = (now - before).components
      lines[index].seconds += Double(seconds) + Double(attoseconds) * 1e-18
      before = now
    }
    for (index, step) in steps.enumerated() { lines[index].count(step, in: pass) }
    self.lines[phase] = lines
    passCount[phase, default: 0] += 1
    tokenCount[phase, default: 0] += tokens.count
  }
}

extension Profile.Line {
  fileprivate mutating func count(_ step: StepWork, in pass: Pass) {
    calls += 1
    let (tokens, outputs) = (pass.batches[RowAxis.tokens.index], pass.batches[RowAxis.outputs.index])
    if step.isForOutputs {
      guard !outputs.selected.isEmpty else { return }
      for row in outputs.selected {
        let position = Int(tokens.positions[Int(row)])
        work.flops += step.flops(position..<position + 1)
      }
    } else {
      for sequence in tokens.sequences {
        work.flops += step.flops(sequence.start..<sequence.start + sequence.rows.count)
      }
    }
    let bytes = step.matrixBytes(rows: step.isForOutputs ? outputs.count : tokens.count)
    work.weightBytes += bytes
    hasRate = bytes > 0 || !step.step.states.isEmpty
  }
}
