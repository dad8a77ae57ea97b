import Essentials
import Files

/// Patches of a picture whose sides are multiples of a block of patches and whose area lies between two bounds, in the
/// order of the blocks (Wang and others, 2024, Qwen2-VL).
struct MergedPatchesLayout: ImageLayout {
  private let scaler: PictureScaler?
  private let patch: Int
  private let merge: Int
  private let frames: Int
  private let fewest: Int
  private let most: Int
  /// Whether the bounds count the pixels of all frames.
  private let countsFrames: Bool

  init(_ settings: ImageSettings) throws(FileProblem) {
    scaler = try settings.bool("do_resize") ? PictureScaler(settings) : nil
    patch = try settings.positive("patch_size")
    merge = try settings.positive("merge_size")
    frames = try settings.positive("temporal_patch_size")
    guard patch <= 4096, merge <= 64, frames <= 64 else {
      throw settings.problem("patch_size", "patches of at most 4096 pixels, merged by 64, in 64 frames")
    }
    countsFrames = try settings.bool("bounds_count_frames")
    // Older files write the bounds by themselves, newer ones as the edges of a size.
    func bound(_ keys: [String]) throws(FileProblem) -> Int {
      for key in keys where settings[key] != nil { return try settings.positive(key) }
      let size = settings["size"]?.object ?? JSONObject()
      let value = keys.reversed().lazy.compactMap { size[$0]?.integer }.first
      guard let value, (1...ImageSettings.largest).contains(value) else {
        throw settings.problem("size", "'shortest_edge' and 'longest_edge', here bounds of the area in pixels")
      }
      return value
    }
    fewest = try bound(["min_pixels", "shortest_edge"])
    most = try bound(["max_pixels", "longest_edge"])
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    var picture = picture
    if let scaler { picture = try scaler.resize(picture, to: target(of: picture.size)) }
    var arrangement = Arrangement(picture)
    arrangement.form = .mergedPatches(patch: patch, merge: merge, frames: frames)
    arrangement.rows = picture.width / (patch * merge) * (picture.height / (patch * merge))
    return arrangement
  }

  private func target(of size: PictureSize) throws(PictureProblem) -> PictureSize {
    let factor = patch * merge
    var (width, height) = (size.width, size.height)
    if countsFrames, min(width, height) < factor {
      let scale = max(Double(factor) / Double(height), Double(factor) / Double(width))
      (width, height) = (Int(Double(width) * scale), Int(Double(height) * scale))
    }
    guard Double(max(width, height)) / Double(min(width, height)) <= 200 else {
      throw PictureProblem("a picture of \(size) pixels is more than 200 times as long as wide")
    }
    func rounded(_ side: Int) -> Int {
      Int((Double(side) / Double(factor)).rounded(.toNearestOrEven)) * factor
    }
    let times = countsFrames ? frames : 1
    let result = PictureSize(width: rounded(width), height: rounded(height))
    let area = Double(times) * Double(width) * Double(height)
    if times * result.area > most {
      let scale = (area / Double(most)).squareRoot()
      func floored(_ side: Int) -> Int {
        max(factor, Int((Double(side) / scale / Double(factor)).rounded(.down)) * factor)
      }
      return PictureSize(width: floored(width), height: floored(height))
    }
    if times * result.area < fewest {
      let scale = (Double(fewest) / area).squareRoot()
      func ceiled(_ side: Int) -> Int { Int((Double(side) * scale / Double(factor)).rounded(.up)) * factor }
      return PictureSize(width: ceiled(width), height: ceiled(height))
    }
    return result
  }
}
