import Components
import Composition

/// What kind of part something in a drawing is: it decides the colour, in the column, the strip and the map alike.
enum PartKind: String, CaseIterable, Sendable {
  case embedding, norm, position, mixer, feedForward = "feed-forward", further, head, plain

  /// The kind of what stands under `scope`, or of the norm that is called so: `attn`, `mlp`, `embed`, `attn_norm`.
  init(scope: String) {
    if let slot = Slot(scope: scope) {
      self.init(slot)
    } else if scope.isEmpty || scope == "other" {
      self = .plain
    } else {
      let isNorm = scope == "norms" || scope.hasSuffix(Slot.norm.rawValue)
      // A sublayer under another name: experts, or what nobody has written yet.
      self = isNorm ? .norm : .further
    }
  }

  /// The kind of what the components of `slot` write; a sublayer that has no colour of its own is a further one.
  init(_ slot: Slot) {
    switch slot {
    case .embedding: self = .embedding
    case .position: self = .position
    case .norm: self = .norm
    case .attention: self = .mixer
    case .mlp: self = .feedForward
    case .head: self = .head
    default: self = slot.standing == .sublayer ? .further : .plain
    }
  }

  /// The kind of a node on the residual stream or beside it.
  init(_ node: Diagram.Node) {
    self = node.kind == .sum ? .plain : PartKind(scope: node.title)
  }

  /// The class that gives it its colours.
  var styleClass: String { "part-\(rawValue)" }
}
