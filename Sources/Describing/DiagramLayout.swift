/// Where the nodes of a section stand: the residual stream is rail 0, and every branch takes the next free rail to its right.
///
/// A node that is the last to read a line stands on that line. One that leaves it to others, or would be crossed by a
/// rail further right, moves to a rail of its own.
struct DiagramLayout {
  /// A row, or the rows of one box, from top to bottom.
  enum Item {
    /// A line from one rail to another: the first goes on below when it is still read, the second begins here.
    case branch(from: Int, to: Int, goesOn: Bool)
    /// A further value led into the rail of the next node.
    case feed(from: Int, to: Int, goesOn: Bool)
    /// A node on a rail.
    case node(Int, rail: Int)
    /// A rail that is added to another and ends, unless it is still read.
    case sum(Int, into: Int, from: Int, goesOn: Bool)
  }

  /// The items with the rails that pass beside each, from the left.
  private(set) var items: [(item: Item, passing: Set<Int>)] = []
  /// Rails that are taken at the widest place.
  private(set) var railCount = 1

  /// The nodes with their rails.
  var places: [(node: Int, rail: Int)] {
    items.compactMap { if case .node(let node, let rail) = $0.item { (node, rail) } else { nil } }
  }
  /// By how many rails the parts of a box are moved from the rail that enters it: a box needs room to its left.
  private(set) var shift = 0
  /// The rail of the last node.
  private(set) var lastRail = 0

  /// The value on each rail.
  private var rails: [Int?] = [0]

  init(_ section: Diagram.Section) {
    for (index, node) in section.nodes.enumerated() {
      let isRead = { (value: Int) in
        section.nodes[(index + 1)...].contains { $0.inputs.contains(value) }
      }
      if node.kind == .sum, node.inputs.count == 2, let a = rail(of: node.inputs[0]), let b = rail(of: node.inputs[1]),
        a != b
      {
        let (target, source) = (min(a, b), max(a, b))
        let goesOn = rails[source].map(isRead) ?? false
        append(.sum(index, into: target, from: source, goesOn: goesOn), besides: [target, source])
        rails[target] = index + 1
        if !goesOn { rails[source] = nil }
      } else {
        place(node, index, isRead)
      }
      lastRail = rail(of: index + 1) ?? 0
    }
    shift = places.contains { section.nodes[$0.node].kind == .box && $0.rail == 0 } ? 1 : 0
  }

  private mutating func place(_ node: Diagram.Node, _ index: Int, _ isRead: (Int) -> Bool) {
    let first = node.inputs.first ?? 0
    var target = rail(of: first) ?? 0
    // A rail that ends here is in nobody's way.
    let lastTaken = rails.lastIndex { $0.map { $0 == first || !node.inputs.contains($0) || isRead($0) } ?? false } ?? 0
    let goesOn = isRead(first)
    if goesOn || lastTaken > target {
      let source = target
      target = lastTaken + 1
      if target == rails.count { rails.append(nil) }
      append(.branch(from: source, to: target, goesOn: goesOn), besides: [source, target])
      if !goesOn { rails[source] = nil }
    }
    rails[target] = first
    for value in node.inputs.dropFirst() {
      guard let source = rail(of: value), source != target else { continue }
      let goesOn = isRead(value)
      append(.feed(from: source, to: target, goesOn: goesOn), besides: [source, target])
      if !goesOn { rails[source] = nil }
    }
    append(.node(index, rail: target), besides: [target])
    rails[target] = index + 1
    railCount = max(railCount, rails.count)
  }

  private func rail(of value: Int) -> Int? { rails.firstIndex { $0 == value } }

  private mutating func append(_ item: Item, besides rails: Set<Int>) {
    items.append((item, Set(self.rails.indices.filter { self.rails[$0] != nil }).subtracting(rails)))
  }
}
