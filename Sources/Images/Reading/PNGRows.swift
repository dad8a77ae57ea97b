/// The rows of a PNG file, unfiltered and made a picture.
struct PNGRows {
  private let header: PNGHeader
  private let palette: [(UInt8, UInt8, UInt8)]
  private let transparency: [UInt8]?
  private var raw: [UInt8]

  init(_ reader: PNGReader, raw: [UInt8]) {
    header = reader.header
    palette = reader.palette
    transparency = reader.transparency
    self.raw = raw
  }

  /// The picture that the rows make.
  consuming func picture(_ policy: Transparency) throws(PictureProblem) -> Picture {
    var picture = Picture(width: header.size.width, height: header.size.height)
    var start = 0
    let key = try transparentColour()
    for pass in header.passes {
      let rowBytes = header.rowBytes(pass.size.width)
      for row in 0..<pass.size.height {
        try unfilter(at: start, rowBytes, isFirst: row == 0)
        try place(start + 1, row, of: pass, key: key, policy: policy, in: &picture)
        start += 1 + rowBytes
      }
    }
    return picture
  }

  // Undoes a row's filter in place; its neighbours are the byte of the pixel before (a), the row above (b) and both (c).
  private mutating func unfilter(at start: Int, _ count: Int, isFirst: Bool) throws(PictureProblem) {
    let filter = raw[start]
    guard filter <= 4 else { throw PictureProblem("PNG has no filter \(filter)") }
    let distance = max(1, header.kind.samples * header.depth / 8)
    let above = start - count
    raw.withUnsafeMutableBufferPointer { raw in
      for place in 0..<count {
        let at = start + 1 + place
        let a = place >= distance ? Int(raw[at - distance]) : 0
        let b = isFirst ? 0 : Int(raw[above + place])
        let predicted: Int
        switch filter {
        case 1: predicted = a
        case 2: predicted = b
        case 3: predicted = (a + b) / 2
        case 4:
          let c = isFirst || place < distance ? 0 : Int(raw[above + place - distance])
          let (toA, toB, toC) = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
          predicted = toA <= toB && toA <= toC ? a : toB <= toC ? b : c
        default: return
        }
        raw[at] &+= UInt8(predicted)
      }
    }
  }

  // Samples of the one colour that is transparent, as they are stored.
  private func transparentColour() throws(PictureProblem) -> [Int]? {
    guard let transparency, header.kind == .grey || header.kind == .colour else { return nil }
    guard transparency.count == 2 * header.kind.samples else {
      throw PictureProblem("the PNG file's tRNS has \(transparency.count) bytes instead of \(2 * header.kind.samples)")
    }
    return (0..<header.kind.samples).map { Int(transparency[2 * $0]) << 8 | Int(transparency[2 * $0 + 1]) }
  }

  private func place(
    _ start: Int, _ row: Int, of pass: PNGHeader.Pass, key: [Int]?, policy: Transparency, in picture: inout Picture
  ) throws(PictureProblem) {
    let y = pass.start.y + row * pass.step.y
    let depth = header.depth
    // Of 16 bits the upper eight; fewer are spread over 0...255.
    let scale = depth < 8 ? 255 / (1 << depth - 1) : 1
    func sample(_ index: Int) -> Int {
      switch depth {
      case 8: return Int(raw[start + index])
      case 16: return Int(raw[start + 2 * index]) << 8 | Int(raw[start + 2 * index + 1])
      default:
        let bit = index * depth
        return Int(raw[start + bit / 8]) >> (8 - depth - bit % 8) & (1 << depth - 1)
      }
    }
    func level(_ sample: Int) -> UInt8 { UInt8(depth == 16 ? sample >> 8 : sample * scale) }
    let samples = header.kind.samples
    for column in 0..<pass.size.width {
      let first = column * samples
      var (red, green, blue): (UInt8, UInt8, UInt8)
      var opacity: UInt8 = 255
      switch header.kind {
      case .grey, .greyAlpha:
        let value = sample(first)
        if depth == 16, header.kind == .grey, value > 255 { throw Self.deepGrey }
        red = depth == 16 && header.kind == .grey ? UInt8(value) : level(value)
        (green, blue) = (red, red)
        if header.kind == .greyAlpha { opacity = level(sample(first + 1)) }
        if let key, key[0] == value { opacity = 0 }
      case .colour, .colourAlpha:
        let values = (sample(first), sample(first + 1), sample(first + 2))
        (red, green, blue) = (level(values.0), level(values.1), level(values.2))
        if header.kind == .colourAlpha { opacity = level(sample(first + 3)) }
        if let key, values == (key[0], key[1], key[2]) { opacity = 0 }
      case .palette:
        let index = sample(first)
        guard index < palette.count else {
          throw PictureProblem("a pixel of the PNG file has colour \(index) of a palette of \(palette.count)")
        }
        (red, green, blue) = palette[index]
        if let transparency, index < transparency.count { opacity = transparency[index] }
      }
      if policy == .overWhite, opacity < 255 {
        (red, green, blue) = (red.overWhite(opacity), green.overWhite(opacity), blue.overWhite(opacity))
      }
      let target = 3 * (y * header.size.width + pass.start.x + column * pass.step.x)
      picture.levels[target] = red
      picture.levels[target + 1] = green
      picture.levels[target + 2] = blue
    }
  }

  private static let deepGrey = PictureProblem(
    "this is a grey picture of 16 bits with levels above 255, which the reference implementations would turn white; "
      + "save it with 8 bits a level")
}

extension UInt8 {
  /// This level with `opacity` (255: opaque) laid over white, as Pillow's `alpha_composite` rounds it.
  ///
  /// ```
  /// c = 128 · opacity,  t = level · c + 255 · (255 · 128 - c) + 128 · 128,  (t / 256 + t) / 256 / 128
  /// ```
  func overWhite(_ opacity: UInt8) -> UInt8 {
    if opacity == 0 { return 255 }
    let coefficient = UInt32(opacity) << 7
    let sum = UInt32(self) * coefficient + 255 * (255 << 7 - coefficient) + 0x80 << 7
    return UInt8((sum >> 8 + sum) >> 15)
  }
}
