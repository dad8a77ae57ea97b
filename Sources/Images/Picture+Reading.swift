import Essentials
import Files

extension Picture {
  /// The most pixels that a picture may have unless said otherwise: 8192×8192, whose levels are 192 MiB.
  ///
  /// A small file may claim, and compressed even hold, a picture of many gigabytes; the claim is compared with this
  /// before memory is taken.
  public static let pixelLimit = 1 << 26

  /// The longest side that a picture may have: the weights of resizing take memory with it.
  static let sideLimit = 1 << 20

  /// Reads a PNG or JPEG file, upright as its EXIF orientation says.
  ///
  /// Throws where there is no such file or it is neither, is damaged, ends early or has more than `limit` pixels, and
  /// where a JPEG is to be read and the library that reads them is missing.
  public init(
    contentsOf path: String, transparency: Transparency, limit: Int = pixelLimit
  ) throws(FileProblem) {
    let file = try MappedFile(path: path)
    do {
      self = try withExtendedLifetime(file) { () throws(PictureProblem) in
        try Picture(file.bytes, transparency: transparency, limit: limit)
      }
    } catch {
      throw FileProblem(path: path, offset: error.offset, sentence: error.sentence)
    }
  }

  /// Reads the bytes of a PNG or JPEG file.
  public init(
    _ bytes: UnsafeRawBufferPointer, transparency: Transparency, limit: Int = pixelLimit
  ) throws(PictureProblem) {
    try self.init(bytes, transparency: transparency, limit: limit, library: JPEGLibrary.system)
  }

  /// Reads the bytes of a PNG or JPEG file, this by `library`.
  package init(
    _ bytes: UnsafeRawBufferPointer, transparency: Transparency, limit: Int = pixelLimit, library: JPEGLibrary?
  ) throws(PictureProblem) {
    if bytes.starts(with: PNGReader.signature) {
      self = try PNGReader(bytes, limit: limit).picture(transparency)
    } else if bytes.starts(with: JPEGHeader.signature) {
      self = try JPEGReader(bytes, limit: limit, library: library).picture()
    } else {
      throw PictureProblem(Self.otherFormat(bytes))
    }
  }

  private static let formats: [(magic: String, offset: Int, name: String)] = [
    ("GIF8", 0, "a GIF"), ("WEBP", 8, "a WebP"), ("BM", 0, "a BMP"), ("II*", 0, "a TIFF"), ("MM", 0, "a TIFF"),
    ("ftyp", 4, "a HEIC or AVIF"), ("%PDF", 0, "a PDF"), ("<svg", 0, "an SVG"), ("<?xml", 0, "an XML"),
  ]

  private static func otherFormat(_ bytes: UnsafeRawBufferPointer) -> String {
    if bytes.isEmpty { return "the file is empty; a PNG or JPEG picture is expected" }
    if bytes.count < PNGReader.signature.count, PNGReader.signature.starts(with: bytes) {
      return "the PNG file ends within its signature"
    }
    for format in formats where bytes.dropFirst(format.offset).starts(with: format.magic.utf8) {
      return "this is \(format.name) file; pictures are read from PNG and JPEG files"
    }
    let start = bytes.prefix(4).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    return "neither a PNG nor a JPEG file: it begins with the bytes \(start.joined(separator: " "))"
  }

  /// Refuses a size that is none, or that has more pixels than `limit`.
  static func check(_ size: PictureSize, limit: Int) throws(PictureProblem) {
    guard size.width > 0, size.height > 0 else {
      throw PictureProblem("the picture is \(size) pixels; neither side may be 0")
    }
    guard max(size.width, size.height) <= sideLimit || size.area > limit else {
      throw PictureProblem("the picture is \(size) pixels; no side may be longer than \(sideLimit)")
    }
    guard size.area <= limit else {
      throw PictureProblem("the picture is \(size) pixels, more than the \(limit) that are read")
    }
  }
}
