/// Reads a JPEG file, baseline or progressive, of grey, colour or CMYK levels, by libjpeg-turbo.
struct JPEGReader {
  private let bytes: UnsafeRawBufferPointer
  private let header: JPEGHeader
  private let library: JPEGLibrary

  /// Reads the header; throws where it is damaged, the picture has more than `limit` pixels, or `library` is missing.
  init(_ bytes: UnsafeRawBufferPointer, limit: Int, library: JPEGLibrary?) throws(PictureProblem) {
    header = try JPEGHeader(bytes, limit: limit)
    guard let library else { throw PictureProblem(JPEGLibrary.absence) }
    self.bytes = bytes
    self.library = library
  }

  // Numbers of TurboJPEG's interface: pixel formats and flags.
  private static let rgb: Int32 = 0
  private static let cmyk: Int32 = 11
  private static let accurate: Int32 = 4096
  private static let stopsOnWarning: Int32 = 8192
  private static let limitsScans: Int32 = 32768

  /// Warnings that do not concern pixels.
  private static let harmless = ["extraneous bytes before marker", "JFIF revision", "Adobe color transform", "ICC"]

  /// The picture, upright.
  ///
  /// Where the library warns that it made pixels up because the data are damaged or end early, that is an error.
  func picture() throws(PictureProblem) -> Picture {
    guard let handle = library.create() else { throw PictureProblem("libturbojpeg cannot be started") }
    defer { _ = library.destroy(handle) }
    guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
      throw PictureProblem("the JPEG file is empty")
    }
    var (width, height, sampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    // It fails, with the size read, for samplings that its interface has no word for and can nevertheless read.
    if library.readHeader(handle, start, UInt(bytes.count), &width, &height, &sampling, &colours) != 0, width == 0 {
      throw problem(handle)
    }
    // The library reads the header itself: what is written into must have the size that it found.
    guard Int(width) == header.size.width, Int(height) == header.size.height else {
      throw PictureProblem("the JPEG file has two sizes, \(header.size) and \(width)×\(height)")
    }
    let isCMYK = header.components == 4
    let channels = isCMYK ? 4 : 3
    let count = header.size.area * channels
    var found: PictureProblem?
    let levels = [UInt8](unsafeUninitializedCapacity: count) { levels, initialized in
      guard let target = levels.baseAddress else { return }
      target.initialize(repeating: 0, count: count)
      func decompress(_ flags: Int32) -> Bool {
        library.decompress(
          handle, start, UInt(bytes.count), target, width, 0, height, isCMYK ? Self.cmyk : Self.rgb,
          Self.accurate | Self.limitsScans | flags) == 0
      }
      initialized = count
      if decompress(Self.stopsOnWarning) { return }
      // Again without the first warning, where that is of no importance.
      guard isHarmless(handle) else { return found = problem(handle) }
      if !decompress(0), !isHarmless(handle) { found = problem(handle) }
    }
    if let found { throw found }
    let upright = isCMYK ? rgb(levels) : levels
    return Picture(width: header.size.width, height: header.size.height, levels: upright).upright(header.orientation)
  }

  private func text(_ handle: OpaquePointer) -> String {
    library.message(handle).map { String(cString: $0) } ?? "no reason is given"
  }

  private func isHarmless(_ handle: OpaquePointer) -> Bool {
    let text = text(handle)
    return library.code(handle) == 0 && Self.harmless.contains { text.contains($0) }
  }

  private func problem(_ handle: OpaquePointer) -> PictureProblem {
    PictureProblem("the JPEG file cannot be read: \(text(handle))")
  }

  // Levels of ink are stored inverted, as Adobe's programs write them and Pillow takes them.
  private func rgb(_ inks: [UInt8]) -> [UInt8] {
    var levels = [UInt8](repeating: 0, count: inks.count / 4 * 3)
    for pixel in 0..<inks.count / 4 {
      let light = Int(inks[4 * pixel + 3])
      for channel in 0..<3 {
        let product = (255 - Int(inks[4 * pixel + channel])) * light + 128
        levels[3 * pixel + channel] = UInt8(light - (product >> 8 + product) >> 8)
      }
    }
    return levels
  }
}
