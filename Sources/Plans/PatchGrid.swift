/// How the rows of an axis stand for a picture, cut into squares: row by row, each with the numbers of its pixels, channel by channel.
public struct PatchGrid: Sendable, Hashable {
  /// Pixels along a side of a patch.
  public let size: Int
  /// Numbers of a pixel.
  public let channels: Int
  /// Rows before the first patch, given as zeros, in which learned vectors stand.
  public let rowsBefore: Int

  /// Equal frames of a film that a patch holds.
  public let frames: Int
  /// Patches along a side of the blocks in which they stand; 1 where they stand row by row.
  public let merge: Int
  /// The tiles of one picture that are encoded together; nil where each tile is encoded by itself.
  public let tiles: CanvasTiles?

  /// Patches of `size`×`size` pixels.
  public init(size: Int, channels: Int, rowsBefore: Int, frames: Int = 1, merge: Int = 1, tiles: CanvasTiles? = nil) {
    self.size = size
    self.channels = channels
    self.rowsBefore = rowsBefore
    self.frames = frames
    self.merge = merge
    self.tiles = tiles
  }

  /// Numbers of a patch.
  public var width: Int { channels * frames * size * size }
}

/// A canvas of up to so many square tiles on which a picture lies, all of whose tiles are encoded together: those that the canvas has
/// first, then absent ones of zeros.
///
/// A tile is a row before its patches, the patches row by row, and rows of zeros up to a round number.
public struct CanvasTiles: Sendable, Hashable {
  /// The most tiles of a canvas: rows that every picture has.
  public let most: Int
  /// Rows of a tile with the one before its patches.
  public let used: Int
  /// Rows of a tile.
  public let rows: Int

  /// Canvases of up to `most` tiles of `used` rows, filled up to a multiple of `multiple`.
  public init(most: Int, used: Int, multiple: Int) {
    self.most = most
    self.used = used
    rows = (used + multiple - 1) / multiple * multiple
  }

  /// Rows of a picture.
  public var rowsOfPicture: Int { most * rows }

  /// How many tiles the canvases have, in the order of rows and then columns: that of number 1 first.
  public var tileCounts: [Int] {
    (1...max(1, most)).flatMap { rows in (1...max(1, most / rows)).map { rows * $0 } }
  }

  /// How many tiles the canvas `number` has; none where there is no such canvas.
  public func tiles(ofCanvas number: Int) -> Int {
    tileCounts.indices.contains(number - 1) ? tileCounts[number - 1] : 0
  }

  /// Whether `row` of a picture on the canvas `number` shows some of it.
  public func isPicture(_ row: Int, ofCanvas number: Int) -> Bool {
    row / rows < tiles(ofCanvas: number) && row % rows < used
  }

  /// Whether row `query` sees row `key`: one of them at least shows some of the picture, or they lie on no canvas.
  public func shows(_ key: Int, to query: Int, ofCanvas number: Int) -> Bool {
    number == 0 || isPicture(query, ofCanvas: number) || isPicture(key, ofCanvas: number)
  }

  /// What decides numbers.
  public var attributes: [Attribute] {
    [Attribute("tiles", most), Attribute("used", used), Attribute("rows", rows)]
  }
}
