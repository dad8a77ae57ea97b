import Components

/// One layer: the components that may differ from layer to layer.
public struct LayerSpec: Sendable, Hashable {
  /// How positions are told apart.
  public let position: ComponentSpec
  /// How vectors are normalized.
  public let norm: ComponentSpec
  /// How the sublayers join the residual line.
  public let block: ComponentSpec
  /// How tokens are mixed.
  public let attention: ComponentSpec
  /// How each token is transformed by itself.
  public let mlp: ComponentSpec
  /// The variant that the pattern gives the layer, when there is a pattern.
  public let variant: String?

  /// The slots that may differ from layer to layer.
  public static let slots: [Slot] = [.position, .norm, .block, .attention, .mlp]
}
