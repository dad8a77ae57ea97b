/// A place in a transformer that a component fills; its raw value is the key that names it.
public enum Slot: String, Sendable, CaseIterable {
  /// Token ids to vectors.
  case embedding
  /// How positions are told apart.
  case position
  /// How vectors are normalized.
  case norm
  /// How sublayers join the residual line.
  case block
  /// How tokens are mixed.
  case attention
  /// How each token is transformed by itself.
  case mlp
  /// The nonlinearity of a feed-forward.
  case activation
  /// Vectors to logits.
  case head
}
