import Composition

/// The parts of a box, with the lines between them where there is room for parts side by side, else one below the other.
struct PartsDrawing {
  private let flow: SectionDrawing?
  private let list: [NodeDrawing]

  /// Parts side by side need so many pixels each.
  private static let least = 112.0
  private static let gap = 5.0

  /// The drawing of `section` in `width` pixels.
  init(_ section: Diagram.Section, names: NodeNames, width: Double) {
    let branches = max(1, ColumnLayout(section.nodes, isInside: true).branchCount)
    let style = DrawingStyle.inside(width: width, branches: branches)
    if style.columnWidth >= Self.least {
      flow = SectionDrawing(section, names: names, style: style, width: width, frame: nil, isInside: true)
      list = []
    } else {
      flow = nil
      list = section.nodes.filter { $0.kind != .sum }.map {
        NodeDrawing(node: $0, names: names, style: style, width: width, isInside: true)
      }
    }
  }

  var height: Double {
    flow?.height ?? list.reduce(0) { $0 + $1.height + Self.gap }
  }

  /// The parts with their left upper corner at (x, y).
  func markup(x: Double, y: Double) -> [Markup] {
    if let flow { return flow.markup(x: x, y: y) }
    var top = y
    return list.map { part in
      defer { top += part.height + Self.gap }
      return part.markup(x: x, y: top)
    }
  }
}
