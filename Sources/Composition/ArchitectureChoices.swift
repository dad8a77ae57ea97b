import Components

/// The components of an architecture as they take effect: defaults included, layer by layer.
public struct ArchitectureChoices: Sendable {
  /// The components outside the layers: the embedding, the head, and the position encoding and the norm where no layer
  /// says otherwise.
  public let model: [Slot: ComponentChoice]
  /// The distinct layers' components; layers that differ only in what has no effect are one.
  public let kinds: [[Slot: ComponentChoice]]
  /// For each layer, which of `kinds` it is.
  public let kindOfLayer: [Int]
  /// Whether the model's own position encoding adds to the residual stream at the embedding.
  public let positionActsAtEmbedding: Bool
  /// Those of the stacks beside the text's, in order.
  public let stacks: [StackChoices]

  /// A stack's components.
  public struct StackChoices: Sendable {
    /// Its name.
    public let name: String
    /// Its sizes.
    public let shape: ModelShape
    /// Its components.
    public let choices: ArchitectureChoices
  }

  /// The components of `model`, and of layers that are each one of `written`, the distinct ones as they were written.
  init(
    model: [Slot: ComponentChoice], written: [[Slot: ComponentChoice]], writtenOfLayer: [Int],
    positionActsAtEmbedding: Bool, stacks: [StackChoices] = []
  ) {
    self.stacks = stacks
    self.model = model
    self.positionActsAtEmbedding = positionActsAtEmbedding
    var kinds: [[Slot: ComponentChoice]] = []
    let kindOfWritten = written.map { layer in
      if let same = kinds.firstIndex(where: { $0.isEquivalent(to: layer) }) { return same }
      kinds.append(layer)
      return kinds.count - 1
    }
    self.kinds = kinds
    kindOfLayer = writtenOfLayer.map { kindOfWritten[$0] }
  }

  /// The components of the stack `name`; of the text's, which these are, for nil.
  public func of(_ name: String?) -> ArchitectureChoices {
    stacks.first { $0.name == name }?.choices ?? self
  }

  /// The components that layer `layer` uses.
  public func layer(_ layer: Int) -> [Slot: ComponentChoice] { kinds[kindOfLayer[layer]] }

  /// Every component that is used anywhere.
  public var used: Set<ComponentName> {
    stacks.reduce(into: Set((kinds + [modelInUse]).flatMap { $0.values.flatMap(\.used) })) {
      $0.formUnion($1.choices.used)
    }
  }

  /// Whether `other` composes the same layers from the same parts.
  public func isEquivalent(to other: ArchitectureChoices) -> Bool {
    modelInUse.isEquivalent(to: other.modelInUse) && kindOfLayer == other.kindOfLayer
      && kinds.count == other.kinds.count && zip(kinds, other.kinds).allSatisfy { $0.isEquivalent(to: $1) }
      && stacks.count == other.stacks.count
      && zip(stacks, other.stacks).allSatisfy {
        $0.name == $1.name && $0.shape == $1.shape && $0.choices.isEquivalent(to: $1.choices)
      }
  }

  /// What stands outside the layers: the model's own position counts only where the embedding uses it.
  private var modelInUse: [Slot: ComponentChoice] {
    positionActsAtEmbedding ? model : model.filter { $0.key != .position }
  }
}

extension [Slot: ComponentChoice] {
  /// Whether every slot holds the same component with the same values, wherever they were written.
  public func isEquivalent(to other: Self) -> Bool {
    count == other.count && allSatisfy { slot, choice in other[slot]?.isEquivalent(to: choice) ?? false }
  }

  /// The components in the order of the slots.
  public var inOrder: [ComponentChoice] { Slot.allCases.compactMap { self[$0] } }
}
