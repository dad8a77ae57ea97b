import Files

/// Patches of the largest picture that has at most so many (Tschannen and others, 2025, SigLIP 2).
struct PatchBudgetLayout: ImageLayout {
  private let scaler: PictureScaler?
  private let patch: Int
  private let most: Int

  init(_ settings: ImageSettings) throws(FileProblem) {
    scaler = try settings.bool("do_resize") ? PictureScaler(settings) : nil
    patch = try settings.positive("patch_size")
    most = try settings.positive("max_num_patches")
    guard patch <= 4096, most <= 1 << 20 else {
      throw settings.problem("max_num_patches", "at most \(1 << 20) patches of 4096 pixels")
    }
  }

  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement {
    var picture = picture
    if let scaler { picture = try scaler.resize(picture, to: target(of: picture.size)) }
    var arrangement = Arrangement(picture)
    arrangement.form = .patches(patch: patch)
    return arrangement
  }

  // The scale is found by bisection, whose steps decide in close cases: they are those of the reference.
  private func target(of size: PictureSize) -> PictureSize {
    let precision = 1e-5
    var (low, high) = (precision / 10, 100.0)
    func scaled(_ side: Int, _ scale: Double) -> Int {
      max(patch, Int((Double(side) * scale / Double(patch)).rounded(.up)) * patch)
    }
    while high - low >= precision {
      let middle = (low + high) / 2
      let (height, width) = (scaled(size.height, middle), scaled(size.width, middle))
      if Double(height) / Double(patch) * (Double(width) / Double(patch)) <= Double(most) {
        low = middle
      } else {
        high = middle
      }
    }
    return PictureSize(width: scaled(size.width, low), height: scaled(size.height, low))
  }
}
