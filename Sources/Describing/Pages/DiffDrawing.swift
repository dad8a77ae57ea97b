import Composition

/// Two models side by side, part by part: what differs is ringed.
struct DiffDrawing {
  let first: ModelSheet
  let second: ModelSheet

  /// A row of the drawing: the sections that stand beside each other.
  private var rows: [(SectionPair.Side?, SectionPair.Side?)] {
    var stacks: [String?] = []
    for stack in first.diagram.stacks + second.diagram.stacks where stack != nil && !stacks.contains(stack) {
      stacks.append(stack)
    }
    return (stacks + [nil]).flatMap(rows(of:))
  }

  private func rows(of stack: String?) -> [(SectionPair.Side?, SectionPair.Side?)] {
    let (a, b) = (Sides(first, stack), Sides(second, stack))
    let count = max(a.kinds.count, b.kinds.count)
    let layers = (0..<min(count, ModelDrawing.drawnKinds)).map { index in
      (index < a.kinds.count ? a.kinds[index] : nil, index < b.kinds.count ? b.kinds[index] : nil)
    }
    return [(a.before, b.before)] + layers + (a.after == nil && b.after == nil ? [] : [(a.after, b.after)])
  }

  /// The sections of a stack of one model.
  private struct Sides {
    var before: SectionPair.Side?
    var kinds: [SectionPair.Side] = []
    var after: SectionPair.Side?

    init(_ sheet: ModelSheet, _ stack: String?) {
      let sections = sheet.diagram.stack(stack).sections
      let count = sections.count { !$0.layers.isEmpty }
      for section in sections {
        let names = NodeNames(sheet.choices.of(stack), layers: section.layers)
        if section.layers.isEmpty {
          let side = SectionPair.Side(section: section, names: names, frame: nil)
          if kinds.isEmpty { before = side } else { after = side }
        } else {
          let frame = ModelDrawing.frame(section, number: kinds.count, of: count)
          kinds.append(SectionPair.Side(section: section, names: names, frame: frame))
        }
      }
    }
  }

  /// The drawing with words beside, and one for narrow windows.
  var markup: Markup { .all([grid(.wide, "wide-only"), grid(.narrow, "narrow-only")]) }

  private func grid(_ style: DrawingStyle, _ name: String) -> Markup {
    let rows = rows
    let branches = { (sides: [SectionPair.Side?]) in
      sides.compactMap { $0.map { ColumnLayout($0.section.nodes).branchCount } }.max() ?? 1
    }
    let (left, right) = (branches(rows.map(\.0)), branches(rows.map(\.1)))
    // Branches side by side leave no room for words beside words.
    let sections = rows.flatMap { [$0.0?.section, $0.1?.section] }.compactMap(\.self)
    let style = max(left, right) > 1 ? DrawingStyle.narrow : style.fitting(sections)
    let widths = (style.width(branches: left), style.width(branches: right))
    var cells: [Markup] = [
      .element("h3", Markup(first.architecture.name)), .element("h3", Markup(second.architecture.name)),
    ]
    for row in rows {
      let pair = SectionPair(row.0, row.1, style: style, widths: widths)
      for (side, drawing, width) in [(row.0, pair.first, widths.0), (row.1, pair.second, widths.1)] {
        guard let side, let drawing else {
          // The line runs on to where there is a counterpart again.
          let height = max(pair.first?.height ?? 0, pair.second?.height ?? 0)
          let line = Markup.element(
            "path", ["class": "line residual dashed", "d": "M\(coordinate(style.lineX)) 0V\(coordinate(height))"])
          cells.append(.svg(width: width, height: height, title: "no counterpart", description: "", [line]))
          continue
        }
        cells.append(
          .svg(
            width: width, height: drawing.height, title: side.frame?.title ?? side.section.nodes.first?.title ?? "",
            description: side.section.inWords(side.names), drawing.markup()))
      }
    }
    let columns = "\(coordinate(widths.0))fr \(coordinate(widths.1))fr"
    let least = coordinate((widths.0 + widths.1) * 0.86)
    return .element(
      "div", ["class": "scroll \(name)", "tabindex": "0"],
      [.element("div", ["class": "pair", "style": "grid-template-columns:\(columns);min-width:\(least)px"], cells)])
  }
}
