/// What a JPEG file says before its pixels: its size, its components, how it lies.
struct JPEGHeader {
  static let signature: [UInt8] = [0xFF, 0xD8, 0xFF]

  private(set) var size = PictureSize(width: 0, height: 0)
  private(set) var components = 0
  private(set) var orientation: Orientation?

  private static let exif = Array("Exif\0\0".utf8)
  private static let xmp = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

  /// Walks over the markers up to the first scan; throws where the file ends before or has no frame, and where the
  /// frame has more than `limit` pixels.
  init(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(PictureProblem) {
    // What EXIF says counts; where it says nothing, XMP.
    var described: Orientation?
    let early = PictureProblem("the JPEG file ends early", at: bytes.count)
    var at = 2
    while true {
      guard at < bytes.count else { throw early }
      guard bytes[at] == 0xFF else { throw PictureProblem("a marker is expected in the JPEG file", at: at) }
      // A marker may be preceded by any number of bytes FF.
      while at < bytes.count, bytes[at] == 0xFF { at += 1 }
      guard at < bytes.count else { throw early }
      let marker = bytes[at]
      at += 1
      // Markers without content.
      if marker == 0x01 || (0xD0...0xD7).contains(marker) { continue }
      guard marker != 0xD9, marker != 0xD8, marker != 0 else {
        throw PictureProblem("the JPEG file has no picture before marker \(String(marker, radix: 16))", at: at - 1)
      }
      guard bytes.count - at >= 2 else { throw early }
      let length = Int(bytes[at]) << 8 | Int(bytes[at + 1])
      guard length >= 2 else { throw PictureProblem("a part of the JPEG file of \(length) bytes", at: at) }
      guard length <= bytes.count - at else { throw early }
      let content = UnsafeRawBufferPointer(rebasing: bytes[at + 2..<at + length])
      switch marker {
      case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
        guard components == 0, content.count >= 6 else {
          throw PictureProblem(components == 0 ? "the JPEG frame is too short" : "the JPEG file has two frames", at: at)
        }
        size = PictureSize(
          width: Int(content[3]) << 8 | Int(content[4]), height: Int(content[1]) << 8 | Int(content[2]))
        components = Int(content[5])
        guard content[0] == 8 else {
          throw PictureProblem("the JPEG file has \(content[0]) bits a level; 8 are read", at: at)
        }
        try Picture.check(size, limit: limit)
      case 0xE1 where orientation == nil && content.starts(with: Self.exif):
        orientation = Orientation(exif: content)
      case 0xE1 where content.starts(with: Self.xmp):
        described = Orientation(xmp: content)
      case 0xDA:
        guard components > 0 else { throw PictureProblem("the JPEG file has a scan before its frame", at: at) }
        orientation = orientation ?? described
        return
      default: break
      }
      at += length
    }
  }
}
