import Files

/// One tile that is no larger than given, its aspect ratio kept, its sides made multiples of a patch's (Mistral AI,
/// 2024, Pixtral).
struct WholePatchesLayout: ImageLayout {
  private let scaler: PictureScaler?
  private let bound: PictureSize
  private let patch: PictureSize
  private let crop: PictureSize?

  init(_ settings: ImageSettings) throws(FileProblem) {
    scaler = try settings.bool("do_resize") ? PictureScaler(settings) : nil
    patch = try settings.exactSize("patch_size")
    switch try settings.size("size") {
    case .exactly(let size): bound = size
    case .longest(let side): bound = PictureSize(width: side, height: side)
    default: throw settings.problem("size", "'longest_edge', or 'height' and 'width'")
    }
    crop = try settings.bool("do_center_crop") ? settings.exactSize("crop_size") : nil
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    var picture = picture
    if let scaler { picture = try scaler.resize(picture, to: target(of: picture.size)) }
    if let crop {
      try PictureScaler.check(crop, for: picture)
      picture = picture.centred(crop)
    }
    return Arrangement(picture)
  }

  private func target(of size: PictureSize) -> PictureSize {
    let ratio = max(Double(size.height) / Double(bound.height), Double(size.width) / Double(bound.width))
    var (width, height) = (size.width, size.height)
    if ratio > 1 { (width, height) = (Int(Double(width) / ratio), Int(Double(height) / ratio)) }
    // A side that was rounded down to 0 has no patch.
    func patches(_ side: Int, _ patch: Int) -> Int { side == 0 ? 0 : (side - 1) / patch + 1 }
    return PictureSize(
      width: patches(width, patch.width) * patch.width, height: patches(height, patch.height) * patch.height)
  }
}
