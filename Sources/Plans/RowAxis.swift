/// What the rows of a value stand for: an index into the plan's axes.
public struct RowAxis: Sendable, Hashable {
  /// The index among the plan's axes.
  public let index: Int

  /// The axis at `index`.
  public init(_ index: Int) { self.index = index }

  /// The text's tokens: every plan's first axis.
  public static let tokens = RowAxis(0)
  /// The tokens whose logits are wanted: every plan's second axis.
  public static let outputs = RowAxis(1)
}

/// An axis of a plan.
public struct PlannedAxis: Sendable, Hashable {
  /// Where its rows come from.
  public enum Kind: Sendable, Hashable {
    /// Consecutive rows of sequences: a text's tokens, an image's patches.
    case sequence
    /// Rows chosen from another axis: those whose logits are wanted.
    case selected(RowAxis)
  }

  /// What its rows stand for, in a word: `tokens`.
  public let name: String
  /// Where its rows come from.
  public let kind: Kind
  /// Elements of the rows that a pass is given on this axis; nil where it is given token ids, or nothing.
  public let inputWidth: Int?

  /// The axis `name`.
  public init(name: String, kind: Kind, inputWidth: Int? = nil) {
    self.name = name
    self.kind = kind
    self.inputWidth = inputWidth
  }

  /// The axes of a plan of one text.
  public static let ofText = [
    PlannedAxis(name: "tokens", kind: .sequence), PlannedAxis(name: "outputs", kind: .selected(.tokens)),
  ]
}
