import Files

/// What a layout makes of a picture: pictures that an encoder reads, and how they lie in the whole.
struct Arrangement {
  /// The tiles row by row, with the whole picture before or after them where there is one.
  var tiles: [Picture]
  /// How many tiles stand below and beside one another; 1×1 where the picture is one tile.
  var grid = ImageGrid(rows: 1, columns: 1)
  var overview: ProcessedPicture.Overview?
  var form = ProcessedPicture.Form.tiles
  /// The size of every tile after normalising, with zeros at the right and below; nil: that of the largest.
  var padding: PictureSize?
  /// The number of the arrangement of tiles among those that the settings allow, from 1.
  var canvas: Int?
  /// The rows that the language model reads for it, where the settings say.
  var rows: Int?

  /// A single tile.
  init(_ picture: Picture) { tiles = [picture] }

  init(tiles: [Picture], grid: ImageGrid, overview: ProcessedPicture.Overview? = nil) {
    self.tiles = tiles
    self.grid = grid
    self.overview = overview
  }
}

/// Rows and columns of tiles or of patches.
public struct ImageGrid: Sendable, Equatable {
  public var rows: Int
  public var columns: Int

  /// A grid of `rows` times `columns` places.
  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// Its places.
  public var count: Int { rows * columns }
}

/// How a kind of image processor cuts and resizes a picture, from the keys of its settings.
protocol ImageLayout: Sendable {
  /// Reads the keys that this layout needs; throws where one is missing or no such value.
  init(_ settings: ImageSettings) throws(FileProblem)

  /// Cuts and resizes `picture`, one of `count` that belong to one text.
  func arrange(_ picture: Picture, count: Int) throws(PictureProblem) -> Arrangement
}
