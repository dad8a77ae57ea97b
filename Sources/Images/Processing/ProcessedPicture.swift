/// A picture as an image encoder reads it.
public struct ProcessedPicture: Sendable {
  /// What the numbers are.
  public enum Form: Sendable, Equatable {
    /// Tiles of equal size: `[tiles, 3, height, width]`.
    case tiles
    /// Square patches, each `[3, frames, patch, patch]`, in the order of blocks of `merge`×`merge`: `[patches, width]`.
    case mergedPatches(patch: Int, merge: Int, frames: Int)
    /// Square patches row by row, each `[patch, patch, 3]`: `[patches, width]`.
    case patches(patch: Int)
  }

  /// Where the whole picture stands among its tiles.
  public enum Overview: Sendable {
    case first
    case last
  }

  /// The numbers, the last axis of `shape` fastest.
  public let values: [Float]
  /// `[tiles, 3, height, width]` or `[patches, width of a patch]`, as `form` says.
  public let shape: [Int]
  public let form: Form
  /// The size of the picture that was read, upright.
  public let original: PictureSize
  /// The tiles below and beside one another, without the overview; of patches, the patches.
  public let grid: ImageGrid
  /// Where the whole picture stands among the tiles, if it is one of them.
  public let overview: Overview?
  /// What of each tile shows the picture, from its top left corner; the rest is padding of zeros.
  public let visible: [PictureSize]  // [tiles]
  /// The number, from 1, of the grid among those that the settings allow, in the order of rows and then columns; nil
  /// where the layout has no such list. It is what selects an encoder's embedding of tiles' places.
  public let canvas: Int?
  /// The rows that a language model reads for the picture, where the image processor's settings alone decide them; nil
  /// where they depend on the model: tiles times the rows of a tile.
  public let rows: Int?

  /// The number of tiles, with the overview, or of patches.
  public var count: Int { shape[0] }

  /// The patches of all tiles but the overview, joined to one grid of `side`×`side` patches a tile, that show a picture
  /// kept in its shape in the middle: what is left where its padding is taken off, as LLaVA-NeXT does.
  ///
  /// Padding is the same on both sides; where it is odd, the row or column too many is kept.
  public func unpadded(side: Int) -> ImageGrid {
    Self.unpadded(ImageGrid(rows: grid.rows * side, columns: grid.columns * side), showing: original)
  }

  /// The rows and columns of `patches` that show a picture of `size` kept in its shape in the middle.
  package static func unpadded(_ patches: ImageGrid, showing size: PictureSize) -> ImageGrid {
    // Rounded to seven places before it is rounded down, since a side that fits exactly may come out just below.
    func fitted(_ side: Int, _ scale: Double) -> Int { Int((Double(side) * scale * 1e7).rounded() / 1e7) }
    var result = patches
    let aspect = Double(size.width) / Double(size.height)
    if aspect > Double(patches.columns) / Double(patches.rows) {
      let rows = fitted(size.height, Double(patches.columns) / Double(size.width))
      result.rows -= (patches.rows - rows) / 2 * 2
    } else {
      let columns = fitted(size.width, Double(patches.rows) / Double(size.height))
      result.columns -= (patches.columns - columns) / 2 * 2
    }
    return result
  }
}

extension ProcessedPicture {
  /// Normalises what `arrangement` holds by `scale`.
  ///
  /// Throws where its patches do not divide it.
  init(_ arrangement: Arrangement, original: PictureSize, scale: LevelScale) throws(PictureProblem) {
    self.original = original
    form = arrangement.form
    overview = arrangement.overview
    canvas = arrangement.canvas
    rows = arrangement.rows
    visible = arrangement.tiles.map(\.size)
    let frames = if case .mergedPatches(_, _, let frames) = form { frames } else { 1 }
    try PictureScaler.check(
      tiles: visible.count * frames, of: arrangement.padding ?? Self.largest(visible), for: arrangement.tiles[0])
    switch form {
    case .tiles:
      grid = arrangement.grid
      let size = arrangement.padding ?? Self.largest(visible)
      guard visible.allSatisfy({ $0.width <= size.width && $0.height <= size.height }) else {
        throw PictureProblem("a picture of \(visible[0]) pixels is to be padded to \(size)")
      }
      shape = [visible.count, 3, size.height, size.width]
      values = Self.planes(arrangement.tiles, size, scale)
    case .patches(let patch):
      grid = try Self.grid(visible[0], patch, of: patch)
      shape = [grid.count, 3 * patch * patch]
      values = Self.patches(arrangement.tiles[0], grid, patch, scale)
    case .mergedPatches(let patch, let merge, let frames):
      grid = try Self.grid(visible[0], patch, of: patch * merge)
      shape = [grid.count, 3 * frames * patch * patch]
      values = Self.mergedPatches(arrangement.tiles[0], grid, patch, merge, frames, scale)
    }
  }

  private static func largest(_ sizes: [PictureSize]) -> PictureSize {
    sizes.reduce(PictureSize(width: 1, height: 1)) {
      PictureSize(width: max($0.width, $1.width), height: max($0.height, $1.height))
    }
  }

  private static func grid(_ size: PictureSize, _ patch: Int, of unit: Int) throws(PictureProblem) -> ImageGrid {
    guard size.width % unit == 0, size.height % unit == 0 else {
      throw PictureProblem("a picture of \(size) pixels is not made of squares of \(unit) pixels")
    }
    return ImageGrid(rows: size.height / patch, columns: size.width / patch)
  }

  private static func planes(_ tiles: [Picture], _ size: PictureSize, _ scale: LevelScale) -> [Float] {
    var values = [Float](repeating: 0, count: tiles.count * 3 * size.area)
    for (index, tile) in tiles.enumerated() {
      for channel in 0..<3 {
        for y in 0..<tile.height {
          let target = ((3 * index + channel) * size.height + y) * size.width
          for x in 0..<tile.width {
            values[target + x] = scale[channel, tile.levels[3 * (y * tile.width + x) + channel]]
          }
        }
      }
    }
    return values
  }

  private static func patches(_ picture: Picture, _ grid: ImageGrid, _ patch: Int, _ scale: LevelScale) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(grid.count * 3 * patch * patch)
    for row in 0..<grid.rows {
      for column in 0..<grid.columns {
        for y in 0..<patch {
          let start = 3 * ((row * patch + y) * picture.width + column * patch)
          for at in 0..<3 * patch { values.append(scale[at % 3, picture.levels[start + at]]) }
        }
      }
    }
    return values
  }

  private static func mergedPatches(
    _ picture: Picture, _ grid: ImageGrid, _ patch: Int, _ merge: Int, _ frames: Int, _ scale: LevelScale
  ) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(grid.count * 3 * frames * patch * patch)
    for place in 0..<grid.count {
      // Blocks row by row, and within a block its patches row by row.
      let (block, inside) = (place / (merge * merge), place % (merge * merge))
      let blocks = grid.columns / merge
      let row = block / blocks * merge + inside / merge
      let column = block % blocks * merge + inside % merge
      for channel in 0..<3 {
        // A picture is a film of equal frames.
        for _ in 0..<frames {
          for y in 0..<patch {
            let start = 3 * ((row * patch + y) * picture.width + column * patch) + channel
            for x in 0..<patch { values.append(scale[channel, picture.levels[start + 3 * x]]) }
          }
        }
      }
    }
    return values
  }
}
