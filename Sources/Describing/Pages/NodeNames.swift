import Components
import Composition

/// What the nodes of a section are called: the components that write them, by the slots that their scopes belong to.
struct NodeNames {
  private let names: [Slot: ComponentChoice]

  /// The names of a section of `sheet`: of its layers, or of what stands outside them.
  init(_ choices: ArchitectureChoices, layers: [Int]) {
    names = choices.model.merging(layers.first.map { choices.layer($0) } ?? [:]) { $1 }
  }

  /// The slot whose component writes what stands under `scope`; a sublayer under a name of its own is a feed-forward,
  /// such as a mixture of experts.
  static func slot(ofScope scope: String) -> Slot {
    PartKind(scope: scope) == .norm ? .norm : Slot(scope: scope) ?? .mlp
  }

  /// The component that writes a node; nil where it belongs to none.
  func component(of node: Diagram.Node) -> ComponentChoice? { names[Self.slot(ofScope: node.title)] }

  /// What a box is called: its component, and how that shares heads or what it is gated by.
  func title(of node: Diagram.Node) -> String { component(of: node)?.name ?? node.title }

  /// The kind of the part that writes a line in a box, when it is a part of its own: a norm or a position encoding.
  func kind(of line: Diagram.Line) -> PartKind? {
    let operation = line.call.split(separator: " ").first.map(String.init) ?? ""
    if operation == names[.position]?.name || line.call.hasSuffix(" positions") { return .position }
    return operation == names[.norm]?.name ? .norm : nil
  }

  /// A word or two for a small drawing: how heads are shared, or the nonlinearity.
  func tag(of node: Diagram.Node) -> String {
    if let heads = node.heads { return node.inner == nil ? heads.inWords : "\(heads.queries) heads" }
    guard let choice = names[Self.slot(ofScope: node.title)] else { return "" }
    let activation = choice.options.first { $0.slot == .activation }?.value?.text
    let stack = node.inner?.nodes.lazy.compactMap(\.stack).first
    return [
      stack.map { "\($0.chosen) of \($0.count)," }, choice.value("gated")?.flag == true ? "gated" : nil, activation,
    ].compactMap { $0 }.joined(separator: " ")
  }

  /// How the layers tell positions apart, for a small drawing.
  var position: String { names[.position]?.name ?? "" }
}

extension Diagram.Heads {
  /// `MHA 12`, `GQA 32:8`, `MQA 71`.
  var inWords: String {
    keys == queries ? "MHA \(queries)" : keys == 1 ? "MQA \(queries)" : "GQA \(queries):\(keys)"
  }
}
