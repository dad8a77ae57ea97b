import Composition

/// Two sections side by side, each level of one beside its counterpart in the other, with what differs marked.
struct SectionPair {
  private(set) var first: SectionDrawing?
  private(set) var second: SectionDrawing?

  /// The sections `first` and `second` of two models, either of which may have no counterpart.
  init(_ first: Side?, _ second: Side?, style: DrawingStyle, widths: (Double, Double)) {
    let marks = Self.marks(first?.section.nodes ?? [], second?.section.nodes ?? [])
    self.first = first.map {
      SectionDrawing($0.section, names: $0.names, style: style, width: widths.0, frame: $0.frame, marks: marks.0)
    }
    self.second = second.map {
      SectionDrawing($0.section, names: $0.names, style: style, width: widths.1, frame: $0.frame, marks: marks.1)
    }
    align()
  }

  /// A section of one model.
  struct Side {
    let section: Diagram.Section
    let names: NodeNames
    let frame: SectionDrawing.Frame?
  }

  private mutating func align() {
    guard let first, let second else { return }
    let pairs = Self.pairs(first.titlesByLevel, second.titlesByLevel)
    let (a, b) = (first.levelHeights, second.levelHeights)
    var left = SectionDrawing.Stretch(heights: a, above: a.map { _ in 0 })
    var right = SectionDrawing.Stretch(heights: b, above: b.map { _ in 0 })
    var done = (0, 0)
    // What only one has takes its room from the next that both have, or from the end.
    for (i, j) in pairs {
      right.above[j] += a[(done.0 + 1)..<max(i, done.0 + 1)].reduce(0, +)
      left.above[i] += b[(done.1 + 1)..<max(j, done.1 + 1)].reduce(0, +)
      left.heights[i] = max(a[i], b[j])
      right.heights[j] = max(a[i], b[j])
      done = (i, j)
    }
    right.below = a[(done.0 + 1)...].reduce(0, +)
    left.below = b[(done.1 + 1)...].reduce(0, +)
    self.first?.stretch(left)
    self.second?.stretch(right)
    let heights = (self.first?.height ?? 0, self.second?.height ?? 0)
    self.first?.stretch(.init(heights: a.map { _ in 0 }, above: a.map { _ in 0 }, below: max(0, heights.1 - heights.0)))
    self.second?.stretch(
      .init(heights: b.map { _ in 0 }, above: b.map { _ in 0 }, below: max(0, heights.0 - heights.1)))
  }

  /// The longest way to pair levels that have a node in common, in order; level 0 is where sections begin.
  private static func pairs(_ a: [Set<String>], _ b: [Set<String>]) -> [(Int, Int)] {
    var lengths = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in a.indices.reversed() where i > 0 {
      for j in b.indices.reversed() where j > 0 {
        lengths[i][j] =
          a[i].isDisjoint(with: b[j]) ? max(lengths[i + 1][j], lengths[i][j + 1]) : lengths[i + 1][j + 1] + 1
      }
    }
    var pairs: [(Int, Int)] = []
    var (i, j) = (1, 1)
    while i < a.count, j < b.count {
      if !a[i].isDisjoint(with: b[j]) {
        pairs.append((i, j))
        (i, j) = (i + 1, j + 1)
      } else if lengths[i + 1][j] >= lengths[i][j + 1] {
        i += 1
      } else {
        j += 1
      }
    }
    return pairs
  }

  /// For each node, whether it is another thing than its counterpart; sizes alone make no other thing.
  private static func marks(_ a: [Diagram.Node], _ b: [Diagram.Node]) -> ([String], [String]) {
    let mark = { (nodes: [Diagram.Node], others: [Diagram.Node]) in
      nodes.enumerated().map { index, node in
        let place = nodes[..<index].count { $0.key == node.key }
        let counterparts = others.filter { $0.key == node.key }
        guard place < counterparts.count else { return NodeDrawing.differs }
        return counterparts[place].gist == node.gist ? "" : NodeDrawing.differs
      }
    }
    return (mark(a, b), mark(b, a))
  }
}

extension Diagram.Node {
  /// What it does, whatever its sizes.
  fileprivate var gist: [String] {
    lines.map { line in
      "\(line.call) \(line.detail)".split(separator: " ").map { word in
        let bare = word.filter { $0 != "," }
        return Double(bare) != nil ? (word.hasSuffix(",") ? "#," : "#") : String(word)
      }.joined(separator: " ")
    }
  }
}
