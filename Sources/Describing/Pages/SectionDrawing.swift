import Composition

/// A section as it is drawn: its nodes in columns and levels, the lines between them, and a frame around layers.
struct SectionDrawing {
  let section: Diagram.Section
  let style: DrawingStyle
  let width: Double
  private let layout: ColumnLayout
  private let drawings: [NodeDrawing]
  /// For each level, the least height of its nodes.
  private var heights: [Double]
  /// For each level, the room above it.
  private var channels: [Double]
  private let frame: Frame?
  /// Whether these are the parts of a box.
  private let isInside: Bool

  /// What stands on the frame of layers.
  struct Frame {
    /// The letter that the strip has for these layers.
    let letter: String
    /// How often the layers stand.
    let title: String
    /// Which they are.
    let subtitle: String
  }

  private static let frameHead = 30.0
  private static let arrow = 5.0

  init(
    _ section: Diagram.Section, names: NodeNames, style: DrawingStyle, width: Double? = nil, frame: Frame?,
    marks: [String] = [], isInside: Bool = false
  ) {
    self.section = section
    self.isInside = isInside
    self.style = style
    let layout = ColumnLayout(section.nodes, isInside: isInside)
    self.layout = layout
    let whole = width ?? style.width(branches: layout.branchCount)
    self.width = whole
    self.frame = frame
    drawings = section.nodes.enumerated().map { index, node in
      let isOnLine = layout.columns[index] == 0
      let isWide = isInside && (isOnLine || layout.isAlone(index, in: section.nodes))
      // With one branch the column takes all the width there is.
      let branch = layout.branchCount <= 1 ? whole - style.firstColumn - style.trailing : style.columnWidth
      let own = isOnLine || isWide ? whole - style.left(ofColumn: layout.columns[index]) - style.trailing : branch
      return NodeDrawing(
        node: node, names: names,
        // What has the width of a box, or nearly, has room for words beside words.
        style: isInside ? .inside(width: own + style.firstColumn, branches: 1) : style, width: own,
        mark: index < marks.count ? marks[index] : "", isInside: isInside)
    }
    var heights = [Double](repeating: 0, count: layout.levelCount + 1)
    var channels = [Double](repeating: style.hasLines ? 11 : 7, count: layout.levelCount + 1)
    for (index, drawing) in drawings.enumerated() {
      let level = layout.levels[index]
      heights[level] = max(heights[level], drawing.height)
      let changesColumn = section.nodes[index].inputs.contains {
        layout.column(ofValue: $0) != layout.columns[index]
      }
      if changesColumn, section.nodes[index].kind != .sum { channels[level] = style.hasLines ? 22 : 14 }
    }
    self.heights = heights
    self.channels = channels
  }

  /// The titles of the nodes of each level, for holding sections against each other.
  var titlesByLevel: [Set<String>] {
    (0...layout.levelCount).map { level in
      Set(section.nodes.indices.filter { layout.levels[$0] == level }.map { section.nodes[$0].key })
    }
  }

  /// Heights of the levels with the room above them.
  var levelHeights: [Double] { zip(heights, channels).map { $0 + $1 } }

  /// Gives levels more height and more room.
  mutating func stretch(_ wanted: Stretch) {
    for level in heights.indices {
      heights[level] = max(heights[level], wanted.heights[level] - channels[level])
      channels[level] += wanted.above[level]
    }
    extraTail += wanted.below
  }

  /// How a drawing is made to stand beside another.
  struct Stretch {
    /// For each level, the least height with the room above it.
    var heights: [Double]
    /// For each level, room above it for levels that only the other drawing has.
    var above: [Double]
    /// The same behind the last level.
    var below = 0.0
  }

  private var top: Double { frame == nil ? 0 : Self.frameHead }
  private var tail: Double { (style.hasLines ? 14 : 9) + extraTail }
  /// Room at the end, where another drawing has more.
  private var extraTail = 0.0

  var height: Double { top + levelHeights.reduce(0, +) - (levelHeights.first ?? 0) + tail + (frame == nil ? 0 : 4) }

  private func levelTop(_ level: Int) -> Double {
    level == 0 ? 0 : top + levelHeights[1..<level].reduce(0, +) + channels[level]
  }

  private func x(_ column: Int) -> Double {
    if column == 1, layout.branchCount <= 1 { return (style.firstColumn + width - style.trailing) / 2 }
    return style.x(ofColumn: column)
  }

  private func nodeTop(_ index: Int) -> Double { levelTop(layout.levels[index]) }
  private func nodeBottom(_ index: Int) -> Double { nodeTop(index) + drawings[index].height }

  /// The drawing with its left upper corner at (x, y).
  func markup(x left: Double = 0, y: Double = 0) -> [Markup] {
    var pieces: [Markup] = []
    if let frame { pieces += framed(frame) }
    for index in section.nodes.indices { pieces += links(to: index) }
    pieces += exit
    for (index, drawing) in drawings.enumerated() {
      let left = layout.columns[index] == 0 ? style.left(ofColumn: 0) : style.left(ofColumn: layout.columns[index])
      pieces.append(drawing.markup(x: drawing.node.kind == .sum ? x(layout.columns[index]) : left, y: nodeTop(index)))
    }
    return left == 0 && y == 0
      ? pieces : [.element("g", ["transform": "translate(\(coordinate(left)) \(coordinate(y)))"], pieces)]
  }

  // MARK: Lines

  private func links(to index: Int) -> [Markup] {
    let node = section.nodes[index]
    let inputs = node.inputs.isEmpty ? [0] : node.inputs
    let column = layout.columns[index]
    return inputs.enumerated().flatMap { place, value -> [Markup] in
      let source = layout.column(ofValue: value)
      let start = value == 0 ? 0 : nodeBottom(value - 1)
      let (from, to) = (x(source), x(column))
      if source == column {
        let end = nodeTop(index)
        return [line("M\(coordinate(from)) \(coordinate(start))V\(coordinate(end))", isResidual: column == 0)]
          + (column > 0 || node.kind == .box ? [head(x: to, y: end)] : [])
      }
      let direction = to > from ? 1.0 : -1.0
      let radius = min(8, channels[layout.levels[index]] / 2)
      if node.kind == .sum {
        let middle = nodeTop(index) + NodeDrawing.radius
        let end = to - direction * NodeDrawing.radius
        let bend =
          "Q\(coordinate(from)) \(coordinate(middle)) \(coordinate(from + direction * radius)) \(coordinate(middle))"
        return [
          line(
            "M\(coordinate(from)) \(coordinate(start))V\(coordinate(middle - radius))\(bend)H\(coordinate(end))",
            isResidual: false)
        ]
      }
      let end = nodeTop(index)
      let turn = end - channels[layout.levels[index]] / 2 - 2
      let bend = "Q\(coordinate(to)) \(coordinate(turn)) \(coordinate(to)) \(coordinate(turn + radius))"
      // The residual stream itself runs on to where the branch leaves it; what a box reads may end there.
      let begin = source == 0 && !isInside ? turn : start
      return [
        line(
          "M\(coordinate(from)) \(coordinate(begin))V\(coordinate(turn))H\(coordinate(to - direction * radius))\(bend)V\(coordinate(end))",
          isResidual: false), head(x: to, y: end),
      ]
    }
  }

  /// The line from the last node to the end of the section.
  private var exit: [Markup] {
    guard let last = section.nodes.indices.last else {
      return [line("M\(coordinate(x(0))) 0V\(coordinate(height))", isResidual: true)]
    }
    let (from, start) = (x(layout.columns[last]), nodeBottom(last))
    let end = layout.columns[last] == 0 ? "" : "V\(coordinate(height - 6))H\(coordinate(x(0)))"
    return [line("M\(coordinate(from)) \(coordinate(start))\(end)V\(coordinate(height))", isResidual: true)]
  }

  private func line(_ path: String, isResidual: Bool) -> Markup {
    .element("path", ["class": isResidual && !isInside ? "line residual" : "line", "d": path])
  }

  private func head(x: Double, y: Double) -> Markup {
    let size = Self.arrow
    return .element(
      "path",
      [
        "class": "arrow",
        "d":
          "M\(coordinate(x - size)) \(coordinate(y - size))h\(coordinate(2 * size))l\(coordinate(-size)) \(coordinate(size))z",
      ])
  }

  // MARK: Frame

  private func framed(_ frame: Frame) -> [Markup] {
    let edge = 2.0
    var pieces: [Markup] = [
      .element(
        "rect",
        [
          "class": "frame", "x": coordinate(edge), "y": "4", "width": coordinate(width - 2 * edge),
          "height": coordinate(height - 8), "rx": "10",
        ])
    ]
    let left = style.lineX + 14
    guard style.hasLines else {
      pieces.append(.element("text", ["class": "times", "x": coordinate(left), "y": "20"], Markup(frame.title)))
      return pieces
    }
    let title = frame.letter.isEmpty ? frame.title : "\(frame.letter) · \(frame.title)"
    pieces.append(.element("text", ["class": "times", "x": coordinate(left), "y": "23"], Markup(title)))
    let room = width - left - estimatedWidth(title, size: 14) - 26
    if estimatedWidth(frame.subtitle, size: 11) <= room {
      pieces.append(
        .element(
          "text", ["class": "count ending", "x": coordinate(width - 14), "y": "23"], Markup(frame.subtitle)))
    }
    return pieces
  }
}

extension Diagram.Node {
  /// What tells it from the other nodes of its section.
  var key: String { kind == .sum ? "+" : title }
}
