import Components
import Specification

/// The components of an architecture, made: what each of them read, and what they write together.
public struct Assembly: Sendable {
  /// What was composed.
  public let architecture: Architecture
  /// The components with the options that take effect.
  public let choices: ArchitectureChoices

  private let embedding: any Embedding
  private let position: any PositionEncoding
  private let norm: any Normalization
  private let head: any Head
  private let kinds: [Kind]
  private let initialization: (any Initialization)?

  /// The components of one distinct layer.
  struct Kind {
    let position: any PositionEncoding
    let norm: any Normalization
    let block: any Block
    let sublayers: [(slot: Slot, component: any SublayerComponent)]
    let choices: [Slot: ComponentChoice]
  }

  /// The components of `architecture`: `model` are the choices outside its layers.
  init(
    architecture: Architecture, embedding: any Embedding, position: any PositionEncoding, norm: any Normalization,
    head: any Head, kinds: [Kind], initialization: (any Initialization)?, model: [Slot: ComponentChoice]
  ) {
    self.initialization = initialization
    self.architecture = architecture
    self.embedding = embedding
    self.position = position
    self.norm = norm
    self.head = head
    self.kinds = kinds
    choices = ArchitectureChoices(
      model: model, written: kinds.map(\.choices), writtenOfLayer: architecture.layerKinds,
      positionActsAtEmbedding: position.actsAtEmbedding && architecture.someLayerTakesTheModelsPosition)
  }

  /// The plan; throws what components find wrong as they write.
  public func plan() throws(Problems) -> Plan { try plan(of: Array(architecture.layerKinds.indices)) }

  /// The plan with each distinct layer once: enough to draw and to count it.
  public func sketch() throws(Problems) -> Plan {
    var seen: Set<Int> = []
    return try plan(of: architecture.layerKinds.indices.filter { seen.insert(architecture.layerKinds[$0]).inserted })
  }

  /// How many numbers are learned, given its `sketch`.
  public func parameterCount(sketch plan: Plan) throws(Problems) -> Int {
    let kinds = architecture.layerKinds
    var copies: [Int: Int] = [:]
    for kind in kinds { copies[kind, default: 0] += 1 }
    var total = 0
    for tensor in plan.parameters {
      let layer = tensor.name.layer.flatMap { kinds.indices.contains($0) ? kinds[$0] : nil }
      let (product, isLarge) = tensor.count.multipliedReportingOverflow(by: layer.flatMap { copies[$0] } ?? 1)
      let (sum, isTooLarge) = total.addingReportingOverflow(product)
      if isLarge || isTooLarge {
        throw Problems([Problem("the model is too large to count", at: architecture.resolved["hidden_size"]?.place)])
      }
      total = sum
    }
    return total
  }

  /// The plan with only `layers` of the layers.
  private func plan(of layers: [Int]) throws(Problems) -> Plan {
    var plan = PlanBuilder(shape: architecture.shape)
    if let initialization {
      plan.multiply(logits: initialization.logitFactor, residual: initialization.residualFactor)
    }
    // A table that no layer asked for is not built: every layer has chosen another position encoding.
    let atEmbedding: any PositionEncoding =
      architecture.someLayerTakesTheModelsPosition ? position : NothingAtEmbedding()
    var stream = plan.embedding { embedding.write(position: atEmbedding, into: &$0) }
    var normIsDue = true
    for index in layers {
      let kind = kinds[architecture.layerKinds[index]]
      let layer = Layer(index: index, position: kind.position)
      let sublayers = kind.sublayers.filter { !$0.component.isAbsent }.map { slot, component in
        Sublayer(name: slot.scope ?? slot.rawValue, scope: component.scope) { x, plan in
          plan.sublayer { component.write(x, layer: layer, into: &$0) }
        }
      }
      stream = plan.layer(index) { plan in
        kind.block.write(stream, sublayers: sublayers, norm: kind.norm, into: &plan)
      }
      normIsDue = kind.block.needsFinalNorm
    }
    let logits = head.write(stream, norm: norm, normIsDue: normIsDue, into: &plan)
    if let initialization, let left = plan.factorsLeft.first, !layers.isEmpty {
      plan.fail(
        "the model cannot be of the parametrization '\(type(of: initialization).name)': \(left)",
        at: architecture.initialization?.place)
    }
    let finished: Plan
    do {
      finished = try plan.finish(name: architecture.name, logits: logits)
    } catch {
      // What no single setting is to blame for is told at the model's width.
      let place = architecture.resolved["hidden_size"]?.place
      throw Problems(error.list.map { Problem($0.sentence, at: $0.place ?? place, hint: $0.hint) })
    }
    guard let initialization else { return finished }
    return finished.starting { tensor, part in
      guard case .normal = tensor.initialization else { return tensor.initialization }
      return initialization.start(of: tensor, as: part)
    } moving: {
      initialization.update(of: $0, as: $1)
    }
  }
}

/// The position encoding of a model whose layers have all chosen others: it does nothing.
private struct NothingAtEmbedding: PositionEncoding {
  static let name = ""
  init() {}
  init(_ options: Options) {}
}
