import Files

/// The whole picture, and it again in the best of given resolutions, padded there and cut into tiles ("any resolution",
/// Liu and others, 2024, LLaVA-NeXT).
struct PinpointsLayout: ImageLayout {
  private let resize: ResizeLayout
  private let scaler: PictureScaler
  private let resolutions: [PictureSize]
  private let overview: PictureSize
  private let tile: PictureSize
  /// Where several pictures belong to one text, each is one square tile of this colour around it; nil: each is cut.
  private let severalColour: (UInt8, UInt8, UInt8)?

  init(_ settings: ImageSettings) throws(FileProblem) {
    resize = try ResizeLayout(settings, crops: true)
    scaler = try PictureScaler(settings)
    let expected = "a list of heights and widths such as [[336, 672], [672, 336]]"
    let pairs = settings["image_grid_pinpoints"]?.array ?? []
    resolutions = pairs.compactMap { pair in
      guard let pair = pair.array, pair.count == 2, let height = pair[0].integer, let width = pair[1].integer,
        (1...ImageSettings.largest).contains(height), (1...ImageSettings.largest).contains(width)
      else { return nil }
      return PictureSize(width: width, height: height)
    }
    guard !pairs.isEmpty, resolutions.count == pairs.count else {
      throw settings.problem("image_grid_pinpoints", expected)
    }
    let side: Int
    switch try settings.size("size", isSquare: settings.bool("default_to_square")) {
    case .exactly(let size): (overview, side) = (size, size.height)
    case .shortest(let shortest, _): (overview, side) = (PictureSize(width: shortest, height: shortest), shortest)
    default: throw settings.problem("size", "'height' and 'width' or 'shortest_edge'")
    }
    let edge = settings["crop_size"] == nil ? side : try settings.exactSize("crop_size").height
    tile = PictureSize(width: edge, height: edge)
    severalColour = try settings.bool("one_tile_each_of_several") ? meanColour(settings) : nil
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    if count > 1, let severalColour { return Arrangement(try resize.cut(squared(picture, severalColour))) }
    let canvas = best(for: picture.size)
    try PictureScaler.check(canvas, for: picture)
    let fitted = try scaler.resize(picture, to: fit(picture.size, canvas))
    let placed = fitted.placed(
      x: (canvas.width - fitted.width) / 2, y: (canvas.height - fitted.height) / 2, on: canvas)
    var tiles = [try resize.cut(scaler.resize(picture, to: overview))]
    let columns = (canvas.width + tile.width - 1) / tile.width
    let rows = (canvas.height + tile.height - 1) / tile.height
    try PictureScaler.check(tiles: 1 + rows * columns, of: tiles[0].size, for: picture)
    for part in placed.tiles(tile) { tiles.append(try resize.cut(part)) }
    return Arrangement(tiles: tiles, grid: ImageGrid(rows: rows, columns: columns), overview: .first)
  }

  // The resolution that shows most of the picture, and of those the one with the least padding.
  private func best(for size: PictureSize) -> PictureSize {
    var (best, mostShown, leastWasted) = (resolutions[0], 0, Int.max)
    for resolution in resolutions {
      let scale = min(
        Double(resolution.width) / Double(size.width), Double(resolution.height) / Double(size.height))
      let scaled = PictureSize(width: Int(Double(size.width) * scale), height: Int(Double(size.height) * scale))
      let shown = min(scaled.area, size.area)
      let wasted = resolution.area - shown
      if shown > mostShown || shown == mostShown && wasted < leastWasted {
        (best, mostShown, leastWasted) = (resolution, shown, wasted)
      }
    }
    return best
  }

  // As large as fits, the other side rounded up.
  private func fit(_ size: PictureSize, _ canvas: PictureSize) -> PictureSize {
    let across = Double(canvas.width) / Double(size.width)
    let down = Double(canvas.height) / Double(size.height)
    if across < down {
      let height = min(Int((Double(size.height) * across).rounded(.up)), canvas.height)
      return PictureSize(width: canvas.width, height: height)
    }
    let width = min(Int((Double(size.width) * down).rounded(.up)), canvas.width)
    return PictureSize(width: width, height: canvas.height)
  }
}
