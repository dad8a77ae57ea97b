extension Plan {
  /// What is wrong with the plan by its own rules, a sentence each; empty for every plan that may be run.
  ///
  /// Each value is written once, before it is read, and has the shape that its operator says; tensors, states and axes are
  /// there and named once; what an operator says of its inputs is true of them. Composing and every pass must leave a plan
  /// that keeps these rules.
  public func verify() -> [String] {
    var faults: [String] = []
    var written: Set<Int> = []
    for (index, value) in values.enumerated() {
      if value.index != index { faults.append("value \(index) calls itself \(value.index)") }
      if value.width < 1 { faults.append("value \(index) has rows of \(value.width) elements") }
      if !axes.indices.contains(value.axis.index) { faults.append("value \(index) stands on axis \(value.axis.index)") }
    }
    if Set(parameters.map(\.name)).count != parameters.count { faults.append("two tensors have one name") }
    if Set(states.map(\.name)).count != states.count { faults.append("two states have one name") }
    for (index, step) in steps.enumerated() {
      // Told of faults alone: every step of every plan comes here.
      var place: String { "step \(index), \(step.operation.name) in '\(step.scope)'," }
      if !step.parameters.allSatisfy(parameters.indices.contains) {
        faults.append("\(place) reads a tensor that is not there")
      }
      if !step.states.allSatisfy(states.indices.contains) { faults.append("\(place) has a state that is not there") }
      for input in step.inputs where !written.contains(input.index) {
        faults.append("\(place) reads value \(input.index) before it is written")
      }
      for value in step.inputs + step.outputs
      where !values.indices.contains(value.index) || values[value.index] != value {
        faults.append("\(place) takes value \(value.index) for \(value.width) wide on axis \(value.axis.index)")
      }
      for output in step.outputs where !written.insert(output.index).inserted {
        faults.append("\(place) writes value \(output.index) a second time")
      }
      if faults.isEmpty { faults += shapeFaults(of: step).map { "\(place) \($0)" } }
    }
    if !written.contains(logits.index) { faults.append("nothing writes the logits") }
    return faults
  }

  private func shapeFaults(of step: Step) -> [String] {
    var faults = step.operation.fault(step.inputs.map(\.shape)).map { [$0] } ?? []
    let traits = step.operation.traits
    let shapes = step.operation.outputs(
      step.inputs.map(\.shape), parameters: step.parameters.map { parameters[$0].shape })
    if shapes != step.outputs.map(\.shape) {
      faults.append("writes \(step.outputs.map(\.width)), and its operator says \(shapes.map(\.width))")
    }
    for index in [traits.overwritableInput, traits.overwritableGradient, traits.gradientReplacesInput].compactMap({ $0 }
    )
    where !step.inputs.indices.contains(index) {
      faults.append("speaks of input \(index) of \(step.inputs.count)")
    }
    if !traits.assignsGradients, traits.overwritableGradient != nil || traits.gradientReplacesInput != nil {
      faults.append("lets a gradient's memory be taken over that it only adds to")
    }
    if traits.isRowwise, Set(step.inputs.map(\.axis)).count > 1 {
      faults.append("computes row by row from rows of several axes")
    }
    return faults
  }
}
