import Components

extension Plan {
  /// The plan up to the rows that the head's matrix multiplies: the last hidden state, behind the final norm. Its logits are
  /// those rows. Nil where no step makes rows of the vocabulary's width from narrower ones.
  ///
  /// A careful reader's mistake: where the head has a layer of its own before its matrix, the rows are behind that layer.
  public var untilHead: Plan? {
    let last = steps.lastIndex { step in
      step.outputs.first?.width == shape.vocabSize && step.outputs.first?.axis == .outputs && !step.parameters.isEmpty
        && step.inputs.first.map { $0.width != shape.vocabSize } ?? false
    }
    guard let last, let hidden = steps[last].inputs.first else { return nil }
    return rewritten(steps: Array(steps[..<last]), logits: hidden)
  }
}
