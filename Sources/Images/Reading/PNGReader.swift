/// Reads a PNG file (ISO/IEC 15948): every colour type, depth and filter, with and without interlacing.
///
/// Levels are taken as they are stored: neither gamma nor colour profiles change them, as Pillow does not let them, and
/// of 16 bits the upper eight count. (libpng's simplified interface would correct gamma and round; so it is not used.)
struct PNGReader {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  private let bytes: UnsafeRawBufferPointer
  private(set) var header = PNGHeader()
  private(set) var palette: [(UInt8, UInt8, UInt8)] = []
  /// The chunk tRNS: the opacity of colours of the palette, or the one colour that is transparent.
  private(set) var transparency: [UInt8]?
  private var exif: UnsafeRawBufferPointer?
  private var data: [UnsafeRawBufferPointer] = []

  /// Looks through the chunks; throws where one is damaged, out of place or missing, before anything is decompressed.
  init(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(PictureProblem) {
    self.bytes = bytes
    var at = Self.signature.count
    var isFirst = true
    while true {
      guard bytes.count - at >= 12 else { throw PictureProblem("the PNG file ends early", at: bytes.count) }
      let length = Int(Self.number(bytes, at))
      guard length <= bytes.count - at - 12 else { throw PictureProblem("the PNG file ends early", at: bytes.count) }
      let kind = Array(bytes[at + 4..<at + 8])
      let content = UnsafeRawBufferPointer(rebasing: bytes[at + 8..<at + 8 + length])
      let name = kind.allSatisfy { (65...90).contains($0 & 0xDF) } ? String(decoding: kind, as: UTF8.self) : nil
      guard let name else { throw PictureProblem("a chunk of the PNG file has no name", at: at + 4) }
      guard isFirst == (name == "IHDR") else {
        let sentence = isFirst ? "the PNG file does not begin with IHDR" : "the PNG file has a second IHDR"
        throw PictureProblem(sentence, at: at + 4)
      }
      isFirst = false
      let isUsed = try take(name, content, at: at + 4, limit: limit)
      if isUsed, CRC32.of(bytes[at + 4..<at + 8 + length]) != Self.number(bytes, at + 8 + length) {
        throw PictureProblem("the PNG file's chunk \(name) does not match its checksum", at: at + 4)
      }
      at += 12 + length
      if name == "IEND" { break }
    }
    guard !data.isEmpty else { throw PictureProblem("the PNG file has no image data") }
    guard header.kind != .palette || !palette.isEmpty else { throw PictureProblem("the PNG file lacks its palette") }
  }

  // Whether the chunk is one that is used; what is not may be anything.
  private mutating func take(
    _ name: String, _ content: UnsafeRawBufferPointer, at place: Int, limit: Int
  ) throws(PictureProblem) -> Bool {
    switch name {
    case "IHDR": header = try PNGHeader(content, at: place, limit: limit)
    case "PLTE":
      guard content.count % 3 == 0, (1...256).contains(content.count / 3) else {
        throw PictureProblem("a palette of \(content.count) bytes", at: place)
      }
      palette = (0..<content.count / 3).map { (content[3 * $0], content[3 * $0 + 1], content[3 * $0 + 2]) }
    case "tRNS": transparency = Array(content.prefix(256))
    case "eXIf": exif = content
    case "IDAT": data.append(content)
    case "IEND": break
    default:
      // A lower-case first letter says that a reader may pass over the chunk.
      guard name.utf8.first.map({ $0 & 0x20 != 0 }) == true else {
        throw PictureProblem("the PNG file needs its chunk \(name), which is not known", at: place)
      }
      return false
    }
    return true
  }

  /// The picture, upright.
  func picture(_ policy: Transparency) throws(PictureProblem) -> Picture {
    let picture = try PNGRows(self, raw: raw()).picture(policy)
    return picture.upright(exif.flatMap { Orientation(exif: $0) })
  }

  /// The filtered rows of all passes, decompressed.
  private func raw() throws(PictureProblem) -> [UInt8] {
    let room = header.passes.reduce(0) { $0 + $1.size.height * (1 + header.rowBytes($1.size.width)) }
    let stored = data.reduce(0) { $0 + $1.count }
    // Deflate makes at most 1032 bytes of one, and of what does not compress five more bytes for each 65,535.
    guard stored <= room + room / 8 + (1 << 20) else {
      throw PictureProblem("the PNG file has \(stored) bytes of data for \(header.size) pixels")
    }
    guard room / 1032 <= stored else {
      throw PictureProblem("the PNG file has only \(stored) bytes of data for \(header.size) pixels")
    }
    var compressed: [UInt8] = []
    if data.count > 1 {
      compressed.reserveCapacity(stored)
      for piece in data { compressed += piece }
    }
    var problem: PictureProblem?
    let raw = [UInt8](unsafeUninitializedCapacity: room) { output, count in
      func fill(_ input: UnsafeRawBufferPointer) {
        let filled = UnsafeMutableBufferPointer(rebasing: output[..<room])
        do throws(PictureProblem) { try Inflate.fill(filled, from: input) } catch { problem = error }
      }
      // What was not written is never read: a problem is thrown below.
      if data.count > 1 { compressed.withUnsafeBytes(fill) } else { fill(data[0]) }
      count = problem == nil ? room : 0
    }
    if let problem { throw PictureProblem("the PNG file cannot be read: \(problem.sentence)") }
    return raw
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt32 {
    UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
  }
}

/// What a PNG file's first chunk says.
struct PNGHeader {
  /// What a sample stands for.
  enum Kind: UInt8 {
    case grey = 0
    case colour = 2
    case palette = 3
    case greyAlpha = 4
    case colourAlpha = 6

    /// Samples of a pixel.
    var samples: Int {
      switch self {
      case .grey, .palette: 1
      case .greyAlpha: 2
      case .colour: 3
      case .colourAlpha: 4
      }
    }
  }

  /// One of the pictures whose pixels are stored together: every pixel of the whole, or of a pass of Adam7.
  struct Pass {
    /// Where its first pixel stands in the whole, and how far its pixels are apart.
    let start: (x: Int, y: Int)
    let step: (x: Int, y: Int)
    let size: PictureSize
  }

  private(set) var size = PictureSize(width: 1, height: 1)
  private(set) var depth = 8
  private(set) var kind = Kind.grey
  private var isInterlaced = false

  init() {}

  init(_ content: UnsafeRawBufferPointer, at place: Int, limit: Int) throws(PictureProblem) {
    guard content.count == 13 else { throw PictureProblem("IHDR of \(content.count) bytes instead of 13", at: place) }
    func number(_ at: Int) -> Int {
      Int(UInt32(bigEndian: content.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    }
    size = PictureSize(width: number(0), height: number(4))
    try Picture.check(size, limit: limit)
    depth = Int(content[8])
    let depths: [Int]
    guard let kind = Kind(rawValue: content[9]) else {
      throw PictureProblem("PNG has no colour type \(content[9])", at: place)
    }
    self.kind = kind
    switch kind {
    case .grey: depths = [1, 2, 4, 8, 16]
    case .palette: depths = [1, 2, 4, 8]
    default: depths = [8, 16]
    }
    guard depths.contains(depth) else {
      throw PictureProblem("PNG's colour type \(content[9]) has no depth of \(depth) bits", at: place)
    }
    guard content[10] == 0, content[11] == 0, content[12] <= 1 else {
      throw PictureProblem(
        "unknown PNG methods: compression \(content[10]), filter \(content[11]), interlacing \(content[12])", at: place)
    }
    isInterlaced = content[12] == 1
  }

  /// The bytes of a row of `width` pixels.
  func rowBytes(_ width: Int) -> Int { (width * kind.samples * depth + 7) / 8 }

  /// What is stored one after another.
  var passes: [Pass] {
    guard isInterlaced else { return [Pass(start: (0, 0), step: (1, 1), size: size)] }
    let all = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    return all.compactMap { x, y, stepX, stepY in
      let pass = PictureSize(width: (size.width - x + stepX - 1) / stepX, height: (size.height - y + stepY - 1) / stepY)
      return pass.width > 0 && pass.height > 0 ? Pass(start: (x, y), step: (stepX, stepY), size: pass) : nil
    }
  }
}
