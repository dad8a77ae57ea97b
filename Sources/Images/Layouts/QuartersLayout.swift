import Files

/// The four quarters of a picture and the whole, or the whole alone, each resized with its own aspect ratio kept and
/// padded to the largest.
struct QuartersLayout: ImageLayout {
  private let scaler: PictureScaler?
  private let size: SizeRule
  private let splits: Bool

  init(_ settings: ImageSettings) throws(FileProblem) {
    scaler = try settings.bool("do_resize") ? PictureScaler(settings) : nil
    size = try settings.size("size")
    splits = try settings.bool("do_image_splitting")
    switch size {
    case .exactly, .shortest(_, longest: .some): break
    default: throw settings.problem("size", "'shortest_edge' and 'longest_edge', or 'height' and 'width'")
    }
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    guard splits else { return Arrangement(try resized(picture)) }
    let (x, y) = (picture.width / 2, picture.height / 2)
    guard x > 0, y > 0 else { throw PictureProblem("a picture of \(picture.size) pixels has no quarters") }
    var tiles: [Picture] = []
    for top in [0, y] {
      for left in [0, x] {
        let size = PictureSize(
          width: left == 0 ? x : picture.width - x, height: top == 0 ? y : picture.height - y)
        tiles.append(try resized(picture.part(x: left, y: top, size)))
      }
    }
    tiles.append(try resized(picture))
    return Arrangement(tiles: tiles, grid: ImageGrid(rows: 2, columns: 2), overview: .last)
  }

  private func resized(_ picture: Picture) throws(PictureProblem) -> Picture {
    guard let scaler else { return picture }
    if case .exactly(let target) = size { return try scaler.resize(picture, to: target) }
    guard case .shortest(let shortest, let longest?) = size else { return picture }
    var (width, height) = (picture.width, picture.height)
    let aspect = Double(width) / Double(height)
    if width >= height, width > longest {
      width = longest
      height = Int(Double(width) / aspect)
    } else if height > width, height > longest {
      height = longest
      width = Int(Double(height) * aspect)
    }
    return try scaler.resize(picture, to: PictureSize(width: max(width, shortest), height: max(height, shortest)))
  }
}
