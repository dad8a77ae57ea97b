import Components
import Specification

/// The components of one stack, made.
struct StackAssembly: Sendable {
  /// What it was made of.
  let stack: Architecture.Stack
  let embedding: any Embedding
  let position: any PositionEncoding
  let norm: any Normalization
  let kinds: [Kind]
  /// How its tensors start and move; nil where the architecture does not say.
  let initialization: (any Initialization)?
  /// The choices outside its layers.
  let model: [Slot: ComponentChoice]

  /// The components of one distinct layer.
  struct Kind {
    let position: any PositionEncoding
    let norm: any Normalization
    let block: any Block
    let sublayers: [(slot: Slot, component: any SublayerComponent)]
    let choices: [Slot: ComponentChoice]

    /// Whether layers of this kind differ in what they write.
    var differsByLayer: Bool { block.differsByLayer || sublayers.contains { $0.component.differsByLayer } }
  }

  /// The components with the options that take effect; `stacks` are those of the others.
  func choices(stacks: [ArchitectureChoices.StackChoices] = []) -> ArchitectureChoices {
    ArchitectureChoices(
      model: model, written: kinds.map(\.choices), writtenOfLayer: stack.layerKinds,
      positionActsAtEmbedding: position.actsAtEmbedding && stack.someLayerTakesTheStacksPosition, stacks: stacks)
  }

  /// The first layer of each distinct kind.
  var firstOfKinds: [Int] {
    var seen: Set<Int> = []
    return stack.layerKinds.indices.filter {
      seen.insert(stack.layerKinds[$0]).inserted || kinds[stack.layerKinds[$0]].differsByLayer
    }
  }

  /// How many layers are as the layer `index` is.
  func copies(of index: Int) -> Int {
    let kind = stack.layerKinds[index]
    return kinds[kind].differsByLayer ? 1 : stack.layerKinds.count { $0 == kind }
  }

  /// Writes its embedding and `layers`, which may read `others`: the residual stream before the first layer and after each, and
  /// whether the last is left unnormalized.
  func write(
    _ layers: [Int], reading others: [StackStates], into plan: inout PlanBuilder
  ) -> (hidden: [Value], normIsDue: Bool) {
    // A table that no layer asked for is not built: every layer has chosen another position encoding.
    let atEmbedding: any PositionEncoding = stack.someLayerTakesTheStacksPosition ? position : NothingAtEmbedding()
    var stream = plan.embedding { embedding.write(position: atEmbedding, reading: others, into: &$0) }
    plan.leave(EmbeddedRows(stream: stream))
    var hidden = [stream]
    var normIsDue = true
    for index in layers {
      let kind = kinds[stack.layerKinds[index]]
      let layer = Layer(index: index, position: kind.position, stacks: others)
      let sublayers = kind.sublayers.filter { !$0.component.isAbsent }.map { slot, component in
        Sublayer(name: slot.scope ?? slot.rawValue, scope: component.scope) { x, plan in
          plan.sublayer { component.write(x, layer: layer, into: &$0) }
        }
      }
      stream = plan.layer(index) { plan in
        let given = kind.block.write(stream, sublayers: sublayers, norm: kind.norm, into: &plan)
        return plan.left(AddedAfterLayers.self)?.write(given, index, &plan) ?? given
      }
      hidden.append(stream)
      normIsDue = kind.block.needsFinalNorm
    }
    return (hidden, normIsDue)
  }
}

extension Architecture.Stack {
  /// Whether some layer has the stack's position encoding, rather than one of its own.
  var someLayerTakesTheStacksPosition: Bool {
    layers.isEmpty || layers.contains { $0[.position] == self[.position] }
  }
}

/// The position encoding of a model whose layers have all chosen others: it does nothing.
private struct NothingAtEmbedding: PositionEncoding {
  static let name = ""
  init() {}
  init(_ options: Options) {}
}
