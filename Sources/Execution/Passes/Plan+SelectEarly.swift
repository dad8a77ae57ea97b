import Components

extension Plan {
  /// Rows that give no logits leave as soon as only logits need them: after the last layer has mixed its tokens, the
  /// rest of a prompt's rows are not computed.
  func selectingEarly() -> Plan {
    guard let last = steps.firstIndex(where: { $0.operation is SelectRows }) else { return self }
    let readers = Readers(of: steps)
    var moved: Set<Int> = [last]
    for index in (0..<last).reversed() {
      let step = steps[index]
      let readBy = step.outputs.flatMap { readers[$0] }
      if step.operation.traits.isRowwise, step.states.isEmpty, !step.inputs.isEmpty, !readBy.isEmpty,
        moved.isSuperset(of: readBy)
      {
        moved.insert(index)
      }
    }
    var selected: [Int: Value] = [:]  // by the index of the whole value
    var added: [Value] = []
    var steps: [Step] = []
    for (index, step) in self.steps.enumerated() {
      if !moved.contains(index) {
        steps.append(index > last ? step.reading(selected) : step)
        continue
      }
      // Everything that is not itself a selection by now is selected here, once.
      for input in step.inputs where selected[input.index] == nil {
        let value = Value(index: values.count + added.count, width: input.width, axis: .outputs)
        added.append(value)
        selected[input.index] = value
        steps.append(Step(scope: step.scope, operation: SelectRows(), inputs: [input], outputs: [value]))
      }
      if index == last {
        selected[step.outputs[0].index] = selected[step.inputs[0].index]
        continue
      }
      for output in step.outputs {
        selected[output.index] = Value(index: output.index, width: output.width, axis: .outputs)
      }
      let outputs = step.outputs.compactMap { selected[$0.index] }
      steps.append(step.reading(selected).with(outputs: outputs))
    }
    return rewritten(steps: steps, adding: added, logits: selected[logits.index])
  }
}

extension Step {
  /// The step with its inputs replaced by their selected rows.
  fileprivate func reading(_ selected: [Int: Value]) -> Step {
    with(inputs: inputs.map { selected[$0.index] ?? $0 })
  }
}
