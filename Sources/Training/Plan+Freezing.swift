import Components

extension Plan {
  /// The plan whose tensors in `parts` training leaves as they are: no gradient is computed of them, and an optimizer keeps nothing.
  ///
  /// A part is a stack, `stacks.image` (that of the text is `stacks.text`), or what canonical names begin with: `layers.0`, `embed`,
  /// `stacks.image.layers`. Throws for a part that the model has not, and where nothing is left to train.
  public func freezing(_ parts: [String]) throws(TrainingProblem) -> Plan {
    if parts.isEmpty { return self }
    for part in parts where !parameters.contains(where: { Self.stands($0.name, in: part) }) {
      throw .noPart(part, known: knownParts)
    }
    let frozen = parameters.map { tensor in
      parts.contains { Self.stands(tensor.name, in: $0) } ? tensor.frozen : tensor
    }
    if frozen.allSatisfy(\.isFrozen) { throw .nothingLearned(name) }
    return rewritten(steps: steps, parameters: frozen)
  }

  private static func stands(_ name: TensorName, in part: String) -> Bool {
    if part == "stacks.text" { return name.stack == nil }
    let isOfStack = part.hasPrefix("stacks.")
    if isOfStack != (name.stack != nil) { return false }
    let beginning = isOfStack ? String(part.dropFirst("stacks.".count)) : part
    return name.text == beginning || name.text.hasPrefix(beginning + ".")
  }

  /// The stacks, and what the text's tensors begin with.
  private var knownParts: [String] {
    var known: [String] = []
    for name in parameters.map(\.name) {
      let first = name.text.split(separator: ".").first.map(String.init) ?? ""
      let part = name.stack.map { "stacks." + $0 } ?? first
      if !known.contains(part) { known.append(part) }
    }
    return known
  }
}
