import Composition

/// A model as a column of drawings: what makes vectors of tokens, the layers that read alike, what makes logits of them.
///
/// Each section is a drawing of its own, so that a printed page may break between them; the residual stream runs through.
struct ModelDrawing {
  let sheet: ModelSheet
  /// How many distinct layers are drawn at most.
  static let drawnKinds = 6

  var markup: Markup {
    let diagram = sheet.diagram
    let layered = diagram.sections.filter { !$0.layers.isEmpty }
    let isParallel = layered.contains { ColumnLayout($0.nodes).branchCount > 1 }
    let style = isParallel ? DrawingStyle.narrow : .wide.fitting(layered)
    let widths = diagram.sections.map { section in
      (section.layers.isEmpty ? Self.outside(section, style) : style)
        .width(branches: ColumnLayout(section.nodes).branchCount)
    }
    let width = widths.max() ?? style.width(branches: 1)
    let pieces = diagram.stacks.flatMap { column(diagram.stack($0).sections, of: $0, style, width) }
    return .element("div", ["class": "column", "style": "--width:\(coordinate(width))px"], pieces)
  }

  /// The sections of one stack, from what it is given to what it gives.
  private func column(
    _ sections: [Diagram.Section], of stack: String?, _ style: DrawingStyle, _ width: Double
  ) -> [Markup] {
    let kinds = sections.filter { !$0.layers.isEmpty }
    var pieces = [end(stack ?? "tokens", style, width, isStart: true)]
    var number = 0
    for section in sections {
      if section.layers.isEmpty {
        pieces.append(
          drawing(section, Self.outside(section, style), width, frame: nil, title: section.nodes.first?.title ?? ""))
        continue
      }
      number += 1
      guard number <= Self.drawnKinds else { continue }
      let frame = Self.frame(section, number: number - 1, of: kinds.count)
      pieces.append(drawing(section, style, width, frame: frame, title: "\(frame.letter) \(frame.title)"))
    }
    if number > Self.drawnKinds { pieces.append(more(number - Self.drawnKinds, style, width)) }
    pieces.append(end(stack.map { "states of \($0)" } ?? "logits", style, width, isStart: false))
    return pieces
  }

  /// What stands outside the layers takes the whole width, and has room for words, branch beside branch below what is done.
  private static func outside(_ section: Diagram.Section, _ style: DrawingStyle) -> DrawingStyle {
    let isParallel = ColumnLayout(section.nodes).branchCount > 1
    return DrawingStyle(
      lineX: style.lineX, firstColumn: style.firstColumn,
      columnWidth: isParallel ? max(style.columnWidth, 250) : style.columnWidth, gap: style.gap, hasLines: true,
      isStacked: isParallel)
  }

  /// What stands on the frame of the distinct layer `number`.
  static func frame(_ section: Diagram.Section, number: Int, of count: Int) -> SectionDrawing.Frame {
    let each = Quantity.short(section.parameterCount)
    let times = section.layers.count == 1 ? "1 layer" : "× \(section.layers.count) layers"
    return SectionDrawing.Frame(
      letter: count == 1 ? "" : String(Diagram.letter(number)), title: times,
      subtitle: (section.layers.count == 1 ? each : "\(each) each")
        + (section.sharedCount > 0 ? ", \(Quantity.short(section.sharedCount)) shared" : ""))
  }

  private func drawing(
    _ section: Diagram.Section, _ style: DrawingStyle, _ width: Double, frame: SectionDrawing.Frame?, title: String
  ) -> Markup {
    let names = NodeNames(sheet.choices.of(section.stack), layers: section.layers)
    let drawing = SectionDrawing(section, names: names, style: style, width: width, frame: frame)
    return .svg(
      width: width, height: drawing.height, title: title, description: section.inWords(names),
      drawing.markup())
  }

  /// Where the residual stream begins or ends.
  private func end(_ word: String, _ style: DrawingStyle, _ width: Double, isStart: Bool) -> Markup {
    let x = coordinate(style.lineX)
    let pieces: [Markup] =
      isStart
      ? [
        .element("text", ["class": "end", "x": coordinate(style.lineX - 12), "y": "13"], Markup(word)),
        .element("path", ["class": "line residual", "d": "M\(x) 19V31"]),
      ]
      : [
        .element("path", ["class": "line residual", "d": "M\(x) 0V8"]),
        .element("path", ["class": "arrow", "d": "M\(coordinate(style.lineX - 5)) 6h10l-5 6z"]),
        .element("text", ["class": "end", "x": coordinate(style.lineX - 12), "y": "27"], Markup(word)),
      ]
    return .svg(width: width, height: 30, title: word, description: "", pieces)
  }

  private func more(_ count: Int, _ style: DrawingStyle, _ width: Double) -> Markup {
    .svg(
      width: width, height: 34, title: "and \(count) more", description: "",
      [
        .element("path", ["class": "line residual dashed", "d": "M\(coordinate(style.lineX)) 0V35"]),
        .element(
          "text", ["class": "detail", "x": coordinate(style.lineX + 16), "y": "21"],
          Markup("and \(count) more kinds of layers")),
      ])
  }
}

extension Markup {
  /// A drawing that grows and shrinks with its place, with words for those who do not see it.
  static func svg(width: Double, height: Double, title: String, description: String, _ pieces: [Markup]) -> Markup {
    .element(
      "svg",
      [
        "viewBox": "0 0 \(coordinate(width)) \(coordinate(height))", "role": "img",
        "aria-label": description.isEmpty ? title : "\(title): \(description)",
      ],
      [.element("title", Markup(title)), description.isEmpty ? .nothing : .element("desc", Markup(description))]
        + pieces)
  }
}

extension Diagram.Section {
  /// The nodes in words, one after the other.
  func inWords(_ names: NodeNames) -> String {
    nodes.compactMap { node -> String? in
      switch node.kind {
      case .sum: return "add to the residual stream"
      case .bead: return [node.lines.first?.call ?? "", node.title].filter { !$0.isEmpty }.joined(separator: " ")
      case .box:
        let lines = node.lines.map { [$0.call, $0.detail].filter { !$0.isEmpty }.joined(separator: " ") }
        return "\(names.title(of: node)) (\(lines.joined(separator: "; ")))"
      }
    }.joined(separator: ", then ") + "."
  }
}
