/// Rows of characters on which the sections of a diagram are drawn.
struct DiagramCanvas {
  /// The column of the right edge of frames.
  let right: Int
  private var rows: [[Character]] = []

  init(right: Int) { self.right = right }

  /// The column of a rail.
  private static func column(_ rail: Int) -> Int { 6 + 5 * rail }
  private static let frame = 2
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
  static func width(of node: Diagram.Node, on rail: Int) -> Int {
    let start = column(rail)
    if node.kind != .box { return start + 3 + beadText(node).count + 2 }
    let callWidth = callWidth(node)
    let longest = node.lines.map { callWidth + $0.detail.count }.max() ?? 0
    return start + max(longest, node.title.count + node.parameterCount.grouped.count + 6) + 4
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
    rows.append(Array(repeating: " ", count: Self.column(rail)) + Array(text))
  }

  /// A row in which only the residual line runs down, with a word beside it.
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
    let start = Self.column(0)
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
    for rail in passing where Self.column(rail) < right { row[Self.column(rail)] = "│" }
    return row
  }

  private mutating func line(
    _ isFramed: Bool, _ passing: Set<Int>, from: Int, to: Int, _ start: Character, _ end: Character, note: String = ""
  ) {
    var row = blank(isFramed, passing)
    let (low, high) = (Self.column(min(from, to)), Self.column(max(from, to)))
    for column in low...high { row[column] = row[column] == "│" ? "┼" : "─" }
    row[Self.column(from)] = start
    row[Self.column(to)] = end
    if !note.isEmpty { put(note, at: high + 3, in: &row) }
    rows.append(row)
  }

  private mutating func bead(_ node: Diagram.Node, _ rail: Int, _ isFramed: Bool, _ passing: Set<Int>) {
    var row = blank(isFramed, passing)
    row[Self.column(rail)] = "●"
    put(Self.beadText(node), at: Self.column(rail) + 3, in: &row)
    rows.append(row)
  }

  private mutating func box(_ node: Diagram.Node, _ rail: Int, _ isFramed: Bool, _ passing: Set<Int>) {
    let (left, end) = (Self.column(rail) - 2, right - 2)
    var top = blank(isFramed, passing)
    for column in left...end { top[column] = "─" }
    (top[left], top[left + 2], top[end]) = ("┌", "┴", "┐")
    put(" \(node.title) ", at: left + 4, in: &top)
    let count = node.parameterCount == 0 ? "" : " \(node.parameterCount.grouped) "
    if end - count.count - 1 > left + 6 + node.title.count { put(count, at: end - count.count - 1, in: &top) }
    rows.append(top)
    let callWidth = Self.callWidth(node)
    let detailWidth = max(10, end - left - 3 - callWidth)
    for line in node.lines {
      // A call of many names takes a line of its own.
      let isLong = line.call.count > callWidth - 2 && !line.detail.isEmpty
      if isLong { boxRow(line.call, "", callWidth, left, end, isFramed, passing) }
      for (index, part) in wrap(line.detail, to: detailWidth).enumerated() {
        boxRow(index == 0 && !isLong ? line.call : "", part, callWidth, left, end, isFramed, passing)
      }
    }
    var bottom = blank(isFramed, passing)
    for column in left...end { bottom[column] = "─" }
    (bottom[left], bottom[left + 2], bottom[end]) = ("└", "┬", "┘")
    rows.append(bottom)
  }

  private mutating func boxRow(
    _ call: String, _ detail: String, _ callWidth: Int, _ left: Int, _ end: Int, _ isFramed: Bool, _ passing: Set<Int>
  ) {
    var row = blank(isFramed, passing)
    (row[left], row[end]) = ("│", "│")
    put(detail.isEmpty ? call : call.padded(to: callWidth) + detail, at: left + 2, in: &row, before: end - 1)
    rows.append(row)
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
