import Composition
import Files

/// One node as it is drawn: a box with what is done in it, a pill on a line, or a sum.
struct NodeDrawing {
  let node: Diagram.Node
  let names: NodeNames
  let style: DrawingStyle
  let width: Double
  /// `differs` where it is another thing than its counterpart in another model; nothing else.
  let mark: String
  /// Whether it is a part of a box.
  let isInside: Bool
  private let parts: PartsDrawing?

  init(
    node: Diagram.Node, names: NodeNames, style: DrawingStyle, width: Double, mark: String = "", isInside: Bool = false
  ) {
    (self.node, self.names, self.style, self.width) = (node, names, style, width)
    (self.mark, self.isInside) = (mark, isInside)
    let inner = style.hasLines ? node.inner : nil
    parts = inner.map { PartsDrawing($0, names: names, width: width - 2 * Self.margin) }
  }

  /// Between a box and its parts.
  private static let margin = 8.0
  /// By how much each of the others of a stack stands out.
  private static let stackStep = 3.0

  private static let lineHeight = 15.0
  private static let padding = 10.0
  static let radius = 9.0

  /// One row of text in a box.
  private struct Row {
    var call: String
    var detail: String
    var kind: PartKind?
  }

  private var innerWidth: Double { width - 2 * Self.padding }
  /// The columns of the calls, in pixels.
  private var callWidth: Double {
    let longest = node.lines.filter { !$0.detail.isEmpty }.map { estimatedWidth($0.call, size: 12) }.max() ?? 0
    return min(longest, innerWidth * 0.42) + 12
  }

  private var rows: [Row] {
    guard style.hasLines, parts == nil else { return [] }
    var rows: [Row] = []
    if isInside, !count.isEmpty, !hasRoomForCount { rows.append(Row(call: "", detail: count, kind: nil)) }
    for line in node.lines {
      let kind = names.kind(of: line)
      let beside = style.isStacked ? 14.0 : callWidth
      let columns = Int(rounding: (innerWidth - beside) / (11 * monospaceAdvance), .towardZero)
      let details = line.detail.isEmpty ? [] : wrap(line.detail, to: max(8, columns))
      let isLong = style.isStacked || estimatedWidth(line.call, size: 12) > callWidth - 6
      if isLong || details.isEmpty {
        let calls = wrap(line.call, to: max(8, Int(rounding: innerWidth / 6.6, .towardZero)))
        rows += calls.enumerated().map { Row(call: $1, detail: "", kind: $0 == 0 ? kind : nil) }
      }
      for (index, detail) in details.enumerated() {
        rows.append(Row(call: index == 0 && !isLong ? line.call : "", detail: detail, kind: isLong ? nil : kind))
      }
    }
    return rows
  }

  private var picture: HeadSharing? {
    parts == nil ? node.heads.map { HeadSharing(heads: $0, width: innerWidth) } : nil
  }

  /// The learned numbers of a box: of each of a stack.
  private var count: String {
    guard node.parameterCount > 0 else { return "" }
    let number = { (count: Int) in style.isStacked ? Quantity.short(count) : count.grouped }
    return node.stack.map { "\($0.count) × \(number(node.parameterCount / $0.count))" } ?? number(node.parameterCount)
  }

  /// What stands on top of a box.
  private var title: String {
    isInside ? node.stack.map { "\($0.chosen) of \($0.count) \(node.title)" } ?? node.title : names.title(of: node)
  }

  /// Whether the count fits beside the title, which is bold and so wider than estimated.
  private var hasRoomForCount: Bool {
    let room = width - depth - 2 * Self.padding - 1.15 * estimatedWidth(title, size: 13) - 8
    return Double(count.count) * 11 * monospaceAdvance <= room
  }

  /// How far the others of a stack stand out behind it.
  private var depth: Double { node.stack == nil || !style.hasLines ? 0 : 2 * Self.stackStep }

  var height: Double {
    switch node.kind {
    case .sum: return 2 * Self.radius
    case .bead: return style.hasLines && style.isStacked && !beadDetail.isEmpty ? 37 : style.hasLines ? 26 : 20
    case .box:
      guard style.hasLines else { return names.tag(of: node).isEmpty ? 24 : 38 }
      if let parts { return 28 + parts.height + Self.margin }
      let picture = picture.map { $0.height + 6 } ?? 0
      return 26 + depth + picture + Double(rows.count) * Self.lineHeight + (rows.isEmpty && picture == 0 ? 2 : 8)
    }
  }

  /// The node with its left upper corner at (x, y); a sum with its middle at x.
  func markup(x: Double, y: Double) -> Markup {
    switch node.kind {
    case .sum: sum(x: x, y: y)
    case .bead: bead(x: x, y: y)
    case .box: box(x: x, y: y)
    }
  }

  private var styleClass: String {
    [isInside ? "inside" : PartKind(node).styleClass, mark].filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// A ring around what differs from its counterpart.
  private func ring(x: Double, y: Double, rx: Double) -> Markup {
    guard mark == Self.differs else { return .nothing }
    return .element(
      "rect",
      [
        "class": "ring", "x": coordinate(x - 3.5), "y": coordinate(y - 3.5), "width": coordinate(width + 7),
        "height": coordinate(height + 7), "rx": coordinate(rx + 3),
      ])
  }

  /// The mark of what is another thing than its counterpart, or has none.
  static let differs = "differs"

  // MARK: Sums

  private func sum(x: Double, y: Double) -> Markup {
    let (r, middle) = (Self.radius, y + Self.radius)
    let cross =
      "M\(coordinate(x - 5)) \(coordinate(middle))h10M\(coordinate(x)) \(coordinate(middle - 5))v10"
    let detail = node.lines.first?.detail ?? ""
    return .element(
      "g", ["class": "sum \(mark)"],
      [
        .element("circle", ["cx": coordinate(x), "cy": coordinate(middle), "r": coordinate(r)]),
        .element("path", ["d": cross]),
        detail.isEmpty || !style.hasLines
          ? .nothing : text(detail, x: x + r + 6, y: middle - 5, class: "detail", size: nil),
      ])
  }

  // MARK: Pills

  private var beadCall: String { node.lines.first?.call ?? node.title }
  private var beadDetail: String { node.lines.first?.detail ?? "" }

  private func bead(x: Double, y: Double) -> Markup {
    let shape = Markup.element(
      "rect",
      [
        "class": "shape", "x": coordinate(x), "y": coordinate(y), "width": coordinate(width),
        "height": coordinate(height), "rx": coordinate(min(13, height / 2)),
      ])
    var words: [Markup] = []
    let middle = x + width / 2
    if !style.hasLines {
      words = [centered(fitted(beadCall, to: width - 8, size: 10), x: middle, y: y + 14, class: "small")]
    } else if style.isStacked {
      words = [centered(beadCall, x: middle, y: y + (beadDetail.isEmpty ? 17 : 16), class: "call")]
      if !beadDetail.isEmpty { words.append(centered(beadDetail, x: middle, y: y + 30, class: "detail")) }
    } else {
      words = [text(beadCall, x: x + 14, y: y + 17, class: "call")]
      let left = x + 14 + estimatedWidth(beadCall, size: 12) + 10
      let room = x + width - 12 - left - (node.title.isEmpty ? 0 : estimatedWidth(node.title, size: 11) + 10)
      if Double(beadDetail.count) * 11 * monospaceAdvance <= room {
        words.append(text(beadDetail, x: left, y: y + 17, class: "detail"))
      }
      words.append(ending(node.title, x: x + width - 12, y: y + 17, class: "name"))
    }
    return .element("g", ["class": styleClass], [ring(x: x, y: y, rx: min(13, height / 2)), shape] + words)
  }

  // MARK: Boxes

  private func box(x: Double, y: Double) -> Markup {
    let height = height - depth
    let width = width - depth
    var pieces = [ring(x: x, y: y, rx: 7)]
    for behind in stride(from: depth, through: 0, by: -Self.stackStep) {
      pieces.append(
        .element(
          "rect",
          [
            "class": "shape", "x": coordinate(x + behind), "y": coordinate(y + behind), "width": coordinate(width),
            "height": coordinate(height), "rx": style.hasLines ? "7" : "5",
          ]))
    }
    guard style.hasLines else {
      let tag = names.tag(of: node)
      pieces.append(centered(fitted(title, to: width - 8, size: 11), x: x + width / 2, y: y + 16, class: "title small"))
      if !tag.isEmpty {
        pieces.append(centered(fitted(tag, to: width - 6, size: 9.5), x: x + width / 2, y: y + 30, class: "tag"))
      }
      return .element("g", ["class": styleClass], pieces)
    }
    let words = fitted(title, to: width - 2 * Self.padding, size: 13)
    pieces.append(text(words, x: x + Self.padding, y: y + 18, class: "title"))
    if !count.isEmpty, hasRoomForCount {
      pieces.append(ending(count, x: x + width - Self.padding, y: y + 18, class: "count"))
    }
    var top = y + 26
    if let parts { pieces += parts.markup(x: x + Self.margin, y: y + 28) }
    if let picture {
      pieces.append(picture.markup(x: x + Self.padding, y: top + 2))
      top += picture.height + 6
    }
    for row in rows {
      top += Self.lineHeight
      let baseline = top - 4
      if let kind = row.kind, !row.call.isEmpty {
        pieces.append(
          .element(
            "rect",
            [
              "class": "accent \(kind.styleClass)", "x": coordinate(x + 3), "y": coordinate(baseline - 10),
              "width": "3", "height": "12", "rx": "1.5",
            ]))
      }
      if !row.call.isEmpty { pieces.append(text(row.call, x: x + Self.padding, y: baseline, class: "call")) }
      if !row.detail.isEmpty {
        let left = x + Self.padding + (style.isStacked ? 10 : row.call.isEmpty && callWidth < 20 ? 10 : callWidth)
        pieces.append(text(row.detail, x: left, y: baseline, class: "detail"))
      }
    }
    return .element("g", ["class": styleClass], pieces)
  }

  // MARK: Words

  private func text(_ words: String, x: Double, y: Double, class name: String, size: Double? = nil) -> Markup {
    .element("text", ["class": name, "x": coordinate(x), "y": coordinate(y)], Markup(words))
  }

  private func centered(_ words: String, x: Double, y: Double, class name: String) -> Markup {
    .element("text", ["class": name + " centered", "x": coordinate(x), "y": coordinate(y)], Markup(words))
  }

  private func ending(_ words: String, x: Double, y: Double, class name: String) -> Markup {
    .element("text", ["class": name + " ending", "x": coordinate(x), "y": coordinate(y)], Markup(words))
  }

  /// `words`, cut where they would leave the shape.
  private func fitted(_ words: String, to room: Double, size: Double) -> String {
    if estimatedWidth(words, size: size) <= room { return words }
    var short = words
    while !short.isEmpty, estimatedWidth(short + "…", size: size) > room { short.removeLast() }
    return short + "…"
  }
}
