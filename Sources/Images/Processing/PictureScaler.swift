import Files

/// Resizes pictures by the filter of the settings, within a bound of pixels.
struct PictureScaler: Sendable {
  let filter: ResamplingFilter

  /// Reads `resample`.
  init(_ settings: ImageSettings) throws(FileProblem) { filter = try settings.filter("resample") }

  /// `picture` in `size`; throws where a side would be 0 or the size is larger than any picture may be.
  func resize(_ picture: Picture, to size: PictureSize) throws(PictureProblem) -> Picture {
    try Self.check(size, for: picture)
    return picture.resized(to: size, filter)
  }

  /// Refuses a size that has no pixels, or so many that no memory should be taken for them.
  static func check(_ size: PictureSize, for picture: Picture) throws(PictureProblem) {
    guard size.width > 0, size.height > 0 else {
      throw PictureProblem("a picture of \(picture.size) pixels would be resized to \(size)")
    }
    guard size.area <= Picture.pixelLimit else {
      throw PictureProblem(
        "a picture of \(picture.size) pixels would be resized to \(size), more than \(Picture.pixelLimit) pixels")
    }
    guard max(size.width, size.height) <= Picture.sideLimit else {
      throw PictureProblem(
        "a picture of \(picture.size) pixels would be resized to \(size); no side may be longer than "
          + "\(Picture.sideLimit)")
    }
  }

  /// The most numbers that are made of one picture: 1 GiB of them.
  static let numberLimit = 1 << 28

  /// Refuses so many tiles, all of the given size, that no memory should be taken for them.
  static func check(tiles count: Int, of size: PictureSize, for picture: Picture) throws(PictureProblem) {
    let (pixels, overflows) = count.multipliedReportingOverflow(by: size.area)
    guard !overflows, count <= 1 << 16, pixels <= numberLimit / 3 else {
      throw PictureProblem(
        "a picture of \(picture.size) pixels would become \(count) tiles of \(size) pixels, more than are held")
    }
  }
}
