extension Plan {
  /// A stack that is given pictures.
  public struct PictureStack: Sendable, Hashable {
    /// The axis of its rows.
    public let axis: RowAxis
    /// How its rows stand for a picture.
    public let patches: PatchGrid
    /// What others read of it.
    public let states: Value
    /// The token of the text in whose places its rows stand; nil where they stand in none.
    public let placeholder: Int?
    /// How the tiles of a picture are laid together there; nil where they stand one after the other.
    public let lines: PictureLines?
    /// The token of the text that stands for a picture whose rows others read; nil where rows stand in places of their own.
    public let mark: Int?
    /// The token of the text that stands for rows of pictures, for each one or for all of a picture; nil where none does.
    public var token: Int? { placeholder ?? mark }
    /// The names of the stacks that make its rows: the one that is given them, and those that go on with its own.
    let names: Set<String>
  }

  /// The stacks beside the text's that are given pictures.
  public var pictureStacks: [PictureStack] {
    otherAxes.compactMap { axis in
      let planned = axes[axis.index]
      var names: Set = [planned.name]
      var written: Set<Value> = []
      for step in steps {
        guard let stack = step.scope.stack else { continue }
        // A stack without an axis of its own has the rows of the one that it reads.
        if !names.contains(stack), !axes.contains(where: { $0.name == stack }),
          step.inputs.contains(where: written.contains)
        {
          names.insert(stack)
        }
        if names.contains(stack) { written.formUnion(step.outputs) }
      }
      let read = steps.lazy.filter { step in !(step.scope.stack.map(names.contains) ?? false) }
        .flatMap(\.inputs).first(where: written.contains)
      guard let patches = planned.patches, let read else { return nil }
      let given = axes[read.axis.index]
      return PictureStack(
        axis: axis, patches: patches, states: read, placeholder: given.placeholder, lines: given.lines,
        mark: given.mark,
        names: names)
    }
  }

  /// Patches along a side of the blocks of which each becomes one row of what `stack` gives; 1 where none are joined.
  public func block(of stack: PictureStack) -> Int {
    guard case .derived(_, _, let joining) = axes[stack.states.axis.index].kind else { return 1 }
    return Int(Double(joining).squareRoot())
  }

  /// The steps that give what others read of `stack`, whose logits are those states: what computes each picture by itself.
  public func encoder(of stack: PictureStack) -> Plan {
    let ending = ending(in: stack.states, with: [])
    return Plan(
      name: name, shape: shape, axes: axes, steps: ending.steps, values: values, parameters: parameters, states: [],
      logits: stack.states, finalStates: nil, prediction: .states, longestSequence: nil, extendedContext: nil)
  }

  /// The plan that is given what `stacks` give to those that read them, as rows of numbers that `input` takes from an axis; a text may
  /// have none of them. Pictures are computed by themselves then, and a text in parts.
  public func given(_ stacks: [PictureStack], by input: (_ axis: RowAxis, _ width: Int) -> any Operator) -> Plan {
    var (axes, inputs) = (axes, [Step]())
    let names = stacks.reduce(into: Set<String>()) { $0.formUnion($1.names) }
    for stack in stacks {
      let name = axes[stack.axis.index].name
      axes[stack.axis.index] = PlannedAxis(name: name, kind: .unused)
      let width = stack.states.width
      axes[stack.states.axis.index] = PlannedAxis(
        name: name, kind: .sequence, inputWidth: width, placeholder: stack.placeholder, lines: stack.lines,
        mark: stack.mark,
        mayBeEmpty: true)
      inputs.append(
        Step(
          scope: TensorName(stack: name), operation: input(stack.states.axis, width), inputs: [],
          outputs: [stack.states]))
    }
    let kept = steps.filter { $0.scope.stack.map { !names.contains($0) } ?? true }
    return Plan(
      name: name, shape: shape, axes: axes, steps: inputs + kept, values: values, parameters: parameters,
      states: states, logits: logits, finalStates: finalStates, prediction: prediction,
      longestSequence: longestSequence, extendedContext: extendedContext)
  }
}
