import Components

extension Plan {
  /// Steps of one scope that read the same inputs become one, where the operators say how: queries, keys and values,
  /// or gate and up, read their row once.
  func joiningSiblings() -> Plan {
    var steps = self.steps
    var index = 0
    while index < steps.count {
      var sibling = index + 1
      while sibling < steps.count, steps[sibling].scope == steps[index].scope {
        let (first, second) = (steps[index], steps[sibling])
        if first.inputs == second.inputs, first.states.isEmpty, second.states.isEmpty, first.saved.isEmpty,
          second.saved.isEmpty, let joined = first.operation.joined(with: second.operation)
        {
          steps[index] = first.with(
            operation: joined, outputs: first.outputs + second.outputs,
            parameters: first.parameters + second.parameters)
          steps.remove(at: sibling)
        } else {
          sibling += 1
        }
      }
      index += 1
    }
    return rewritten(steps: steps)
  }
}
