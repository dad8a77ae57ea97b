import Components

extension Plan {
  /// A step whose only output is read by one other step alone is done with that step, where the operators say how: a
  /// matrix adds to the residual stream, an activation multiplies its gate.
  func fusingFollowers() -> Plan {
    var steps = self.steps
    var readers = Readers(of: steps)
    var index = 0
    while index < steps.count {
      let step = steps[index]
      guard step.outputs.count == 1, step.outputs[0] != logits, readers[step.outputs[0]].count == 1,
        let reader = readers[step.outputs[0]].first, case let next = steps[reader],
        next.inputs.count(where: { $0 == step.outputs[0] }) == 1,
        let input = next.inputs.firstIndex(of: step.outputs[0]), step.states.isEmpty, next.states.isEmpty,
        step.saved.isEmpty, next.saved.isEmpty,
        let fused = step.operation.followed(by: next.operation, readingAt: input)
      else {
        index += 1
        continue
      }
      let others = next.inputs.filter { $0 != step.outputs[0] }
      steps[reader] = step.with(
        operation: fused, inputs: step.inputs + others, outputs: next.outputs,
        parameters: step.parameters + next.parameters)
      steps.remove(at: index)
      readers = Readers(of: steps)
    }
    return rewritten(steps: steps)
  }
}
