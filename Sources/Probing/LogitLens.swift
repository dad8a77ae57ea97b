import Components
import Execution

/// Reads the residual stream behind each layer as if it were the last, by running what follows the last layer again.
final class LogitLens: PassWatcher {
  private let plan: Plan
  private let stream: [(name: String, base: ProbeSite.Base)]
  private let last: ProbeSite.Base
  private let head: Range<Int>
  /// What the head reads beside the stream: its steps may take that memory.
  private let others: [Value]
  private var saved: [Int: [Float]] = [:]
  private var each: ((String, Int, UnsafeBufferPointer<Float>) -> Void)?

  /// Nil where the plan does not predict tokens from the stream that leaves its last layer.
  init?(_ map: ProbeMap, _ each: @escaping (String, Int, UnsafeBufferPointer<Float>) -> Void) {
    plan = map.plan
    guard plan.prediction == .tokens, map.stream.count > 1, let last = map.stream.last,
      let end = plan.steps.lastIndex(where: { $0.scope.layer != nil })
    else { return nil }
    let head = end + 1..<plan.steps.count
    let read = Set(plan.steps[head].flatMap(\.inputs)).subtracting(plan.steps[head].flatMap(\.outputs))
    guard read.contains(last.base.value), plan.steps[head].allSatisfy(\.states.isEmpty) else { return nil }
    self.last = last.base
    self.head = head
    self.each = each
    stream = map.stream.filter { $0.base.value.shape == last.base.value.shape }
    others = Array(read.subtracting([last.base.value]))
  }

  /// Hands out nothing more.
  func end() { each = nil }

  func stepRan(_ index: Int, in pass: WatchedPass) {
    for (_, base) in stream where base.step == index { saved[base.value.index] = copy(base.value, pass) }
    guard index == head.lowerBound - 1 else { return }
    let beside = others.map { ($0, copy($0, pass)) }
    func restore(_ stream: Value) {
      if let numbers = saved[stream.index] { write(numbers, to: last.value, pass) }
      for (value, numbers) in beside { write(numbers, to: value, pass) }
    }
    let positions = pass.positions(on: plan.logits.axis)
    for (name, base) in stream {
      restore(base.value)
      pass.runAgain(head)
      let logits = pass.rows(of: plan.logits)
      for (row, position) in positions.enumerated() {
        each?(name, position, UnsafeBufferPointer(start: logits[row], count: logits.width))
      }
    }
    restore(last.value)
  }

  private func copy(_ value: Value, _ pass: WatchedPass) -> [Float] {
    let rows = pass.rows(of: value)
    return Array(UnsafeBufferPointer(start: rows.base, count: rows.count * rows.width))
  }

  private func write(_ numbers: [Float], to value: Value, _ pass: WatchedPass) {
    let rows = pass.rows(of: value)
    numbers.withUnsafeBufferPointer { source in
      if let base = source.baseAddress, source.count == rows.count * rows.width {
        rows.base.update(from: base, count: source.count)
      }
    }
  }
}
