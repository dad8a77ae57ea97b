import Operators
import Plans
import Settings

/// Something that a file can name: it reads its options, checks them, and writes operators into a plan.
///
/// A component is one file with one type. Its doc comment says what it is in a sentence, gives the equation and the
/// source, and warns of the one mistake a careful reader would make.
public protocol Component: Sendable {
  /// The slot it fills; given by the slot's protocol.
  static var slot: Slot { get }
  /// The word that names it in a file.
  static var name: String { get }
  /// The option that chooses it where no type is written: a group that has this key means this component. Nil for most.
  static var choosingOption: String? { get }
  /// Whether its slot takes it where nothing is named, which one component of a slot may say.
  static var isDefault: Bool { get }
  /// Reads the options. What is wrong is noted in `options`; the instance made then is never used.
  init(_ options: Options)
}

/// What a stack beside the text's gives to those that read it.
public protocol Output: Component {
  /// Writes it. `hidden` is the residual stream before the first layer and after each, `normIsDue` says whether the last of it
  /// is left unnormalized.
  func write(_ hidden: [Value], norm: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder) -> Value
}

/// Token ids to vectors, and the start of the residual stream.
public protocol Embedding: Component {
  /// How many numbers it is given for a row; nil where it is a token id.
  var inputWidth: Int? { get }
  /// How the rows that it is given stand for a picture; nil where they do not.
  var patches: PatchGrid? { get }
  /// The stack whose rows are its own too; nil where it is given rows, or ids.
  var source: String? { get }
  /// Writes the lookup of the pass's tokens, or what is given for the rows of the stack: a value of the model's width, a row for each.
  ///
  /// `position` is the model's own position encoding, which may add to the residual stream here; `stacks` are what other stacks give.
  func write(position: any PositionEncoding, reading stacks: [StackStates], into plan: inout PlanBuilder) -> Value
}

/// Whether a vector is a query or a key.
public enum AttentionRole: Sendable, Hashable {
  /// A query.
  case query
  /// A key.
  case key
}

/// A position encoding. Each part defaults to nothing, so an encoding says only where it acts.
public protocol PositionEncoding: Component {
  /// Whether it adds to the residual stream at the embedding, once for the whole model.
  var actsAtEmbedding: Bool { get }
  /// What it adds to the residual stream at the embedding.
  func embed(_ x: Value, into plan: inout PlanBuilder) -> Value
  /// How it rotates queries or keys, as `role` says: `x` holds `heads` vectors of equal width a row.
  func rotate(_ x: Value, _ role: AttentionRole, heads: Int, into plan: inout PlanBuilder) -> Value
  /// What attention's scores are multiplied by besides, as where angles are stretched beyond the trained context.
  var scoreFactor: Double { get }
  /// What it adds to the scores of attention with `heads` heads, whose scores are q·k times `scale`.
  func scoreBias(heads: Int, scale: Float) -> (any ScoreBias)?
  /// The learned table that it adds to the scores of attention with `heads` heads, and its tensor; `seesLater` says whether
  /// keys stand behind the query too. Where there is one, `scoreBias` is not asked for.
  func scoreTable(
    heads: Int, seesLater: Bool, into plan: inout PlanBuilder
  ) -> (table: ScoreTable, tensor: ParameterReference)?
  /// The group of options at `option` said by another of its types, `type`, for heads of `headWidth`: for files that have no
  /// word for its own. Nil when that type cannot say it.
  func restated(_ option: String, as type: String, headWidth: Int) -> Setting?
}

/// A normalization of vectors.
public protocol Normalization: Component {
  /// Whether it changes nothing, so that no step need be written for it.
  var isIdentity: Bool { get }
  /// Writes the normalization of `x`, with learned tensors under `name`.
  func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value
}

/// A nonlinearity.
public protocol Activation: Component {
  /// Writes the nonlinearity of every element of `x`.
  func write(_ x: Value, into plan: inout PlanBuilder) -> Value
}

/// An activation that acts on every element alone: it says the function and its derivative, and is written by one operator.
public protocol ElementwiseActivation: Activation, ElementwiseFunction {}

extension ElementwiseActivation {
  public func write(_ x: Value, into plan: inout PlanBuilder) -> Value { plan.elementwise(self, of: x) }
}

/// What a sublayer knows of the layer it stands in.
public struct Layer: Sendable {
  /// The layer's index, from 0.
  public let index: Int
  /// The layer's position encoding.
  public let position: any PositionEncoding
  /// What other stacks give, in the order in which they are written.
  public let stacks: [StackStates]

  /// The layer at `index`, which may read `stacks`.
  public init(index: Int, position: any PositionEncoding, stacks: [StackStates] = []) {
    self.index = index
    self.position = position
    self.stacks = stacks
  }
}

/// The residual stream before the first layer, as layers of the same stack find it left for them.
public struct EmbeddedRows: Sendable {
  /// A row for each of the stack's rows.
  public let stream: Value

  /// What the embedding gave.
  public init(stream: Value) { self.stream = stream }
}

/// What the embedding leaves to be added to what the first layers give.
public struct AddedAfterLayers: Sendable {
  /// Writes what becomes of the residual stream `stream` behind the layer `layer`.
  public let write: @Sendable (_ stream: Value, _ layer: Int, _ plan: inout PlanBuilder) -> Value

  /// Something that `write` adds.
  public init(_ write: @escaping @Sendable (_ stream: Value, _ layer: Int, _ plan: inout PlanBuilder) -> Value) {
    self.write = write
  }
}

/// What a stack gives to those that read it.
public struct StackStates: Sendable {
  /// The stack's name.
  public let name: String
  /// A row for each of its rows.
  public let states: Value

  /// The `states` of the stack `name`.
  public init(name: String, states: Value) {
    self.name = name
    self.states = states
  }
}

/// What fills one of the sublayers of a layer.
public protocol SublayerComponent: Component {
  /// Whether the layer has no such sublayer at all, nor norms for it: nothing is written then.
  var isAbsent: Bool { get }
  /// What its tensors' canonical names have after the layer's number; the slot's own scope unless it says otherwise.
  var scope: String { get }
  /// Whether layers of the same settings differ in what they write, as where they take turns with the tensors of a group.
  var differsByLayer: Bool { get }
  /// Writes what becomes of `x`; the result has the model's width.
  func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value
}

/// A mixer of tokens: attention, or something with another cached state.
public protocol Mixer: SublayerComponent {}

/// How tokens read the rows of another stack.
public protocol CrossMixer: SublayerComponent {}

/// A transformation of each token by itself.
public protocol FeedForward: SublayerComponent {}

/// One sublayer of a block: its name in canonical tensor names, and what writes it.
public struct Sublayer {
  /// What its norms are named after: its slot's scope, such as `attn` or `mlp`.
  public let name: String
  /// The scope of its own steps and tensors.
  public let scope: String
  /// Writes the sublayer's own steps.
  public let write: (Value, inout PlanBuilder) -> Value

  /// The sublayer `name`, whose scope is the name unless it says otherwise.
  public init(name: String, scope: String? = nil, write: @escaping (Value, inout PlanBuilder) -> Value) {
    self.name = name
    self.scope = scope ?? name
    self.write = write
  }
}

/// How one sublayer's result joins the residual stream.
public protocol Residual: Component {
  /// Writes the residual stream that follows from `stream` and `result`, of the same width; learned tensors go under `name`.
  ///
  /// `alpha` and `beta` are what the block multiplies the stream and the result by.
  func join(
    _ stream: Value, _ result: Value, alpha: Double, beta: Double, named name: String, into plan: inout PlanBuilder
  ) -> Value
}

/// How sublayers stand along the residual stream.
public protocol Block: Component {
  /// Whether the residual stream leaves the last layer unnormalized, so that a norm before the head is due.
  var needsFinalNorm: Bool { get }
  /// Whether layers of the same settings differ in what it writes.
  var differsByLayer: Bool { get }
  /// Writes the sublayers around the residual stream `x`.
  func write(_ x: Value, sublayers: [Sublayer], norm: any Normalization, into plan: inout PlanBuilder) -> Value
}

/// Vectors to logits.
public protocol Head: Component {
  /// Writes the final norm and the logits of the rows that are asked for.
  ///
  /// `normIsDue` says whether the residual stream arrives unnormalized; the head's own options may overrule it.
  func write(_ x: Value, norm: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder) -> Value
  /// The same of a head that may read what other stacks give.
  func write(
    _ x: Value, norm: any Normalization, normIsDue: Bool, reading stacks: [StackStates], into plan: inout PlanBuilder
  ) -> Value
}

extension Component {
  public static var choosingOption: String? { nil }
  public static var isDefault: Bool { false }
}
extension Output { public static var slot: Slot { .output } }
extension Embedding {
  public static var slot: Slot { .embedding }
  public var inputWidth: Int? { patches?.width }
  public var patches: PatchGrid? { nil }
  public var source: String? { nil }
}
extension Normalization {
  public static var slot: Slot { .norm }
  public var isIdentity: Bool { false }
}
extension Activation { public static var slot: Slot { .activation } }
extension SublayerComponent {
  public var isAbsent: Bool { false }
  public var differsByLayer: Bool { false }
  public var scope: String { Self.slot.scope ?? Self.slot.rawValue }
}
extension Mixer { public static var slot: Slot { .attention } }
extension CrossMixer { public static var slot: Slot { .crossAttention } }
extension FeedForward { public static var slot: Slot { .mlp } }
extension Residual { public static var slot: Slot { .residual } }
extension Block {
  public static var slot: Slot { .block }
  public var differsByLayer: Bool { false }
}
extension Head {
  public static var slot: Slot { .head }
  public func write(
    _ x: Value, norm: any Normalization, normIsDue: Bool, reading stacks: [StackStates], into plan: inout PlanBuilder
  ) -> Value { write(x, norm: norm, normIsDue: normIsDue, into: &plan) }
}
extension PositionEncoding {
  public static var slot: Slot { .position }
  public var actsAtEmbedding: Bool { false }
  public func embed(_ x: Value, into plan: inout PlanBuilder) -> Value { x }
  public func rotate(_ x: Value, _ role: AttentionRole, heads: Int, into plan: inout PlanBuilder) -> Value { x }
  public var scoreFactor: Double { 1 }
  public func scoreBias(heads: Int, scale: Float) -> (any ScoreBias)? { nil }
  public func scoreTable(
    heads: Int, seesLater: Bool, into plan: inout PlanBuilder
  ) -> (table: ScoreTable, tensor: ParameterReference)? { nil }
  public func restated(_ option: String, as type: String, headWidth: Int) -> Setting? { nil }
}
