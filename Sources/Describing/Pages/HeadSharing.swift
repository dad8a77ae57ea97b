import Composition

/// Query heads over the key and value heads that they share, and which keys a query sees.
///
///     ▪▪▪▪ ▪▪▪▪ ▪▪▪▪ ▪▪▪▪     queries
///     ▬▬▬▬ ▬▬▬▬ ▬▬▬▬ ▬▬▬▬     keys and values
struct HeadSharing {
  let heads: Diagram.Heads
  let width: Double

  private static let cellHeight = 7.0
  private static let barHeight = 4.0
  private static let rowGap = 5.0
  private static let maskSize = 25.0
  private static let rowLimit = 6

  private var room: Double { width - Self.maskSize - 12 }
  private var perKey: Int { max(1, heads.queries / max(1, heads.keys)) }
  /// Queries in a row, at most.
  private var perRow: Int { room > 200 ? 32 : room > 90 ? 16 : 8 }

  /// Key heads in a row, and rows of one key head's queries.
  private var groups: (perRow: Int, rowsEach: Int) {
    if perKey > perRow { return (1, (perKey + perRow - 1) / perRow) }
    let fitting = max(1, perRow / perKey)
    let rows = (heads.keys + fitting - 1) / fitting
    return ((heads.keys + rows - 1) / rows, 1)
  }

  private var rows: Int { min(Self.rowLimit, (heads.keys + groups.perRow - 1) / groups.perRow) }
  private var rowsEach: Int { min(Self.rowLimit, groups.rowsEach) }
  private var rowHeight: Double { Double(rowsEach) * (Self.cellHeight + 1.5) + Self.barHeight + Self.rowGap }

  var height: Double { max(Self.maskSize, Double(rows) * rowHeight - Self.rowGap) + 4 }

  /// The picture with its left upper corner at (x, y).
  func markup(x: Double, y: Double) -> Markup {
    let (groupsPerRow, _) = groups
    let inRow = min(perKey, perRow)
    let between = perKey == 1 ? 2.0 : 4.0
    let cell = min(11, (room - Double(groupsPerRow - 1) * between) / Double(groupsPerRow * inRow))
    var cells = ""
    var bars = ""
    for group in 0..<min(heads.keys, rows * groupsPerRow) {
      let left = x + Self.maskSize + 12 + Double(group % groupsPerRow) * (cell * Double(inRow) + between)
      let top = y + Double(group / groupsPerRow) * rowHeight
      for query in 0..<min(perKey, inRow * rowsEach) {
        let cellLeft = left + Double(query % inRow) * cell
        let cellTop = top + Double(query / inRow) * (Self.cellHeight + 1.5)
        cells += box(cellLeft, cellTop, cell - min(1.5, cell / 3), Self.cellHeight)
      }
      let barTop = top + Double(rowsEach) * (Self.cellHeight + 1.5) + 0.5
      bars += box(left, barTop, cell * Double(inRow) - min(1.5, cell / 3), Self.barHeight)
    }
    return .element(
      "g", ["class": "heads"],
      [
        mask(x: x, y: y), .element("path", ["class": "queries", "d": cells]),
        .element("path", ["class": "keys", "d": bars]),
      ])
  }

  /// Which keys (across) each query (down) sees: those before it, or a band of them.
  private func mask(x: Double, y: Double) -> Markup {
    let size = Self.maskSize
    let band = heads.window == nil ? size : size * 0.36
    let seen =
      "M\(coordinate(x)) \(coordinate(y))L\(coordinate(x + size)) \(coordinate(y + size))"
      + "H\(coordinate(x + size - band))L\(coordinate(x)) \(coordinate(y + band))Z"
    return .element(
      "g", ["class": "mask"],
      [
        .element("path", ["class": "seen", "d": seen]),
        .element("path", ["class": "frame", "d": box(x, y, size, size)]),
      ])
  }

  private func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> String {
    "M\(coordinate(x)) \(coordinate(y))h\(coordinate(width))v\(coordinate(height))h\(coordinate(-width))z"
  }
}
