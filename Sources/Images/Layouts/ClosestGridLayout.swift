import Files

/// The grid of tiles whose shape comes closest to the picture's, which is stretched to it, and the whole picture as one
/// more tile after them where there are several (Chen and others, 2024, InternVL).
struct ClosestGridLayout: ImageLayout {
  private let resize: ResizeLayout
  private let scaler: PictureScaler
  private let tile: PictureSize
  private let grids: [ImageGrid]

  init(_ settings: ImageSettings) throws(FileProblem) {
    resize = try ResizeLayout(settings, crops: false)
    scaler = try PictureScaler(settings)
    tile = try settings.exactSize("size")
    let (fewest, most) = (try settings.positive("min_patches"), try settings.positive("max_patches"))
    guard most <= 1024 else { throw settings.problem("max_patches", "at most 1024") }
    guard try settings.bool("crop_to_patches"), most > 1 else {
      grids = []
      return
    }
    let all = (1...most).flatMap { columns in (1...most / columns).map { ImageGrid(rows: $0, columns: columns) } }
    // In the order of their number of tiles; those of as many, the narrower first.
    grids = all.enumerated().filter { $0.element.count >= fewest }
      .sorted { ($0.element.count, $0.offset) < ($1.element.count, $1.offset) }.map(\.element)
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    if grids.isEmpty { return try resize.arrange(picture, count: count) }
    let grid = closest(to: picture.size)
    let canvas = PictureSize(width: grid.columns * tile.width, height: grid.rows * tile.height)
    let tiles = try scaler.resize(picture, to: canvas).tiles(tile)
    guard tiles.count > 1 else { return Arrangement(tiles: tiles, grid: grid) }
    return Arrangement(tiles: tiles + [try scaler.resize(picture, to: tile)], grid: grid, overview: .last)
  }

  private func closest(to size: PictureSize) -> ImageGrid {
    let aspect = Double(size.width) / Double(size.height)
    var (best, least) = (ImageGrid(rows: 1, columns: 1), Double.infinity)
    for grid in grids {
      let difference = abs(aspect - Double(grid.columns) / Double(grid.rows))
      // Of grids as close, the larger one while the picture has more than half its pixels.
      let isLarge = Double(size.area) > 0.5 * Double(tile.area) * Double(grid.count)
      if difference < least || difference == least && isLarge { (best, least) = (grid, difference) }
    }
    return best
  }
}
