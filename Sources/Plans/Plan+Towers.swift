extension Plan {
  /// The two halves of a plan that compares a text with what another stack reads, each by itself: its logits are the vector that
  /// stands for the text, or for the other. Nil for other plans.
  ///
  /// The other's is computed beside any text, of which it sees nothing.
  public var towers: (text: Plan, other: Plan)? {
    guard prediction == .pairs, let joining = steps.last(where: { $0.outputs.contains(logits) }),
      joining.inputs.count == 2
    else { return nil }
    let (text, other) = (ending(in: joining.inputs[0], with: []), ending(in: joining.inputs[1], with: []))
    let unused = axes.enumerated().map { index, axis in
      RowAxis(index).isOfText ? axis : PlannedAxis(name: axis.name, kind: .unused)
    }
    return (
      Plan(
        name: name, shape: shape, axes: unused, steps: text.steps, values: values, parameters: parameters,
        states: states, logits: text.logits, finalStates: text.finalStates, prediction: .states,
        longestSequence: longestSequence, extendedContext: extendedContext),
      // How long a text can be limits no rows of the other.
      Plan(
        name: name, shape: shape, axes: axes, steps: other.steps, values: values, parameters: parameters,
        states: states, logits: other.logits, finalStates: other.finalStates, prediction: .states,
        longestSequence: nil, extendedContext: nil)
    )
  }
}
