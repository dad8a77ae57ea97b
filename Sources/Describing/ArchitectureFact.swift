import Components
import Composition
import Specification

/// Something that is so of an architecture: where it belongs, what it is called, and its value in words.
public struct ArchitectureFact: Sendable, Hashable {
  /// `sizes`, a slot's key, or `costs`.
  public let group: String
  /// The key in the group; empty for the component that fills the slot.
  public let key: String
  /// The value; nil when there is none.
  public let value: String?
  /// Whether a file says it, rather than a default or what follows from sizes.
  public let isWritten: Bool
  /// For what each layer has for itself, the value of each; nil where a layer's component has no such option.
  public let layers: [String?]

  /// The fact that `key` of `group` is `value`.
  public init(group: String, key: String, value: String?, isWritten: Bool = true, layers: [String?] = []) {
    self.layers = layers
    self.group = group
    self.key = key
    self.value = value
    self.isWritten = isWritten
  }
}

extension ModelSheet {
  /// What is so of the architecture: sizes, every component with the options that take effect, and costs.
  public var facts: [ArchitectureFact] { facts(with: []) }

  /// The facts, with those of `groups` that say nothing new here but do in a model that this one is compared with.
  func facts(with groups: Set<String>) -> [ArchitectureFact] {
    var facts = Self.sizes(plan.shape, in: "sizes")
    facts.append(ArchitectureFact(group: "sizes", key: "pattern", value: pattern))
    for slot in Slot.atRoot {
      let own = choices.model[slot]
      if slot == .position, choices.positionActsAtEmbedding, let own,
        isOverridden(own) || groups.contains(Self.positionAtEmbedding)
      {
        facts += component([own], as: Self.positionAtEmbedding)
      }
      facts += component(slot.isInLayers ? choices.kindOfLayer.map { choices.kinds[$0][slot] } : [own])
      if slot == .norm, let own, isOverridden(own) || groups.contains(Self.normBeforeHead) {
        facts += component([own], as: Self.normBeforeHead)
      }
    }
    return facts + choices.stacks.flatMap(self.facts(of:)) + costs
  }

  /// What is so of another stack: its sizes, and its components with the options that take effect.
  private func facts(of stack: ArchitectureChoices.StackChoices) -> [ArchitectureFact] {
    let own = stack.choices
    return Self.sizes(stack.shape, in: "\(stack.name): sizes")
      + Slot.ofStacks.flatMap { slot in
        component(
          slot.isInLayers ? own.kindOfLayer.map { own.kinds[$0][slot] } : [own.model[slot]],
          as: "\(stack.name): \(slot.rawValue)")
      }
  }

  private static func sizes(_ shape: ModelShape, in group: String) -> [ArchitectureFact] {
    [
      ArchitectureFact(group: group, key: "vocab_size", value: shape.vocabSize.readable),
      ArchitectureFact(group: group, key: "context_length", value: shape.contextLength.readable),
      ArchitectureFact(group: group, key: "hidden_size", value: shape.hiddenSize.readable),
      ArchitectureFact(group: group, key: "layers", value: shape.layerCount.readable),
    ]
  }

  private static let positionAtEmbedding = "position, at the embedding"
  private static let normBeforeHead = "norm, before the head"

  /// Whether some layer has another component in the slot of `choice`.
  private func isOverridden(_ choice: ComponentChoice) -> Bool {
    choices.kinds.contains { !($0[choice.slot]?.isEquivalent(to: choice) ?? false) }
  }

  /// The variants in turn, such as `3*local, global`.
  private var pattern: String? {
    guard let pattern = architecture.resolved[path: "layers.pattern"], !pattern.isNull else { return nil }
    return (pattern.list ?? [pattern]).compactMap(\.text).joined(separator: ", ")
  }

  /// The facts of one slot: `choices` has one component for each layer that has any, or the only one.
  private func component(_ choices: [ComponentChoice?], as group: String? = nil) -> [ArchitectureFact] {
    guard let slot = choices.lazy.compactMap({ $0?.slot }).first else { return [] }
    let group = group ?? slot.rawValue
    var paths: [String] = []
    var kinds: [ComponentChoice] = []
    let kindOfLayer = choices.map { choice -> Int? in
      guard let choice else { return nil }
      if let kind = kinds.firstIndex(of: choice) { return kind }
      kinds.append(choice)
      for option in choice.options where !paths.contains(option.path) { paths.append(option.path) }
      return kinds.count - 1
    }
    let fact = { (key: String, isWritten: Bool, value: (ComponentChoice) -> String?) in
      let values = kinds.map(value)
      let layers = kindOfLayer.map { $0.flatMap { values[$0] } }
      return ArchitectureFact(
        group: group, key: key, value: self.summary(layers), isWritten: isWritten, layers: layers)
    }
    return [fact("", true) { $0.name }]
      + paths.map { path in
        let isWritten = kinds.contains { $0.options.contains { $0.path == path && $0.isSet } }
        return fact(path, isWritten) { $0.value(path).map(\.inWords) }
      }
  }

  /// One value for all layers, or each with the layers that have it; layers that have none are not named.
  private func summary(_ values: [String?]) -> String? {
    var order: [String?] = []
    for value in values where !order.contains(value) { order.append(value) }
    if order.count == 1 { return order[0] }
    return order.compactMap { value in
      value.map { "\($0) (\(shortRanges(values.indices.filter { values[$0] == value })))" }
    }.joined(separator: ", ")
  }

  private var costs: [ArchitectureFact] {
    [
      ArchitectureFact(group: "costs", key: "parameters", value: footprint.parameterCount.grouped)
    ]
      + footprint.parts.filter { $0.parameterCount > 0 }.map {
        ArchitectureFact(group: "costs", key: "  \($0.name)", value: $0.parameterCount.grouped)
      } + [
        ArchitectureFact(group: "costs", key: "FLOPs, first token", value: footprint.flopsAtStart.grouped),
        ArchitectureFact(group: "costs", key: "FLOPs, at full context", value: footprint.flopsAtContext.grouped),
      ]
      + footprint.flopsOfStacks.map {
        ArchitectureFact(group: "costs", key: "FLOPs, a row of \($0.name)", value: $0.flops.grouped)
      } + [
        ArchitectureFact(
          group: "costs", key: "KV cache bytes per token", value: footprint.stateBytesPerToken(in: .f32).grouped),
        ArchitectureFact(
          group: "costs", key: "KV cache bytes, full context", value: footprint.stateBytes(in: .f32).grouped),
      ]
  }
}

extension Setting {
  /// The value on one line: `10000`, `q, k, v`, `[1, 1.5]`.
  public var inWords: String {
    switch content {
    case .scalar(let text, _): text.utf8.count > 12 ? number.map { String(Float($0)) } ?? text : text
    case .list(let items): "[" + items.map(\.inWords).joined(separator: ", ") + "]"
    case .group(let entries):
      entries.map { $0.value.flag == true ? $0.key : "\($0.key): \($0.value.inWords)" }.joined(separator: ", ")
    }
  }
}
