/// Rows of characters on which the sections of a diagram are drawn.
struct DiagramCanvas {
  /// The column of the right edge of frames.
  let right: Int
  /// The column of the residual stream, or of what a box reads.
  private let origin: Int
  private var rows: [[Character]] = []

  init(right: Int, origin: Int = Self.margin) {
    self.right = right
    self.origin = origin
  }

  /// The column of a rail.
  private func column(_ rail: Int) -> Int { origin + 5 * rail }
  private static let margin = 6
  private static let frame = 2
  /// Columns that the edges of the others of a stack take.
  private static let stackEdge = 2
  /// Columns of a box's calls.
  private static let callLimit = 26

  /// The rows as text, nothing behind the last character of each.
  var text: String {
    rows.map { row in
      var row = row
      while row.last == " " { row.removeLast() }
      return String(row) + "\n"
    }.joined()
  }

  /// The column of a frame's right edge that `node` on `rail` needs.
  static func width(of node: Diagram.Node, on rail: Int, origin: Int = Self.margin) -> Int {
    let start = origin + 5 * rail
    if node.kind != .box { return start + 3 + beadText(node).count + 2 }
    let title = title(of: node).count + countText(node).count + 6
    if let inner = node.inner {
      let layout = DiagramLayout(inner)
      let widest =
        layout.places.map { width(of: inner.nodes[$0.node], on: $0.rail + layout.shift, origin: 0) }.max() ?? 0
      return start + max(widest, title) + 4
    }
    let callWidth = callWidth(node)
    let longest = node.lines.map { callWidth + $0.detail.count }.max() ?? 0
    return start + max(longest, title) + 4 + (node.stack == nil ? 0 : stackEdge)
  }

  /// What stands on the upper edge of a box.
  private static func title(of node: Diagram.Node) -> String {
    node.stack.map { "\($0.chosen) of \($0.count) \(node.title)" } ?? node.title
  }

  private static func countText(_ node: Diagram.Node) -> String {
    guard node.parameterCount > 0 else { return "" }
    return node.stack.map { "\($0.count) × \((node.parameterCount / $0.count).grouped)" } ?? node.parameterCount.grouped
  }

  private static func callWidth(_ node: Diagram.Node) -> Int {
    min(callLimit, node.lines.map(\.call.count).max() ?? 0) + 2
  }

  private static func beadText(_ node: Diagram.Node) -> String {
    let line = node.lines.first
    return [line?.call ?? "", node.title, line?.detail ?? ""].filter { !$0.isEmpty }.joined(separator: "  ")
  }

  // MARK: Lines between sections

  mutating func add(_ text: String, at rail: Int) {
    rows.append(Array(repeating: " ", count: column(rail)) + Array(text))
  }

  /// A row in which only the residual stream runs down, with a word beside it.
  mutating func rail(_ note: String = "", dashed: Bool = false) {
    add((dashed ? "┆" : "│") + (note.isEmpty ? "" : "  \(note)"), at: 0)
  }

  mutating func openFrame(_ title: String, _ count: String) {
    edge("╔", "╗", title, count)
  }

  mutating func closeFrame() {
    edge("╚", "╝", "", "")
  }

  private mutating func edge(_ left: Character, _ rightEnd: Character, _ title: String, _ count: String) {
    var row = [Character](repeating: " ", count: right + 1)
    for column in Self.frame...right { row[column] = "═" }
    row[Self.frame] = left
    row[right] = rightEnd
    let start = column(0)
    row[start] = "╪"
    if !title.isEmpty {
      let room = right - start - 6
      put(" \(title.prefix(room)) ", at: start + 3, in: &row)
      let end = right - count.count - 4
      if end > start + 6 + title.count { put(" \(count) ", at: end + 1, in: &row) }
    }
    rows.append(row)
  }

  // MARK: Sections

  mutating func draw(_ section: Diagram.Section, _ layout: DiagramLayout, isFramed: Bool) {
    for (item, passing) in layout.items {
      let passing = Set(passing.map(column))
      switch item {
      case .branch(let from, let to, let goesOn):
        line(isFramed, passing, from: from, to: to, goesOn ? "├" : "╰", "╮")
      case .feed(let from, let to, let goesOn):
        line(
          isFramed, passing, from: from, to: to, from < to ? (goesOn ? "├" : "╰") : (goesOn ? "┤" : "╯"),
          from < to ? "┤" : "├")
      case .sum(let index, let into, let from, let goesOn):
        let detail = section.nodes[index].lines.first?.detail ?? ""
        line(isFramed, passing, from: into, to: from, "⊕", goesOn ? "┤" : "╯", note: detail)
      case .node(let index, let rail):
        let node = section.nodes[index]
        if node.kind == .box { box(node, rail, isFramed, passing) } else { bead(node, rail, isFramed, passing) }
      }
    }
  }

  private func blank(_ isFramed: Bool, _ passing: Set<Int>) -> [Character] {
    var row = [Character](repeating: " ", count: right + 1)
    if isFramed { (row[Self.frame], row[right]) = ("║", "║") }
    for column in passing where column < right { row[column] = "│" }
    return row
  }

  private mutating func line(
    _ isFramed: Bool, _ passing: Set<Int>, from: Int, to: Int, _ start: Character, _ end: Character, note: String = ""
  ) {
    var row = blank(isFramed, passing)
    let (low, high) = (column(min(from, to)), column(max(from, to)))
    for column in low...high { row[column] = row[column] == "│" ? "┼" : "─" }
    row[column(from)] = start
    row[column(to)] = end
    if !note.isEmpty { put(note, at: high + 3, in: &row) }
    rows.append(row)
  }

  private mutating func bead(_ node: Diagram.Node, _ rail: Int, _ isFramed: Bool, _ passing: Set<Int>) {
    var row = blank(isFramed, passing)
    row[column(rail)] = "●"
    put(Self.beadText(node), at: column(rail) + 3, in: &row)
    rows.append(row)
  }

  private mutating func box(_ node: Diagram.Node, _ rail: Int, _ isFramed: Bool, _ passing: Set<Int>) {
    let edge = node.stack == nil ? 0 : Self.stackEdge
    let (left, end) = (column(rail) - 2, right - 2 - edge)
    var top = blank(isFramed, passing)
    for column in left...end { top[column] = "─" }
    (top[left], top[left + 2], top[end]) = ("┌", "┴", "┐")
    let title = Self.title(of: node)
    put(" \(title) ", at: left + 4, in: &top)
    let count = Self.countText(node)
    if !count.isEmpty, end - count.count - 3 > left + 6 + title.count {
      put(" \(count) ", at: end - count.count - 3, in: &top)
    }
    for column in 0..<edge { top[end + 1 + column] = "┐" }
    rows.append(top)
    let content = node.inner.map { parts($0, left, end) } ?? lines(of: node, width: end - left - 3)
    for line in content {
      var row = blank(isFramed, passing)
      for column in end...end + edge { row[column] = "│" }
      row[left] = "│"
      put(line, at: left + 2, in: &row, before: end - 1)
      rows.append(row)
    }
    var bottom = blank(isFramed, passing)
    for column in left...end { bottom[column] = "─" }
    (bottom[left], bottom[left + 2], bottom[end]) = ("└", "┬", "┘")
    for column in 0..<edge { bottom[end + 1 + column] = "┘" }
    rows.append(bottom)
  }

  /// The rows of the parts of a box between the columns `left` and `end`: the rail that enters the box is their first.
  private func parts(_ section: Diagram.Section, _ left: Int, _ end: Int) -> [String] {
    let layout = DiagramLayout(section)
    var inner = DiagramCanvas(right: end - left - 2, origin: 5 * layout.shift)
    if layout.shift > 0 { inner.elbow("╰", "╮", layout.shift) }
    inner.draw(section, layout, isFramed: false)
    if layout.shift + layout.lastRail > 0 { inner.elbow("╭", "╯", layout.shift + layout.lastRail) }
    return inner.text.split(separator: "\n").map(String.init)
  }

  /// A line between the left edge and a rail so many rails away.
  private mutating func elbow(_ start: String, _ end: String, _ rails: Int) {
    rows.append(Array(start + String(repeating: "─", count: 5 * rails - 1) + end))
  }

  private func lines(of node: Diagram.Node, width: Int) -> [String] {
    let callWidth = Self.callWidth(node)
    return node.lines.flatMap { line -> [String] in
      if line.detail.isEmpty { return [line.call] }
      let details = wrap(line.detail, to: max(10, width - callWidth))
      // A call of many names takes a line of its own.
      let isLong = line.call.count > callWidth - 2
      let below = details.dropFirst(isLong ? 0 : 1).map { "".padded(to: callWidth) + $0 }
      return [isLong ? line.call : line.call.padded(to: callWidth) + details[0]] + below
    }
  }

  private func put(_ text: String, at column: Int, in row: inout [Character], before limit: Int? = nil) {
    let limit = limit ?? right
    for (offset, character) in text.enumerated() where column + offset < limit {
      row[column + offset] = character
    }
  }
}

/// `text` in lines of at most `width` characters, broken at spaces; one empty line for nothing.
public func wrap(_ text: String, to width: Int) -> [String] {
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ") {
    if !line.isEmpty, line.count + 1 + word.count > width {
      lines.append(line)
      line = ""
    }
    line += (line.isEmpty ? "" : " ") + word
  }
  return lines + (line.isEmpty && !lines.isEmpty ? [] : [line])
}
