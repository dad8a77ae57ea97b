/// A place that a component fills, in a transformer or in its training; its raw value is the key that names it.
public enum Slot: String, Sendable, CaseIterable {
  /// Token ids to vectors.
  case embedding
  /// How positions are told apart.
  case position
  /// How vectors are normalized.
  case norm
  /// How sublayers join the residual line.
  case block
  /// How a sublayer's result joins the line.
  case residual
  /// How tokens are mixed.
  case attention
  /// How each token is transformed by itself.
  case mlp
  /// The nonlinearity of a feed-forward.
  case activation
  /// Vectors to logits.
  case head
  /// How parameters move against their gradients.
  case optimizer
  /// How the learning rate changes over a run.
  case schedule

  /// Where a file writes it, when it is an option of another component: the path from the root. Nil where it has a key of
  /// its own.
  public var optionPath: String? {
    switch self {
    case .activation: "mlp.activation"
    case .residual: "block.residual"
    default: nil
    }
  }

  /// The places in a transformer.
  public static var ofModels: [Slot] { allCases.filter(\.isOfModel) }

  /// Whether it is a place in a transformer, rather than in its training.
  public var isOfModel: Bool { self != .optimizer && self != .schedule }
}
