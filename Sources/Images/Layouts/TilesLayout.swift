import Files

/// A picture whose longer side is given, its sides made multiples of a tile's, cut into tiles, and the whole as one more
/// tile after them.
struct TilesLayout: ImageLayout {
  private let scaler: PictureScaler
  private let resizes: Bool
  private let size: SizeRule
  private let tile: Int
  private let splits: Bool

  /// No side becomes longer, whatever the settings say.
  private static let longest = 4096

  init(_ settings: ImageSettings) throws(FileProblem) {
    scaler = try PictureScaler(settings)
    resizes = try settings.bool("do_resize")
    size = try settings.size("size")
    switch size {
    case .exactly, .longest: break
    default: throw settings.problem("size", "'longest_edge', or 'height' and 'width'")
    }
    guard case .longest(let tile) = try settings.size("max_image_size") else {
      throw settings.problem("max_image_size", "{\"longest_edge\": …}, the side of a tile")
    }
    self.tile = tile
    splits = try settings.bool("do_image_splitting")
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    var picture = picture
    if resizes { picture = try scaler.resize(picture, to: target(of: picture.size)) }
    let square = PictureSize(width: tile, height: tile)
    guard splits else { return Arrangement(try scaler.resize(picture, to: square)) }
    picture = try scaler.resize(picture, to: multiple(of: picture.size))
    guard picture.width > tile || picture.height > tile else { return Arrangement(picture) }
    let grid = ImageGrid(rows: picture.height / tile, columns: picture.width / tile)
    try PictureScaler.check(tiles: 1 + grid.count, of: square, for: picture)
    let tiles = picture.tiles(square) + [try scaler.resize(picture, to: square)]
    return Arrangement(tiles: tiles, grid: grid, overview: .last)
  }

  private func target(of size: PictureSize) -> PictureSize {
    guard case .longest(let longest) = self.size else { return self.size.target(of: size) ?? size }
    // The shorter side is even and at least 1.
    var scaled = Self.scaled(size, longest)
    if size.width >= size.height { scaled.height += scaled.height % 2 } else { scaled.width += scaled.width % 2 }
    scaled = PictureSize(width: max(scaled.width, 1), height: max(scaled.height, 1))
    guard max(scaled.width, scaled.height) > Self.longest else { return scaled }
    scaled = Self.scaled(scaled, Self.longest)
    return PictureSize(width: max(scaled.width, 1), height: max(scaled.height, 1))
  }

  // `size` with its longer side of `longest` pixels.
  private static func scaled(_ size: PictureSize, _ longest: Int) -> PictureSize {
    let aspect = Double(size.width) / Double(size.height)
    return size.width >= size.height
      ? PictureSize(width: longest, height: Int(Double(longest) / aspect))
      : PictureSize(width: Int(Double(longest) * aspect), height: longest)
  }

  private func multiple(of size: PictureSize) -> PictureSize {
    func multiple(_ side: Int) -> Int { (side + tile - 1) / tile * tile }
    let aspect = Double(size.width) / Double(size.height)
    if size.width >= size.height {
      let width = multiple(size.width)
      return PictureSize(width: width, height: multiple(Int(Double(width) / aspect)))
    }
    let height = multiple(size.height)
    return PictureSize(width: multiple(Int(Double(height) * aspect)), height: height)
  }
}
