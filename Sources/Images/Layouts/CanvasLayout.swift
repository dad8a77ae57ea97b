import Files

/// The best of all canvases of at most so many square tiles; the picture in their top left corner, black around it.
struct CanvasLayout: ImageLayout {
  private let scaler: PictureScaler
  private let tile: Int
  private let most: Int

  init(_ settings: ImageSettings) throws(FileProblem) {
    scaler = try PictureScaler(settings)
    tile = try settings.side("size")
    most = try settings.positive("max_image_tiles")
    guard most <= 1024 else { throw settings.problem("max_image_tiles", "at most 1024") }
    for key in ["do_resize", "do_pad"] {
      guard try settings.bool(key) else { throw settings.problem(key, "true, without which there are no tiles") }
    }
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    let grids = grids
    let number = best(grids, for: picture.size)
    let grid = grids[number]
    let canvas = PictureSize(width: grid.columns * tile, height: grid.rows * tile)
    try PictureScaler.check(canvas, for: picture)
    let fitted = try scaler.resize(picture, to: fit(picture.size, canvas))
    let tiles = fitted.placed(x: 0, y: 0, on: canvas).tiles(PictureSize(width: tile, height: tile))
    var arrangement = Arrangement(tiles: tiles, grid: grid)
    arrangement.canvas = number + 1
    return arrangement
  }

  private var grids: [ImageGrid] {
    (1...most).flatMap { rows in (1...most / rows).map { ImageGrid(rows: rows, columns: $0) } }
  }

  // The one that enlarges least or, where none is large enough, reduces least; of equals the smallest.
  private func best(_ grids: [ImageGrid], for size: PictureSize) -> Int {
    let scales = grids.map {
      min(Double($0.rows * tile) / Double(size.height), Double($0.columns * tile) / Double(size.width))
    }
    let chosen = scales.filter { $0 >= 1 }.min() ?? scales.max() ?? 1
    return grids.indices.filter { scales[$0] == chosen }.min { grids[$0].count < grids[$1].count } ?? 0
  }

  private func fit(_ size: PictureSize, _ canvas: PictureSize) -> PictureSize {
    let width = min(max(size.width, tile), canvas.width)
    let height = min(max(size.height, tile), canvas.height)
    let (down, across) = (Double(height) / Double(size.height), Double(width) / Double(size.width))
    if across < down {
      return PictureSize(width: width, height: min(max(Int(Double(size.height) * across), 1), height))
    }
    return PictureSize(width: min(max(Int(Double(size.width) * down), 1), width), height: height)
  }
}
