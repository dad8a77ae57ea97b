/// How an operator's rows go by the length of the text that they are part of, beside what they are computed from.
///
/// A cached row was computed when its text was shorter. Where another length would give it other numbers, an operator says
/// what becomes of it.
public enum LengthUse: Sendable, Hashable {
  /// They do not.
  case none
  /// Those of a text of more than `border` tokens are others: a text that grows beyond it is computed again from its
  /// beginning, and then goes on from what is cached.
  case recomputed(beyond: Int)
  /// Beyond `border` tokens each row goes by the length that its text has when the row is computed, and what is cached
  /// stays as it is. A prompt computed at once and in several calls then differ.
  case cached(beyond: Int)
  /// Each row follows from all rows of its text, those after it included: a text is computed in one pass, and another token
  /// would change all of it, so that none can be continued.
  case whole
}

/// Which tokens of a text see each other, where others see those before them alone.
public enum TokensTogether: Sendable, Hashable {
  /// None.
  case none
  /// Those of the prompt.
  case prompt
  /// Those of one picture.
  case picture
}

extension Plan {
  /// Whether the tokens of a text see those after them, so that a text is computed at once and cannot be continued.
  public var seesWholeTexts: Bool {
    steps.contains { step in
      step.operation.lengthUse == .whole && step.inputs.allSatisfy { $0.axis == .tokens }
    }
  }

  /// Whether some step goes by where tokens stand in time, down and across.
  public var readsPlaces: Bool { steps.contains(where: \.operation.readsPlaces) }

  /// Whether some step lets those tokens see each other that `tokens` says.
  public func lets(_ tokens: TokensTogether) -> Bool { steps.contains { $0.operation.together == tokens } }

  /// The lengths at which a growing text is computed again from its beginning.
  public var recomputationLengths: [Int] {
    Set(
      steps.lazy.filter(\.axis.isOfText).compactMap {
        if case .recomputed(let border) = $0.operation.lengthUse { border } else { nil }
      }
    ).sorted()
  }

  /// The longest text whose numbers are the same however many calls it is computed in; nil where that is any text.
  public var longestTextInParts: Int? {
    steps.lazy.filter(\.axis.isOfText).compactMap {
      if case .cached(let border) = $0.operation.lengthUse { border } else { nil }
    }.min()
  }
}
