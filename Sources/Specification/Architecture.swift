import Components

/// A transformer as a file describes it: sizes, components with their options, and what belongs to it.
///
/// Everything is resolved: what the file extends, the patches of the caller, and the layers' variants and overrides.
public struct Architecture: Sendable {
  /// Its name: the one its file gives, or the file's own.
  public let name: String
  /// The family it belongs to: the folder of the zoo that it stands in or builds on.
  public let family: String?
  /// The sizes that its components share.
  public let shape: ModelShape
  /// What stands in the slots outside the layers: the embedding, the head, and the position encoding and the norm of both.
  public let components: [Slot: ComponentSpec]
  /// The layers in order; layers of the same content share it.
  public let layers: [LayerSpec]
  /// For each layer, which of the distinct layers it is: equal numbers are equal layers, numbered as they first appear.
  public let layerKinds: [Int]
  /// The stacks beside the text's, in the order of the file: each may be read by those after it, and by the text.
  public let stacks: [Stack]
  /// What is known about the model.
  public let facts: Facts
  /// How many parameters the model is published to have.
  public let expectedParams: Int?
  /// Its tokenizer: a name or a group.
  public let tokenizer: Setting?
  /// How texts are prepared for it: a group.
  public let texts: Setting?
  /// How a conversation is written for it: a name or a group.
  public let chat: Setting?
  /// How pictures are written in a prompt: a group.
  public let images: Setting?
  /// How a checkpoint's tensors are named and laid out.
  public let checkpoint: Setting?
  /// How a `config.json` is bound to these keys.
  public let config: Setting?
  /// How a GGUF file's metadata and tensors are bound to these keys.
  public let gguf: Setting?
  /// How parameters are initialized for training (the key `init`).
  public let initialization: Setting?
  /// The whole merged tree, each value with the place it comes from.
  public let resolved: Setting
  /// The files it was read from: its own first, then those it builds on.
  public let files: [String]
  /// The changes of a component's type by patches, which dropped the old type's options.
  public let typeChanges: [TypeChange]

  /// What stands in `slot` outside the layers.
  public subscript(slot: Slot) -> ComponentSpec? { components[slot] }

  /// The text's own stack: that whose keys stand at the root.
  public var text: Stack {
    Stack(
      name: ArchitectureKeys.text, shape: shape, components: components, layers: layers, layerKinds: layerKinds,
      place: resolved.place)
  }

  /// A stack of layers.
  public struct Stack: Sendable {
    /// Its name.
    public let name: String
    /// The sizes that its components share.
    public let shape: ModelShape
    /// What stands in the slots outside the layers.
    public let components: [Slot: ComponentSpec]
    /// The layers in order; layers of the same content share it.
    public let layers: [LayerSpec]
    /// For each layer, which of the distinct layers it is, numbered as they first appear.
    public let layerKinds: [Int]
    /// Where it is written.
    public let place: Place?

    /// What stands in `slot` outside the layers.
    public subscript(slot: Slot) -> ComponentSpec? { components[slot] }
  }
}
