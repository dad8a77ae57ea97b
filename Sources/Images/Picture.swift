/// A picture: 8-bit levels of red, green and blue, row by row from the top left.
public struct Picture: Sendable, Equatable {
  /// Its width in pixels, at least 1.
  public let width: Int
  /// Its height in pixels, at least 1.
  public let height: Int
  /// Its levels.
  public internal(set) var levels: [UInt8]  // [height, width, 3]

  /// A picture of the given levels, red, green and blue of one pixel after another.
  ///
  /// There are 3 · width · height of them.
  public init(width: Int, height: Int, levels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && levels.count == 3 * width * height,
      "\(levels.count) levels for a picture of \(width)×\(height) pixels")
    self.width = width
    self.height = height
    self.levels = levels
  }

  /// A picture of one colour.
  init(width: Int, height: Int, filled colour: (UInt8, UInt8, UInt8) = (0, 0, 0)) {
    var levels = [UInt8](repeating: colour.0, count: 3 * width * height)
    if colour != (colour.0, colour.0, colour.0) {
      for pixel in 0..<width * height {
        levels[3 * pixel + 1] = colour.1
        levels[3 * pixel + 2] = colour.2
      }
    }
    self.init(width: width, height: height, levels: levels)
  }

  /// Its size.
  public var size: PictureSize { PictureSize(width: width, height: height) }
}

/// A width and a height in pixels.
public struct PictureSize: Sendable, Equatable, CustomStringConvertible {
  public var width: Int
  public var height: Int

  /// The size of a picture of `width` columns and `height` rows.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// As in "640×480".
  public var description: String { "\(width)×\(height)" }

  /// The number of pixels; the largest integer where it has no such number.
  var area: Int {
    let (area, overflows) = width.multipliedReportingOverflow(by: height)
    return overflows ? .max : area
  }
}

/// What is wrong with a picture or with what is asked of one: a sentence without its file.
public struct PictureProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was found and what was expected.
  public let sentence: String
  /// The place in its file, in bytes, where it has one.
  public let offset: Int?

  init(_ sentence: String, at offset: Int? = nil) {
    self.sentence = sentence
    self.offset = offset
  }

  public var description: String { sentence }
}

/// What becomes of pixels that are not opaque.
public enum Transparency: Sendable {
  /// They are laid over white.
  case overWhite
  /// They keep their colour and become opaque: Pillow's `convert("RGB")`.
  case dropped
}
