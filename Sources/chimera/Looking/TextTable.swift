import Composition

/// Rows of cells in columns as wide as their longest cell; the widest column gives way when the table must be narrower.
struct TextTable {
  /// How a column stands.
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]] = []
  /// How many spaces stand before the first column.
  var indent = 0

  /// A table of columns that stand as `alignments` say.
  init(_ alignments: [Alignment]) { self.alignments = alignments }

  mutating func add(_ cells: String...) { rows.append(cells) }
  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, in at most `width` columns if the table can be that narrow: cells of the widest column are then wrapped.
  func text(width: Int? = nil) -> String {
    let columns = alignments.count
    var widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    if let width {
      let gaps = 2 * (columns - 1) + indent
      while widths.reduce(gaps, +) > width, let widest = widths.max(), widest > 12 {
        let column = widths.firstIndex(of: widest) ?? 0
        let second = widths.enumerated().filter { $0.offset != column }.map(\.element).max() ?? 0
        widths[column] = max(12, min(widest - 1, max(second, widest - (widths.reduce(gaps, +) - width))))
      }
    }
    return rows.map { line($0, widths) }.joined()
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    let wrapped = cells.enumerated().map { column, cell in cell.count <= widths[column] ? [cell] : wrap(cell, to: widths[column]) }
    var text = ""
    for part in 0..<(wrapped.map(\.count).max() ?? 0) {
      var line = String(repeating: " ", count: indent)
      for (column, parts) in wrapped.enumerated() {
        let cell = part < parts.count ? parts[part] : ""
        let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
        line += (column > 0 ? "  " : "") + (alignments[column] == .left ? cell + padding : padding + cell)
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}
