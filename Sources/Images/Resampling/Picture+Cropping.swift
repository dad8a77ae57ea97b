extension Picture {
  /// The part of this picture that begins at column `x` and row `y`, as far as it goes.
  ///
  /// At least one pixel of it lies in the picture.
  func part(x: Int, y: Int, _ size: PictureSize) -> Picture {
    let size = PictureSize(width: min(size.width, width - x), height: min(size.height, height - y))
    if size == self.size { return self }
    var part: [UInt8] = []
    part.reserveCapacity(3 * size.area)
    for row in y..<y + size.height {
      let start = 3 * (row * width + x)
      part += levels[start..<start + 3 * size.width]
    }
    return Picture(width: size.width, height: size.height, levels: part)
  }

  /// This picture on a larger one of a single colour, its top left corner at (`x`, `y`).
  func placed(x: Int, y: Int, on size: PictureSize, _ colour: (UInt8, UInt8, UInt8) = (0, 0, 0)) -> Picture {
    if size == self.size { return self }
    var result = Picture(width: size.width, height: size.height, filled: colour)
    for row in 0..<height {
      let (source, target) = (3 * row * width, 3 * ((y + row) * size.width + x))
      result.levels.replaceSubrange(target..<target + 3 * width, with: levels[source..<source + 3 * width])
    }
    return result
  }

  /// The middle of this picture; where it is smaller than `size`, black stands around it.
  ///
  /// An odd pixel too many is cut at the far side, an odd pixel too few added at the near one.
  func centred(_ size: PictureSize) -> Picture {
    let canvas = PictureSize(width: max(width, size.width), height: max(height, size.height))
    let padded = placed(x: (canvas.width - width + 1) / 2, y: (canvas.height - height + 1) / 2, on: canvas)
    // Where the picture was padded, all of that side is taken.
    return padded.part(
      x: max(width - size.width, 0) / 2, y: max(height - size.height, 0) / 2, size)
  }

  /// This picture in the middle of a square of its longer side.
  func squared(_ colour: (UInt8, UInt8, UInt8)) -> Picture {
    let side = max(width, height)
    return placed(
      x: (side - width) / 2, y: (side - height) / 2, on: PictureSize(width: side, height: side), colour)
  }

  /// The parts of `size` row by row; those at the far sides are smaller where it does not divide the picture.
  func tiles(_ size: PictureSize) -> [Picture] {
    var tiles: [Picture] = []
    for y in stride(from: 0, to: height, by: size.height) {
      for x in stride(from: 0, to: width, by: size.width) { tiles.append(part(x: x, y: y, size)) }
    }
    return tiles
  }
}
