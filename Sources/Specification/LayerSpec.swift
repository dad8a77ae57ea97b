import Components

/// One layer: what stands in each of its slots.
public struct LayerSpec: Sendable, Hashable {
  /// The components by slot. A slot that may stay empty is left out where nothing is written for it.
  public let components: [Slot: ComponentSpec]
  /// The variant that the pattern gives the layer, when there is a pattern.
  public let variant: String?

  /// What stands in `slot`.
  public subscript(slot: Slot) -> ComponentSpec? { components[slot] }
}
