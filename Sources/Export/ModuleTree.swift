import Plans

/// The modules and tensors that a class makes, by their paths: what stands in `__init__`.
struct ModuleTree {
  private final class Node {
    var constructor: String?
    var shape: [Int]?
    var children: [(word: String, node: Node)] = []

    func child(_ word: String) -> Node {
      if let found = children.first(where: { $0.word == word }) { return found.node }
      let node = Node()
      children.append((word, node))
      return node
    }
  }

  private let root = Node()

  private func node(_ path: [String]) -> Node { path.reduce(root) { $0.child($1) } }

  /// Puts what `constructor` makes at `path`.
  func place(_ constructor: String, at path: [String]) {
    let node = node(path)
    if node.constructor == nil { node.constructor = constructor }
  }

  /// Puts a tensor of `shape` at `path`, unless a module made elsewhere holds it.
  func place(tensor shape: [Int], at path: [String]) { node(path).shape = shape }

  /// The lines, each a statement.
  var lines: [String] { root.children.flatMap { lines($0.node, "self.\($0.word)") } }

  private func lines(_ node: Node, _ place: String) -> [String] {
    if let constructor = node.constructor {
      // The module holds its own weight and bias; what else stands below is put into it.
      let others = node.children.filter { !(TensorName.kinds.contains($0.word) && $0.node.constructor == nil) }
      return ["\(place) = \(constructor)"] + others.flatMap { lines($0.node, "\(place).\($0.word)") }
    }
    if let shape = node.shape, node.children.isEmpty { return ["\(place) = \(tensor(shape))"] }
    let all = node.children.map(\.node)
    if node.children.contains(where: { PythonText.isKey($0.word) }) {
      // A word of the language or a number is no attribute, but a key.
      let entries = node.children.map { "\"\($0.word)\": \(made($0.node))" }
      let mixed = node.children.filter { !holdsTensorsAlone($0.node) && $0.node.constructor == nil }
      let below = mixed.flatMap { child in
        child.node.children.flatMap { lines($0.node, PythonText.place([place, child.word, $0.word])) }
      }
      return ["\(place) = nn.ModuleDict({\(entries.joined(separator: ", "))})"] + below
    }
    if holdsTensorsAlone(node) {
      let entries = node.children.map { "\"\($0.word)\": \(tensor($0.node.shape ?? []))" }
      return ["\(place) = nn.ParameterDict({\(entries.joined(separator: ", "))})"]
    }
    if all.allSatisfy({ $0.constructor != nil }) {
      let entries = node.children.map { "\"\($0.word)\": \($0.node.constructor ?? "")" }
      let below = node.children.flatMap { lines($0.node, "\(place).\($0.word)").dropFirst() }
      return ["\(place) = nn.ModuleDict({\(entries.joined(separator: ", "))})"] + below
    }
    return ["\(place) = nn.Module()"] + node.children.flatMap { lines($0.node, "\(place).\($0.word)") }
  }

  private func holdsTensorsAlone(_ node: Node) -> Bool {
    node.children.allSatisfy { $0.node.children.isEmpty && $0.node.constructor == nil && $0.node.shape != nil }
  }

  /// What makes the module of `node`, which is filled later where it holds modules.
  private func made(_ node: Node) -> String {
    if let constructor = node.constructor { return constructor }
    if !holdsTensorsAlone(node) { return "nn.Module()" }
    let entries = node.children.map { "\"\($0.word)\": \(tensor($0.node.shape ?? []))" }
    return "nn.ParameterDict({\(entries.joined(separator: ", "))})"
  }

  private func tensor(_ shape: [Int]) -> String {
    "nn.Parameter(torch.empty(\(shape.map(String.init).joined(separator: ", "))))"
  }
}
