import Files

/// The best of all canvases of at most so many square tiles, and the whole picture as one more tile after them where
/// there are several.
struct ChunksLayout: ImageLayout {
  private let scaler: PictureScaler
  private let tile: Int
  private let most: Int
  private let enlarges: Bool

  init(_ settings: ImageSettings) throws(FileProblem) {
    scaler = try PictureScaler(settings)
    tile = try settings.side("size")
    most = try settings.positive("max_patches")
    guard most <= 1024 else { throw settings.problem("max_patches", "at most 1024") }
    enlarges = try settings.bool("resize_to_max_canvas")
    guard try settings.bool("do_resize") else { throw settings.problem("do_resize", "true, or there are no tiles") }
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    let grid = best(for: picture.size)
    let canvas = PictureSize(width: grid.columns * tile, height: grid.rows * tile)
    try PictureScaler.check(canvas, for: picture)
    // A picture that is smaller than its canvas is enlarged to one tile at most.
    let bound =
      enlarges
      ? canvas
      : PictureSize(
        width: min(max(picture.width, tile), canvas.width), height: min(max(picture.height, tile), canvas.height))
    let fitted = try scaler.resize(picture, to: fit(picture.size, bound))
    let square = PictureSize(width: tile, height: tile)
    let tiles = fitted.placed(x: 0, y: 0, on: canvas).tiles(square)
    guard tiles.count > 1 else { return Arrangement(tiles: tiles, grid: grid) }
    return Arrangement(tiles: tiles + [try scaler.resize(picture, to: square)], grid: grid, overview: .last)
  }

  // By shape: those of one aspect ratio stand together, in the order in which the ratios first appear.
  private var grids: [ImageGrid] {
    var ratios: [(ratio: Double, grids: [ImageGrid])] = []
    for count in stride(from: most, to: 0, by: -1) {
      for rows in 1...count where count % rows == 0 {
        let grid = ImageGrid(rows: rows, columns: count / rows)
        let ratio = Double(grid.rows) / Double(grid.columns)
        if let known = ratios.firstIndex(where: { $0.ratio == ratio }) {
          ratios[known].grids.append(grid)
        } else {
          ratios.append((ratio, [grid]))
        }
      }
    }
    return ratios.flatMap(\.grids)
  }

  // In single precision, as the reference divides: which scales are equal depends on it.
  private func best(for size: PictureSize) -> ImageGrid {
    let grids = grids
    let scales = grids.map {
      min(Float($0.rows * tile) / Float(size.height), Float($0.columns * tile) / Float(size.width))
    }
    let larger = scales.filter { $0 >= 1 }
    let chosen = (enlarges ? larger.max() : larger.min()) ?? scales.max() ?? 1
    let best = grids.indices.filter { scales[$0] == chosen }.min { grids[$0].count < grids[$1].count }
    return grids[best ?? 0]
  }

  private func fit(_ size: PictureSize, _ bound: PictureSize) -> PictureSize {
    let across = Double(bound.width) / Double(size.width)
    let down = Double(bound.height) / Double(size.height)
    if across < down {
      return PictureSize(width: bound.width, height: max(min(Int(Double(size.height) * across), bound.height), 1))
    }
    return PictureSize(width: max(min(Int(Double(size.width) * down), bound.width), 1), height: bound.height)
  }
}
