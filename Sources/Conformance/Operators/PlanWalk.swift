import Components
import Execution
import Kernels

/// A plan run step by step, each step by itself, so that the one to blame can be named.
///
/// No two values share memory, no two steps are joined, and every step is divided over the threads however small it is.
final class PlanWalk {
  /// The values of a pass.
  struct Result {
    /// For each value of the plan, its rows one after the other.
    var values: [[Float]]
    let widths: [Int]
    /// What steps did that they must not.
    var faults: [String] = []

    /// Of every value, the rows `range`.
    func rows(_ range: Range<Int>) -> Result {
      var part = self
      part.values = zip(values, widths).map { Array($0[range.lowerBound * $1..<range.upperBound * $1]) }
      return part
    }
  }

  let plan: Plan
  let parameters: Parameters
  private let pool: ThreadPool
  /// For each value, whether it follows from a learned tensor.
  private let isLearned: [Bool]

  /// A walk over `plan` with `parameters`.
  init(_ plan: Plan, _ parameters: Parameters, threads: Int = 1) {
    self.plan = plan
    self.parameters = parameters
    pool = ThreadPool(threads: threads)
    var isLearned = Array(repeating: false, count: plan.values.count)
    for step in plan.steps where !step.parameters.isEmpty || step.inputs.contains(where: { isLearned[$0.index] }) {
      for output in step.outputs { isLearned[output.index] = true }
    }
    self.isLearned = isLearned
  }

  /// A walk over the plan of `model`.
  convenience init(_ model: TinyModel, threads: Int = 1) throws {
    self.init(model.plan, model.parameters, threads: threads)
  }

  /// Step `index` in words: `the operator 'rope' of layers.0.attn`.
  func words(_ index: Int) -> String {
    let step = plan.steps[index]
    return "the operator '\(step.operation.name)'" + (step.scope == TensorName() ? "" : " of \(step.scope)")
  }

  /// All steps over whole sequences from their start, of which nothing is cached.
  func run(_ sequences: [[Int]]) -> Result {
    run(WalkPass(sequences.map { WalkPass.Part(tokens: $0, length: $0.count) }, of: plan, pool: pool))
  }

  /// All steps over `tokens`, `parts` at a time, in the states that the plan declares.
  func run(_ tokens: [Int], parts: Int) -> Result {
    let states = WalkStates(plan, length: tokens.count)
    var whole = Result(values: plan.values.map { _ in [] }, widths: plan.values.map(\.width))
    for start in stride(from: 0, to: tokens.count, by: parts) {
      let end = min(start + parts, tokens.count)
      let part = WalkPass.Part(tokens: Array(tokens[start..<end]), start: start, length: end, states: states)
      let result = run(WalkPass([part], of: plan, pool: pool))
      for index in whole.values.indices { whole.values[index] += result.values[index] }
      whole.faults += result.faults
    }
    for (index, memory) in states.memory.enumerated() where !memory.isIntact {
      whole.faults.append("a step writes beyond its state \(plan.states[index].name) of \(memory.count) numbers")
    }
    return whole
  }

  private func run(_ pass: WalkPass) -> Result {
    var result = Result(values: plan.values.map { _ in [] }, widths: plan.values.map(\.width))
    for (index, step) in plan.steps.enumerated() {
      guard let run = stepRun(index, pass) else { continue }
      let (outputs, faults) = run.forward(step.inputs.map { result.values[$0.index] })
      for (output, numbers) in zip(step.outputs, outputs) { result.values[output.index] = numbers }
      result.faults += faults.map { "\(words(index)) \($0)" }
    }
    return result
  }

  /// Step `index` by itself, over the rows of `pass`.
  ///
  /// Nil for an operator that no kernel computes; a plan with one was refused before it is walked.
  func stepRun(_ index: Int, _ pass: WalkPass) -> StepRun? {
    StepRun(plan.steps[index], of: plan, parameters, over: pass, threads: pool.threads, isLearned: isLearned)
  }

  /// The tables of a pass over whole `sequences`.
  func pass(_ sequences: [[Int]]) -> WalkPass {
    WalkPass(sequences.map { WalkPass.Part(tokens: $0, length: $0.count) }, of: plan, pool: pool)
  }

  /// The first step whose outputs differ among `rows`, in words; nil when none does. Without `bits`, by more than rounding.
  func firstDifference(_ a: Result, _ b: Result, rows: Range<Int>, bits: Bool = true) -> String? {
    for (index, step) in plan.steps.enumerated() {
      for output in step.outputs {
        let (a, b) = (a.values[output.index], b.values[output.index])
        for place in rows.lowerBound * output.width..<rows.upperBound * output.width {
          let isSame = bits ? a[place] == b[place] : abs(a[place] - b[place]) <= 1e-4 * (1 + abs(a[place]))
          if !isSame {
            return "\(words(index)) is the first to differ, in row \(place / output.width): \(a[place]) and \(b[place])"
          }
        }
      }
    }
    return nil
  }
}
