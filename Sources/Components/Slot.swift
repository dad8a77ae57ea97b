/// A place that a component fills, in a transformer or in its training; its raw value is the key that names it.
///
/// What differs from slot to slot stands in one table, `row`. A new slot is a case with its row, and the protocol of its
/// components; a new sublayer of layers needs nothing else, for a layer's sublayers are what its slots say, in their order.
public enum Slot: String, Sendable, CaseIterable {
  case embedding, position, norm, block, residual, attention
  case crossAttention = "cross_attention"
  case mlp, activation, head, output, objective, optimizer, schedule
  case initialization = "init"

  private var row: Row {
    switch self {
    case .embedding:
      Row(.model, default: .ownComponent, "embedding", "token ids to vectors", scope: "embed")
    case .position:
      Row(.modelAndLayers, default: .required, "position encoding", "the positional encoding")
    case .norm:
      Row(.modelAndLayers, default: .required, "normalization", "the normalization")
    case .block:
      Row(.layers, default: .ownComponent, "block", "how sublayers are added to the residual stream")
    case .residual:
      Row(
        .option("block.residual"), default: .reader, "residual",
        "how a sublayer's result is added to the residual stream")
    case .attention:
      Row(.sublayer, default: .ownComponent, "attention", "how tokens are mixed", scope: "attn")
    case .crossAttention:
      Row(
        .sublayer, default: .nothing, hasOwnComponent: true, "cross-attention", "how tokens read another stack",
        scope: "cross_attn")
    case .mlp:
      Row(.sublayer, default: .ownComponent, "feed-forward", "how each token is transformed by itself", scope: "mlp")
    case .activation:
      Row(.option("mlp.activation"), default: .reader, "activation", "the nonlinearity")
    case .head:
      Row(.model, default: .ownComponent, "head", "vectors to logits", scope: "head")
    case .output:
      Row(.stack, default: .ownComponent, "output", "what a stack beside the text's gives to those that read it")
    case .objective:
      Row(.training, default: .reader, "objective", "the objective: what a model learns of its data, and its loss")
    case .optimizer:
      Row(.training, default: .reader, "optimizer", "the optimizer: how gradients change parameters")
    case .schedule:
      Row(.training, default: .reader, "schedule", "how the learning rate changes over a run")
    case .initialization:
      Row(.training, default: .reader, "initialization", "how parameters start, and by what rule of the size they move")
    }
  }

  /// Where a component of a slot stands.
  public enum Standing: Sendable, Hashable {
    /// Once in a model, under a key of the root.
    case model
    /// Once in every stack beside the text's, under a key of the stack.
    case stack
    /// In every layer and once for what stands outside the layers; the root's key says it for all.
    case modelAndLayers
    /// In every layer; the root's key says it for all.
    case layers
    /// In every layer, as one of its sublayers.
    case sublayer
    /// In another component, as its option; the path from the root of the place that is most usual.
    case option(String)
    /// In training, not in a model.
    case training
  }

  /// What a slot holds where nothing is written for it.
  public enum Default: Sendable, Hashable {
    /// A model must say.
    case required
    /// The component that is named like the slot.
    case ownComponent
    /// Nothing: a layer has no such sublayer.
    case nothing
    /// What the component or command that reads the slot says.
    case reader
  }

  private struct Row {
    let standing: Standing
    let whenUnwritten: Default
    /// Whether a group without a type means the component named like the slot.
    let hasOwnComponent: Bool
    let inWords: String
    let meaning: String
    let scope: String?

    init(
      _ standing: Standing, default whenUnwritten: Default, hasOwnComponent: Bool? = nil, _ inWords: String,
      _ meaning: String, scope: String? = nil
    ) {
      self.standing = standing
      self.whenUnwritten = whenUnwritten
      self.hasOwnComponent = hasOwnComponent ?? (whenUnwritten == .ownComponent)
      self.inWords = inWords
      self.meaning = meaning
      self.scope = scope
    }
  }

  /// Where its components stand.
  public var standing: Standing { row.standing }
  /// What it holds where nothing is written.
  public var whenUnwritten: Default { row.whenUnwritten }
  /// Whether a group of this slot without a type means the component named like the slot.
  public var hasOwnComponent: Bool { row.hasOwnComponent }
  /// The slot in the words of a sentence: "no normalization is named …".
  public var inWords: String { row.inWords }
  /// What it is for, in a few words.
  public var meaning: String { row.meaning }
  /// What the names of its tensors begin with after the layer, unless its component says otherwise; nil where a
  /// component of the slot is named by what uses it.
  public var scope: String? { row.scope }

  /// The slot whose tensors are named after `scope`.
  public init?(scope: some StringProtocol) {
    guard let slot = Self.allCases.first(where: { $0.scope.map { $0 == scope } ?? false }) else { return nil }
    self = slot
  }

  /// Where a file writes it, when it is an option of another component: the path from the root. Nil where it has a key of
  /// its own.
  public var optionPath: String? {
    if case .option(let path) = standing { path } else { nil }
  }

  /// Whether it is a place in a transformer, rather than in its training.
  public var isOfModel: Bool { standing != .training }
  /// Whether a model has one that belongs to no layer.
  public var isOutsideLayers: Bool { standing == .model || standing == .modelAndLayers }
  /// Whether it may differ from layer to layer.
  public var isInLayers: Bool { standing == .modelAndLayers || standing == .layers || standing == .sublayer }

  /// The slots of a stack beside the text's, under the keys of which it is written: the text's own have the head.
  public static let ofStacks = allCases.filter {
    ($0.isInLayers || $0.isOutsideLayers || $0.standing == .stack) && $0 != .head
  }
  /// The places in a transformer.
  public static let ofModels = allCases.filter(\.isOfModel)
  /// The slots that a file fills at its root.
  public static let atRoot = allCases.filter { $0.isOutsideLayers || $0.isInLayers }
  /// The slots of a layer.
  public static let ofLayers = allCases.filter(\.isInLayers)
  /// The slots of a layer's sublayers, in the order in which a block has them.
  public static let ofSublayers = allCases.filter { $0.standing == .sublayer }
}
