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
  /// Whether its rows are those of the text: its tokens, or some of them.
  public var isOfText: Bool { index <= Self.outputs.index }
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
  /// How many token ids there are, where it is given ids; nil where those of the text.
  public let vocabSize: Int?
  /// How many rows of a sequence the model is made for; nil where nobody says.
  public let context: Int?
  /// How many rows a sequence can have, when anything limits it.
  public internal(set) var longest: Int?

  /// The axis `name`.
  public init(name: String, kind: Kind, inputWidth: Int? = nil, vocabSize: Int? = nil, context: Int? = nil) {
    self.name = name
    self.kind = kind
    self.inputWidth = inputWidth
    self.vocabSize = vocabSize
    self.context = context
  }

  /// The axes of a plan of one text.
  public static let ofText = [
    PlannedAxis(name: "tokens", kind: .sequence), PlannedAxis(name: "outputs", kind: .selected(.tokens)),
  ]
}

extension Plan {
  /// The axes on which sequences give something beside the text's tokens.
  public var otherAxes: [RowAxis] { axes.indices.dropFirst(RowAxis.outputs.index + 1).map(RowAxis.init) }

  /// How many rows a sequence may give on `axis` beside the text's tokens: what limits it, or what the model is made for.
  public func longestInput(on axis: RowAxis) -> Int {
    axes[axis.index].longest ?? axes[axis.index].context ?? longestText
  }

  /// How many rows of `step`'s own kind one of its rows meets in a text of `context` tokens: those of another stack where it
  /// stands there or reads from there.
  func length(of step: Step, context: Int) -> Int {
    let other = step.inputs.lazy.map(\.axis).first { !$0.isOfText } ?? step.axis
    return other.isOfText ? context : axes[other.index].context ?? context
  }
}
