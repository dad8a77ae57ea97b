import Files

/// One tile: resized, cut out of the middle, padded, each where the settings say so.
struct ResizeLayout: ImageLayout {
  private let scaler: PictureScaler?
  private let size: SizeRule
  private let crop: PictureSize?
  private let padding: PictureSize?

  init(_ settings: ImageSettings) throws(FileProblem) { try self.init(settings, crops: true, pads: true) }

  /// Reads the keys of cropping and padding where a layout has these steps.
  init(_ settings: ImageSettings, crops: Bool, pads: Bool = false) throws(FileProblem) {
    let resizes = try settings.bool("do_resize")
    scaler = try resizes ? PictureScaler(settings) : nil
    size =
      try resizes
      ? settings.size("size", isSquare: settings.bool("default_to_square"))
      : .exactly(PictureSize(width: 1, height: 1))
    if case .longest = size { throw settings.problem("size", "'height' and 'width' or 'shortest_edge'") }
    let cropping = try settings.bool("do_center_crop")
    crop = try crops && cropping ? settings.exactSize("crop_size") : nil
    // Without a size, pictures are padded to the largest of their batch: there is none here.
    let padding = try settings.bool("do_pad")
    self.padding = try pads && padding && settings["pad_size"] != nil ? settings.exactSize("pad_size") : nil
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    var arrangement = Arrangement(try cut(picture))
    arrangement.padding = padding
    return arrangement
  }

  /// Resizes and crops.
  func cut(_ picture: Picture) throws(PictureProblem) -> Picture {
    var picture = picture
    if let scaler, let target = size.target(of: picture.size) { picture = try scaler.resize(picture, to: target) }
    guard let crop else { return picture }
    try PictureScaler.check(crop, for: picture)
    return picture.centred(crop)
  }
}

/// One tile, made a square of its longer side before it is resized where `do_pad` says so; the colour around it is the
/// mean.
struct SquareLayout: ImageLayout {
  private let resize: ResizeLayout
  private let colour: (UInt8, UInt8, UInt8)?

  init(_ settings: ImageSettings) throws(FileProblem) {
    resize = try ResizeLayout(settings, crops: true)
    colour = try settings.bool("do_pad") ? meanColour(settings) : nil
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    guard let colour else { return Arrangement(try resize.cut(picture)) }
    return Arrangement(try resize.cut(squared(picture, colour)))
  }
}

/// The levels of the mean, rounded down.
func meanColour(_ settings: ImageSettings) throws(FileProblem) -> (UInt8, UInt8, UInt8) {
  let levels = try settings.channels("image_mean").map { $0 * 255 }
  guard levels.allSatisfy({ (0..<256).contains($0) }) else {
    throw settings.problem("image_mean", "numbers from 0 to 1, since they are also the colour of padding")
  }
  return (UInt8(levels[0]), UInt8(levels[1]), UInt8(levels[2]))
}

/// `picture` in the middle of a square; throws where that would have too many pixels.
func squared(_ picture: Picture, _ colour: (UInt8, UInt8, UInt8)) throws(PictureProblem) -> Picture {
  let side = max(picture.width, picture.height)
  try PictureScaler.check(PictureSize(width: side, height: side), for: picture)
  return picture.squared(colour)
}
