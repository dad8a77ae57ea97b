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
    /// Rows made of those of another axis: the first `dropping` of a sequence are left out, and each is made of `joining` of the
    /// others.
    case derived(RowAxis, dropping: Int, joining: Int)
    /// None: what had rows here is given as another axis's.
    case unused
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
  /// How the rows that a pass is given stand for a picture; nil where they do not.
  public let patches: PatchGrid?
  /// The token of the text in whose places its rows stand; nil where they stand in none.
  public internal(set) var placeholder: Int?
  /// How the tiles of a picture are laid together there; nil where they stand one after the other.
  public internal(set) var lines: PictureLines?
  /// The token of the text that stands for all rows of a picture, which others read; nil where none does.
  public internal(set) var mark: Int?
  /// Whether a sequence may give no rows at all.
  public let mayBeEmpty: Bool

  /// The axis `name`.
  public init(
    name: String, kind: Kind, inputWidth: Int? = nil, vocabSize: Int? = nil, context: Int? = nil,
    patches: PatchGrid? = nil, placeholder: Int? = nil, lines: PictureLines? = nil, mark: Int? = nil,
    mayBeEmpty: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.inputWidth = inputWidth
    self.vocabSize = vocabSize
    self.context = context
    self.patches = patches
    self.placeholder = placeholder
    self.lines = lines
    self.mark = mark
    self.mayBeEmpty = mayBeEmpty
  }

  /// The axes of a plan of one text.
  public static let ofText = [
    PlannedAxis(name: "tokens", kind: .sequence), PlannedAxis(name: "outputs", kind: .selected(.tokens)),
  ]
}

extension Plan {
  /// Whether it is given a text's tokens; a model of pictures alone is given their patches in the place of these.
  public var readsTokens: Bool { axes[RowAxis.tokens.index].inputWidth == nil }

  /// The axes beside the text's, those included whose rows are made of another's.
  public var axesBesideText: [RowAxis] { axes.indices.dropFirst(RowAxis.outputs.index + 1).map(RowAxis.init) }

  /// The axes on which sequences give something beside the text's tokens.
  public var otherAxes: [RowAxis] { axesBesideText.filter { axes[$0.index].kind == .sequence } }

  /// How many rows a sequence may give on `axis` beside the text's tokens: what limits it, or what the model is made for.
  public func longestInput(on axis: RowAxis) -> Int {
    if case .derived(let source, let dropped, let joined) = axes[axis.index].kind {
      return max(1, (longestInput(on: source) - dropped) / joined)
    }
    return axes[axis.index].longest ?? axes[axis.index].context ?? longestText
  }

  /// How many rows stand on `axis` for `count` rows given on the axis that they are made of.
  public func rows(on axis: RowAxis, of count: Int) -> Int {
    guard case .derived(let source, let dropped, let joined) = axes[axis.index].kind else { return count }
    return max(0, rows(on: source, of: count) - dropped) / joined
  }

  /// How many rows of `step`'s own kind one of its rows meets in a text of `context` tokens: those of another stack where it
  /// stands there or reads from there.
  func length(of step: Step, context: Int) -> Int {
    let other = step.inputs.lazy.map(\.axis).first { !$0.isOfText } ?? step.axis
    return other.isOfText ? context : axes[other.index].context ?? context
  }
}
