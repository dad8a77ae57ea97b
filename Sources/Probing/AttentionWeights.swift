import Components
import Execution
import Kernels

/// The weights that attention gives each key: no value of a plan, for no pass ever has them all at once.
///
///     p·I = p:  attention over the unit vectors as values gives the weights themselves
///
/// So they are those of the operator as it is, with its mask, window, biases, cap and sinks; with a sink the weights of a query sum to less
/// than 1.
final class AttentionWeights: PassWatcher {
  private let plan: Plan
  private let parameters: Parameters
  private var inputs: [Int: (q: [Float], k: [Float], chosen: [Float])] = [:]

  init(_ plan: Plan, _ parameters: Parameters, _ steps: [Int]) {
    self.plan = plan
    self.parameters = parameters
    for step in steps { inputs[step] = ([], [], []) }
  }

  func stepRan(_ index: Int, in pass: WatchedPass) {
    guard inputs[index] != nil else { return }
    func numbers(_ input: Int) -> UnsafeBufferPointer<Float> {
      let rows = pass.rows(of: plan.steps[index].inputs[input])
      return UnsafeBufferPointer(start: rows.base, count: rows.count * rows.width)
    }
    inputs[index]?.q += numbers(0)
    inputs[index]?.k += numbers(1)
    if let attend = plan.steps[index].operation as? Attend, attend.choice != nil,
      let last = plan.steps[index].inputs.indices.last
    {
      inputs[index]?.chosen += numbers(last)
    }
  }

  private static let limit = 1 << 28

  /// The weights of the step `index` for a text of `tokens` tokens: [heads, queries, keys].
  func weights(of index: Int, tokens: Int, pool: ThreadPool) throws -> (heads: Int, weights: [Float]) {
    let step = plan.steps[index]
    guard let attend = step.operation as? Attend, let (q, k, chosen) = inputs[index] else { return (0, []) }
    let (count, overflow) = (attend.heads * tokens).multipliedReportingOverflow(by: tokens)
    if overflow || count > Self.limit { throw ProbeProblem.tooManyWeights(overflow ? Int.max : count) }
    let plain = Attend(
      mask: attend.mask, heads: attend.heads, keyHeads: attend.keyHeads, scale: attend.scale, window: attend.window,
      windowAfter: attend.windowAfter, softcap: attend.softcap, bias: attend.bias, sinks: attend.sinks,
      choice: attend.choice)
    var units = [Float](repeating: 0, count: tokens * attend.keyHeads * tokens)
    for key in 0..<tokens {
      for head in 0..<attend.keyHeads { units[(key * attend.keyHeads + head) * tokens + key] = 1 }
    }
    let alone = AloneStep(
      operation: plain, parameters: step.parameters.map { parameters.parameter($0) }, computeType: .f32)
    let mixed = alone.run(
      [q, k, units] + (chosen.isEmpty ? [] : [chosen]), tokens: tokens, width: attend.heads * tokens, pool: pool)
    // [queries, heads, keys] → [heads, queries, keys]
    var weights = [Float](repeating: 0, count: count)
    for query in 0..<tokens {
      for head in 0..<attend.heads {
        for key in 0..<tokens {
          weights[(head * tokens + query) * tokens + key] = mixed[(query * attend.heads + head) * tokens + key]
        }
      }
    }
    return (attend.heads, weights)
  }
}
