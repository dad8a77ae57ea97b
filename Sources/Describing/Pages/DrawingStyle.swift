import Composition

/// The measures of a drawing, in pixels of a page that is shown as large as it is.
struct DrawingStyle: Sendable {
  /// Where the residual stream runs.
  let lineX: Double
  /// The left edge of the first column beside the residual stream.
  let firstColumn: Double
  /// The width of a column.
  let columnWidth: Double
  /// Between columns.
  let gap: Double
  /// Whether boxes say what is done in them, or only what they are.
  let hasLines: Bool
  /// Whether what a line is set to stands below what it does, for want of room beside it.
  let isStacked: Bool
  /// How far what stands on the residual stream reaches to its left.
  var overhang = 12.0
  /// Room at the right edge.
  var trailing = Self.margin + 6

  /// One branch at a time, with room for words.
  static let wide = DrawingStyle(
    lineX: 24, firstColumn: 58, columnWidth: 286, gap: 10, hasLines: true, isStacked: false)
  /// The same with room for parts side by side in a box.
  static let roomy = DrawingStyle(
    lineX: 24, firstColumn: 58, columnWidth: 348, gap: 10, hasLines: true, isStacked: false)
  /// Branches side by side, or two models.
  static let narrow = DrawingStyle(
    lineX: 17, firstColumn: 40, columnWidth: 150, gap: 10, hasLines: true, isStacked: true)
  /// A gallery of models.
  static let small = DrawingStyle(
    lineX: 13, firstColumn: 30, columnWidth: 160, gap: 8, hasLines: false, isStacked: true)
  /// A gallery's models with branches side by side.
  static let smallParallel = DrawingStyle(
    lineX: 13, firstColumn: 30, columnWidth: 76, gap: 8, hasLines: false, isStacked: true)

  /// The parts of a box that is so wide inside, with so many columns of them.
  static func inside(width: Double, branches: Int) -> DrawingStyle {
    let (first, gap) = (20.0, 8.0)
    let column = (width - first - gap * Double(branches - 1)) / Double(branches)
    return DrawingStyle(
      lineX: 8, firstColumn: first, columnWidth: column, gap: gap, hasLines: true, isStacked: column < 220, overhang: 8,
      trailing: 0)
  }

  /// The style that has room for the parts of the boxes of `sections`: this, or a wider one.
  func fitting(_ sections: [Diagram.Section]) -> DrawingStyle {
    let hasColumns = sections.contains { section in
      section.nodes.contains { $0.inner.map { ColumnLayout($0.nodes, isInside: true).branchCount > 1 } ?? false }
    }
    return hasColumns && !isStacked ? .roomy : self
  }

  static let margin = 8.0

  /// The middle of a column.
  func x(ofColumn column: Int) -> Double { column == 0 ? lineX : left(ofColumn: column) + columnWidth / 2 }
  /// The left edge of a node in a column.
  func left(ofColumn column: Int) -> Double {
    column == 0 ? lineX - overhang : firstColumn + Double(column - 1) * (columnWidth + gap)
  }
  /// The right edge of everything.
  func width(branches: Int) -> Double {
    let count = Double(max(1, branches))
    return firstColumn + count * columnWidth + (count - 1) * gap + trailing
  }
}

/// About how wide `text` is in a proportional face of `size` pixels; wide faces are allowed for.
func estimatedWidth(_ text: String, size: Double) -> Double {
  text.reduce(0) { sum, character in
    switch character {
    case "i", "l", "j", ".", ",", ":", "'", "|", "(", ")": sum + 0.34
    case " ", "t", "f", "r", "-", "1": sum + 0.42
    case "m", "w", "M", "W", "→", "…": sum + 0.9
    case "A"..."Z": sum + 0.7
    default: sum + 0.58
    }
  } * size
}

/// How wide a character is in a face of equal widths, as a part of its size.
let monospaceAdvance = 0.61
