/// How a picture lies in its file: EXIF's tag 0x0112, with its numbers 1 to 8.
enum Orientation: Int {
  case upright = 1
  case mirrored = 2
  case upsideDown = 3
  case flipped = 4
  case transposed = 5
  case turnedLeft = 6
  case transverse = 7
  case turnedRight = 8

  /// The orientation in a TIFF structure; nil where that does not say or cannot be read.
  ///
  /// Bytes before the structure that say "Exif" are passed over.
  init?(exif: UnsafeRawBufferPointer) {
    var bytes = exif
    if bytes.starts(with: Array("Exif\0\0".utf8)) { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(6)) }
    guard bytes.count >= 8 else { return nil }
    let isLittle = bytes.starts(with: Array("II".utf8))
    guard isLittle || bytes.starts(with: Array("MM".utf8)) else { return nil }
    func short(_ at: Int) -> Int {
      let (low, high) = isLittle ? (bytes[at], bytes[at + 1]) : (bytes[at + 1], bytes[at])
      return Int(high) << 8 | Int(low)
    }
    func long(_ at: Int) -> Int {
      isLittle ? short(at + 2) << 16 | short(at) : short(at) << 16 | short(at + 2)
    }
    let start = long(4)
    guard short(2) == 42, start >= 8, start <= bytes.count - 2 else { return nil }
    for entry in 0..<short(start) {
      let at = start + 2 + 12 * entry
      guard at <= bytes.count - 12 else { return nil }
      guard short(at) == 0x0112 else { continue }
      switch short(at + 2) {
      case 1: self.init(rawValue: Int(bytes[at + 8]))
      case 3: self.init(rawValue: short(at + 8))
      case 4: self.init(rawValue: long(at + 8))
      default: return nil
      }
      return
    }
    return nil
  }

  /// The orientation that a packet of XMP gives, as `tiff:Orientation="6"` or between tags; nil where it gives none.
  init?(xmp: UnsafeRawBufferPointer) {
    let name = Array("tiff:Orientation".utf8)
    for start in xmp.indices.dropLast(name.count) where xmp[start] == name[0] && xmp[start...].starts(with: name) {
      var rest = xmp[(start + name.count)...]
      if rest.starts(with: Array("=\"".utf8)) {
        rest = rest.dropFirst(2)
      } else if rest.first == UInt8(ascii: ">") {
        rest = rest.dropFirst()
      } else {
        continue
      }
      guard let digit = rest.first, let number = Int(String(UnicodeScalar(digit))) else { continue }
      self.init(rawValue: number)
      return
    }
    return nil
  }

  /// Whether rows become columns.
  var swapsSides: Bool { rawValue >= 5 }
}

extension Picture {
  /// The picture turned so that its top is up, from a file where it lay as `orientation` says.
  consuming func upright(_ orientation: Orientation?) -> Picture {
    guard let orientation, orientation != .upright else { return self }
    let (width, height) = (width, height)
    var result = Picture(
      width: orientation.swapsSides ? height : width, height: orientation.swapsSides ? width : height)
    for y in 0..<result.height {
      for x in 0..<result.width {
        let (fromX, fromY): (Int, Int) =
          switch orientation {
          case .upright: (x, y)
          case .mirrored: (width - 1 - x, y)
          case .upsideDown: (width - 1 - x, height - 1 - y)
          case .flipped: (x, height - 1 - y)
          case .transposed: (y, x)
          case .turnedLeft: (y, height - 1 - x)
          case .transverse: (width - 1 - y, height - 1 - x)
          case .turnedRight: (width - 1 - y, x)
          }
        let (target, source) = (3 * (y * result.width + x), 3 * (fromY * width + fromX))
        for channel in 0..<3 { result.levels[target + channel] = levels[source + channel] }
      }
    }
    return result
  }
}
