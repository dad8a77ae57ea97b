import Composition
import Describing

/// Rows of cells in columns as wide as their longest cell; some columns give way when the table must be narrower.
struct TextTable {
  /// How a column stands.
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private let flexible: [Int]
  private var rows: [[String]] = []
  private static let gap = 2
  private static let narrowest = 16

  /// A table of columns that stand as `alignments` say; cells of the `flexible` columns may be wrapped.
  init(_ alignments: [Alignment], flexible: [Int] = []) {
    self.alignments = alignments
    self.flexible = flexible
  }

  /// Columns that the longest line takes when nothing is wrapped.
  var naturalWidth: Int { widths.reduce(Self.gap * (alignments.count - 1), +) }

  private var widths: [Int] {
    alignments.indices.map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
  }

  mutating func add(_ cells: String...) { rows.append(cells) }
  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, in at most `width` columns if the table can be that narrow.
  func text(width: Int? = nil) -> String {
    var widths = widths
    var excess = naturalWidth - (width ?? Int.max)
    // The widest gives way first, so that equals share; none becomes narrower than its longest word.
    let words = Dictionary(
      uniqueKeysWithValues: flexible.map { column in
        (column, rows.filter { $0.count > column }.flatMap { $0[column].split(separator: " ") }.map(\.count).max() ?? 0)
      })
    while excess > 0,
      let column = flexible.filter({ widths[$0] > max(Self.narrowest, words[$0] ?? 0) }).max(by: {
        widths[$0] < widths[$1]
      })
    {
      widths[column] -= 1
      excess -= 1
    }
    return rows.map { line($0, widths) }.joined()
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    let wrapped = cells.enumerated().map { column, cell in
      cell.count <= widths[column] ? [cell] : wrap(cell, to: widths[column])
    }
    var text = ""
    for part in 0..<(wrapped.map(\.count).max() ?? 0) {
      var line = ""
      for (column, parts) in wrapped.enumerated() {
        let cell = part < parts.count ? parts[part] : ""
        let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
        line +=
          (column > 0 ? String(repeating: " ", count: Self.gap) : "")
          + (alignments[column] == .left ? cell + padding : padding + cell)
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}
