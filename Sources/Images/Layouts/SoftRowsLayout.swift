import Essentials
import Files

/// Patches of the largest picture, its aspect ratio kept, whose pooled patches are at most so many rows.
struct SoftRowsLayout: ImageLayout {
  private let scaler: PictureScaler?
  private let patch: Int
  private let most: Int
  private let pooling: Int

  init(_ settings: ImageSettings) throws(FileProblem) {
    scaler = try settings.bool("do_resize") ? PictureScaler(settings) : nil
    patch = try settings.positive("patch_size")
    most = try settings.positive("max_soft_tokens")
    pooling = try settings.positive("pooling_kernel_size")
    guard patch <= 4096, pooling <= 64, [70, 140, 280, 560, 1120].contains(most) else {
      throw settings.problem("max_soft_tokens", "70, 140, 280, 560 or 1120")
    }
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    var picture = picture
    if let scaler { picture = try scaler.resize(picture, to: target(of: picture.size)) }
    var arrangement = Arrangement(picture)
    arrangement.form = .patches(patch: patch)
    arrangement.rows = picture.width / patch * (picture.height / patch) / (pooling * pooling)
    return arrangement
  }

  private func target(of size: PictureSize) throws(PictureProblem) -> PictureSize {
    let area = most * pooling * pooling * patch * patch
    let factor = (Double(area) / Double(size.area)).squareRoot()
    let unit = pooling * patch
    func floored(_ side: Int) -> Int { Int((factor * Double(side) / Double(unit)).rounded(.down)) * unit }
    var target = PictureSize(width: floored(size.width), height: floored(size.height))
    guard target.height > 0 || target.width > 0 else {
      throw PictureProblem("a picture of \(size) pixels would be resized to \(target), both sides multiples of \(unit)")
    }
    if target.height == 0 {
      target = PictureSize(width: min(size.width / size.height, most) * unit, height: unit)
    } else if target.width == 0 {
      target = PictureSize(width: unit, height: min(size.height / size.width, most) * unit)
    }
    guard target.area <= area else {
      throw PictureProblem("a picture of \(size) pixels would be resized to \(target), more than \(area) pixels")
    }
    return target
  }
}
