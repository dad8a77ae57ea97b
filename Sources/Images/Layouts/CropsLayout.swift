import Files

/// The whole picture and, where it is long and narrow, crops of it along its longer side ("pan and scan"), each resized
/// to the same size.
struct CropsLayout: ImageLayout {
  private let resize: ResizeLayout
  private let crops: Crops?

  private struct Crops {
    let smallest: Int
    let most: Int
    let ratio: Double
  }

  init(_ settings: ImageSettings) throws(FileProblem) {
    resize = try ResizeLayout(settings, crops: false)
    guard try settings.bool("do_pan_and_scan") else {
      crops = nil
      return
    }
    crops = Crops(
      smallest: try settings.positive("pan_and_scan_min_crop_size"),
      most: try settings.positive("pan_and_scan_max_num_crops"),
      ratio: try settings.number("pan_and_scan_min_ratio_to_activate"))
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    let (parts, grid) = crops(of: picture)
    var tiles = [try resize.cut(picture)]
    try PictureScaler.check(tiles: 1 + parts.count, of: tiles[0].size, for: picture)
    for part in parts { tiles.append(try resize.cut(part)) }
    return Arrangement(tiles: tiles, grid: grid, overview: parts.isEmpty ? nil : .first)
  }

  private func crops(of picture: Picture) -> ([Picture], ImageGrid) {
    let none: ([Picture], ImageGrid) = ([], ImageGrid(rows: 1, columns: 1))
    guard let crops else { return none }
    let isWide = picture.width >= picture.height
    let (long, short) = isWide ? (picture.width, picture.height) : (picture.height, picture.width)
    let ratio = Double(long) / Double(short)
    guard ratio >= crops.ratio else { return none }
    // At least two, where so many are allowed; halves are rounded up.
    let wanted = min(long / crops.smallest, Int((ratio + 0.5).rounded(.down)))
    let number = min(crops.most, max(2, wanted))
    let length = (long + number - 1) / number
    guard min(length, short) >= crops.smallest else { return none }
    let size = PictureSize(width: isWide ? length : short, height: isWide ? short : length)
    let parts = (0..<number).filter { $0 * length < long }.map {
      picture.part(x: isWide ? $0 * length : 0, y: isWide ? 0 : $0 * length, size)
    }
    return (parts, ImageGrid(rows: isWide ? 1 : parts.count, columns: isWide ? parts.count : 1))
  }
}
