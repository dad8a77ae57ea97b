import Components

/// The rows of the tiles of one picture, laid together as `PictureLines` says: first those of the whole picture, then line by line
/// those of the tiles beside one another, without what is padding, each line ended by a row of NaN, where a learned one stands.
///
/// Liu et al., 2024 (LLaVA-NeXT), https://llava-vl.github.io/blog/2024-01-30-llava-next; resampled in LLaVA-OneVision
/// (Li et al., 2024, https://arxiv.org/abs/2408.03326) where more lines and columns are left than so many tiles have.
struct LaidTiles {
  /// Rows of a tile along a side.
  private let side: Int
  /// Rows of the tiles beside one another, and those of them that show the picture; nil where it is a single tile.
  private let parts: (all: (down: Int, across: Int), shown: (down: Int, across: Int))?
  /// How many lines stand in the text, and of how many rows.
  private let size: (down: Int, across: Int)

  /// The rows of `picture`, whose tiles have `count` each; throws `ModelProblem` where they are no squares.
  init(_ picture: PictureReader.Tiles, rows count: Int, _ lines: PictureLines) throws(ModelProblem) {
    side = Int(Double(count).squareRoot())
    guard side * side == count else {
      throw .picture("the \(count) rows of a tile are no square, so that no lines can be laid of them")
    }
    guard let shown = picture.shown, picture.tiles.count > 1 else {
      (parts, size) = (nil, (0, 0))
      return
    }
    guard picture.tiles.count == 1 + picture.rows * picture.columns else {
      throw .picture(
        "a picture of \(picture.tiles.count) tiles is none of \(picture.rows)×\(picture.columns) and itself")
    }
    parts = ((picture.rows * side, picture.columns * side), (shown.rows, shown.columns))
    var size = (down: shown.rows, across: shown.columns)
    if let limit = lines.limit {
      let ratio = (Double(shown.rows * shown.columns) / Double(limit * side * side)).squareRoot()
      // Below that what is gained is not worth it, as the authors have it.
      if ratio > 1.1 {
        size = (Self.whole(Double(shown.rows), by: ratio), Self.whole(Double(shown.columns), by: ratio))
      }
    }
    self.size = size
  }

  /// How many rows stand in the text.
  var count: Int { side * side + (parts == nil ? 1 : size.down * (size.across + 1)) }

  /// The rows in the text of those of all tiles, of `width` numbers each.
  func laid(_ rows: [Float], width: Int) -> [Float] {
    var result = Array(rows.prefix(side * side * width))
    let newline = [Float](repeating: .nan, count: width)
    guard let parts else { return result + newline }
    result.reserveCapacity(count * width)
    let (top, left) = ((parts.all.down - parts.shown.down) / 2, (parts.all.across - parts.shown.across) / 2)
    /// The place of the first number of the row at `down` and `across` in what is shown.
    func place(_ down: Int, _ across: Int) -> Int {
      let (y, x) = (top + down, left + across)
      // The whole picture is the first tile.
      let tile = 1 + y / side * (parts.all.across / side) + x / side
      return (tile * side * side + y % side * side + x % side) * width
    }
    let isResampled = size.down != parts.shown.down || size.across != parts.shown.across
    for down in 0..<size.down {
      for across in 0..<size.across {
        guard isResampled else {
          let start = place(down, across)
          result += rows[start..<start + width]
          continue
        }
        let y = Self.neighbours(of: down, size.down, parts.shown.down)
        let x = Self.neighbours(of: across, size.across, parts.shown.across)
        let corners = [
          place(y.before, x.before), place(y.before, x.after), place(y.after, x.before), place(y.after, x.after),
        ]
        for index in 0..<width {
          let upper = (1 - x.weight) * rows[corners[0] + index] + x.weight * rows[corners[1] + index]
          let lower = (1 - x.weight) * rows[corners[2] + index] + x.weight * rows[corners[3] + index]
          result.append((1 - y.weight) * upper + y.weight * lower)
        }
      }
      result += newline
    }
    return result
  }

  /// The two of `all` places that place `index` of `count` lies between, and how much the second counts; as torch computes it, in `Float`,
  /// with the centres of cells in proportion.
  private static func neighbours(of index: Int, _ count: Int, _ all: Int) -> (before: Int, after: Int, weight: Float) {
    let place = max(0, Float(all) / Float(count) * (Float(index) + 0.5) - 0.5)
    let before = min(Int(place), all - 1)
    return (before, min(before + 1, all - 1), min(max(place - Float(before), 0), 1))
  }

  /// ⌊a / b⌋ as Python's `//` has it, of the exact quotient.
  private static func whole(_ a: Double, by b: Double) -> Int {
    Int(((a - a.truncatingRemainder(dividingBy: b)) / b).rounded())
  }
}
