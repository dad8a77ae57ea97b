import Components
import Specification

/// The components of an architecture as they take effect: defaults included, layer by layer.
public struct ArchitectureChoices: Sendable {
  /// Token ids to vectors.
  public let embedding: ComponentChoice
  /// How positions are told apart where no layer says otherwise, and at the embedding.
  public let position: ComponentChoice
  /// How vectors are normalized where no layer says otherwise, and before the head.
  public let norm: ComponentChoice
  /// Vectors to logits.
  public let head: ComponentChoice
  /// The distinct layers' components, each in the order of `LayerSpec.slots`; layers that differ only in what has no
  /// effect are one.
  public let kinds: [[ComponentChoice]]
  /// For each layer, which of `kinds` it is.
  public let kindOfLayer: [Int]

  /// The components that layer `layer` uses, in the order of `LayerSpec.slots`.
  public func layer(_ layer: Int) -> [ComponentChoice] { kinds[kindOfLayer[layer]] }

  /// Every component that is used anywhere.
  public var used: Set<ComponentName> {
    // The model's own position counts only where a layer uses it or the embedding does.
    let everywhere = [embedding, norm, head] + kinds.flatMap { $0 } + (positionActsAtEmbedding ? [position] : [])
    return Set(everywhere.flatMap(\.used))
  }

  /// Whether the model's own position encoding adds to the residual line at the embedding.
  public let positionActsAtEmbedding: Bool

  /// Whether `other` composes the same layers from the same parts.
  public func isEquivalent(to other: ArchitectureChoices) -> Bool {
    embedding.isEquivalent(to: other.embedding) && head.isEquivalent(to: other.head)
      && norm.isEquivalent(to: other.norm)
      && positionActsAtEmbedding == other.positionActsAtEmbedding
      && (!positionActsAtEmbedding || position.isEquivalent(to: other.position))
      && kindOfLayer == other.kindOfLayer && kinds.count == other.kinds.count
      && zip(kinds, other.kinds).allSatisfy { zip($0, $1).allSatisfy { $0.isEquivalent(to: $1) } }
  }
}

extension Composer {
  /// The components of `architecture` as they take effect; throws every problem found, each with its place.
  public func choices(of architecture: Architecture) throws(Problems) -> ArchitectureChoices {
    let factory = ComponentFactory(registry, shape: architecture.shape)
    var positionActsAtEmbedding = false
    func choose(_ spec: ComponentSpec, inherited: [Slot: Setting] = [:]) -> ComponentChoice {
      let component = factory.make(spec.slot, spec.setting, as: (any Component).self, inherited: inherited)
      let name = component.map { type(of: $0).name } ?? spec.slot.rawValue
      return ComponentChoice(slot: spec.slot, name: name, options: factory.readings)
    }
    let embedding = choose(architecture.embedding)
    let position = choose(architecture.position)
    if let component = factory.make(.position, architecture.position.setting, as: (any PositionEncoding).self) {
      positionActsAtEmbedding = component.actsAtEmbedding
    }
    let norm = choose(architecture.norm)
    let head = choose(architecture.head)
    var kinds: [[ComponentChoice]] = []
    var kindOfSpec: [Int: Int] = [:]
    for (index, spec) in architecture.layerKinds.enumerated() where kindOfSpec[spec] == nil {
      let layer = architecture.layers[index]
      let inherited = [Slot.norm: layer.norm.setting]
      let choices = [
        choose(layer.position), choose(layer.norm), choose(layer.block),
        choose(layer.attention, inherited: inherited), choose(layer.mlp, inherited: inherited),
      ]
      let same = kinds.firstIndex { kind in zip(kind, choices).allSatisfy { $0.isEquivalent(to: $1) } }
      kindOfSpec[spec] = same ?? kinds.count
      if same == nil { kinds.append(choices) }
    }
    try factory.problems.check()
    return ArchitectureChoices(
      embedding: embedding, position: position, norm: norm, head: head, kinds: kinds,
      kindOfLayer: architecture.layerKinds.map { kindOfSpec[$0] ?? 0 },
      positionActsAtEmbedding: positionActsAtEmbedding)
  }
}
