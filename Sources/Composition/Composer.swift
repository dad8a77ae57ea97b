import Components
import Specification

/// Writes the plan of an architecture: it makes the components that the file chose, and lets each write its part.
public struct Composer: Sendable {
  /// The components that files can name.
  public let registry: Registry

  /// A composer with the components of `registry`.
  public init(_ registry: Registry) {
    self.registry = registry
  }

  /// The components of one layer.
  private struct LayerParts {
    let position: any PositionEncoding
    let norm: any Normalization
    let block: any Block
    let mixer: any Mixer
    let feedForward: any FeedForward
  }

  /// The plan of `architecture`; throws every problem found, each with its place.
  public func compose(_ architecture: Architecture) throws(Problems) -> Plan {
    try compose(architecture, layers: Array(architecture.layerKinds.indices))
  }

  /// How many numbers `architecture` learns, found by writing each distinct layer once; throws every problem found.
  public func parameterCount(of architecture: Architecture) throws(Problems) -> Int {
    try parameterCount(of: architecture, sketch: sketch(of: architecture))
  }

  /// The plan of `architecture` with each distinct layer once: enough to draw and to count it.
  public func sketch(of architecture: Architecture) throws(Problems) -> Plan {
    var seen: Set<Int> = []
    let firsts = architecture.layerKinds.indices.filter { seen.insert(architecture.layerKinds[$0]).inserted }
    return try compose(architecture, layers: firsts)
  }

  /// How many numbers `architecture` learns, given its `sketch`.
  public func parameterCount(of architecture: Architecture, sketch plan: Plan) throws(Problems) -> Int {
    let kinds = architecture.layerKinds
    var copies: [Int: Int] = [:]
    for kind in kinds { copies[kind, default: 0] += 1 }
    var total = 0
    for tensor in plan.parameters {
      let layer = tensor.layerIndex.flatMap { kinds.indices.contains($0) ? kinds[$0] : nil }
      let (product, isLarge) = tensor.count.multipliedReportingOverflow(by: layer.flatMap { copies[$0] } ?? 1)
      let (sum, isTooLarge) = total.addingReportingOverflow(product)
      if isLarge || isTooLarge {
        throw Problems([Problem("the model is too large to count", at: architecture.resolved["hidden_size"]?.place)])
      }
      total = sum
    }
    return total
  }

  /// The plan of `architecture` with only `layers` of its layers.
  private func compose(_ architecture: Architecture, layers: [Int]) throws(Problems) -> Plan {
    let factory = ComponentFactory(registry, shape: architecture.shape)
    let embedding = factory.make(.embedding, architecture.embedding.setting, as: (any Embedding).self)
    let position = factory.make(.position, architecture.position.setting, as: (any PositionEncoding).self)
    let norm = factory.make(.norm, architecture.norm.setting, as: (any Normalization).self)
    let head = factory.make(.head, architecture.head.setting, as: (any Head).self)
    var problems = Problems()
    var kinds: [Int: LayerParts] = [:]
    for (index, kind) in architecture.layerKinds.enumerated() where kinds[kind] == nil {
      let layer = architecture.layers[index]
      kinds[kind] = parts(of: layer, factory)
      if layer.position != architecture.position, kinds[kind]?.position.actsAtEmbedding == true {
        problems.add(
          Problem(
            "'\(layer.position.type ?? "")' acts once, at the embedding, so a layer cannot choose it",
            at: layer.position.place, hint: "set 'position' for the whole model"))
      }
    }
    for problem in factory.problems.list { problems.add(problem) }
    guard problems.isEmpty, let embedding, let position, let norm, let head else { throw problems }

    var plan = PlanBuilder(shape: architecture.shape)
    var line = embedding.write(position: position, into: &plan)
    var normIsDue = true
    for index in layers {
      guard let parts = kinds[architecture.layerKinds[index]] else { continue }
      let layer = Layer(index: index, position: parts.position)
      var sublayers: [Sublayer] = []
      if !parts.mixer.isAbsent {
        sublayers.append(Sublayer(name: "attn") { parts.mixer.write($0, layer: layer, into: &$1) })
      }
      if !parts.feedForward.isAbsent {
        let scope = parts.feedForward.scope
        sublayers.append(Sublayer(name: "mlp", scope: scope) { parts.feedForward.write($0, layer: layer, into: &$1) })
      }
      line = plan.within("layers.\(index)") { plan in
        parts.block.write(line, sublayers: sublayers, norm: parts.norm, into: &plan)
      }
      normIsDue = parts.block.needsFinalNorm
    }
    let logits = head.write(line, norm: norm, normIsDue: normIsDue, into: &plan)
    let finished: Plan
    do {
      finished = try plan.finish(name: architecture.name, logits: logits)
    } catch {
      // What no single setting is to blame for is told at the model's width.
      let place = architecture.resolved["hidden_size"]?.place
      throw Problems(error.list.map { Problem($0.sentence, at: $0.place ?? place, hint: $0.hint) })
    }
    guard let setting = architecture.initialization else { return finished }
    let initialization = try Initialization(setting)
    return finished.starting { initialization.start(of: $0, layers: architecture.shape.layerCount) }
  }

  private func parts(of layer: LayerSpec, _ factory: ComponentFactory) -> LayerParts? {
    let inherited = [Slot.norm: layer.norm.setting]
    let position = factory.make(.position, layer.position.setting, as: (any PositionEncoding).self)
    let norm = factory.make(.norm, layer.norm.setting, as: (any Normalization).self)
    let block = factory.make(.block, layer.block.setting, as: (any Block).self)
    let mixer = factory.make(.attention, layer.attention.setting, as: (any Mixer).self, inherited: inherited)
    let feedForward = factory.make(.mlp, layer.mlp.setting, as: (any FeedForward).self, inherited: inherited)
    guard let position, let norm, let block, let mixer, let feedForward else { return nil }
    return LayerParts(position: position, norm: norm, block: block, mixer: mixer, feedForward: feedForward)
  }
}

extension ComponentSpec {
  /// The choice as one setting: the options, and the type when one was written.
  var setting: Setting {
    var setting = options
    setting.place = place ?? options.place
    if let type { setting["type"] = Setting(text: type, at: place) }
    return setting
  }
}
