import Components
import Execution
import Files
import Images

/// Reads pictures as a model's encoder takes them: rows of patches, as the files beside the weights say.
public struct PictureReader: Sendable {
  /// A picture in tiles, of which each is encoded by itself.
  public struct Tiles: Sendable {
    /// The rows of each tile, one after the other.
    public let tiles: [[Float]]
    /// How many rows of tiles there are, without the whole picture beside them.
    public let rows: Int
    /// How many tiles a row has.
    public let columns: Int
    /// Rows and columns of patches, where the encoder takes pictures of any size and a picture is one tile; nil where tiles are squares.
    public let patches: (rows: Int, columns: Int)?
    /// The number of the canvas on which the tiles lie, where all of them are encoded together, as one; nil elsewhere.
    public let canvas: Int?

    init(
      tiles: [[Float]], rows: Int, columns: Int, patches: (rows: Int, columns: Int)? = nil, canvas: Int? = nil
    ) {
      self.tiles = tiles
      self.rows = rows
      self.columns = columns
      self.patches = patches
      self.canvas = canvas
    }

    /// What an encoder is given for `tile`.
    func input(_ tile: [Float]) -> AxisInput {
      if let patches { return .grid(tile, columns: patches.columns) }
      return canvas.map { .canvas(tile, number: $0) } ?? .rows(tile)
    }
  }

  private let processor: ImageProcessor
  private let grid: TileGrid

  /// A reader of pictures for `stack` of `plan`, as the files in `folder` say; nil `stack` is the model itself.
  ///
  /// Throws `FileProblem` where no file says how, and `ModelProblem` where the model takes no pictures.
  public init(_ plan: Plan, stack: Plan.PictureStack? = nil, folder: String) throws {
    grid = try TileGrid(plan, stack: stack)
    processor = try ImageProcessor(folder: folder)
  }

  /// The pictures in `files`, which belong to one text.
  ///
  /// Throws `FileProblem` where one cannot be read, and `ModelProblem` where the model takes none of its size.
  public func read(_ files: [String]) throws -> [Tiles] {
    try processor.process(files: files).map { picture in
      if case .mergedPatches(let size, let merge, let frames) = picture.form {
        try grid.requireMerged(size: size, merge: merge, frames: frames)
        return Tiles(
          tiles: [picture.values], rows: 1, columns: 1, patches: (picture.grid.rows, picture.grid.columns))
      }
      guard picture.form == .tiles, picture.shape.count == 4, !grid.isMerged else {
        throw ModelProblem.picture(
          "the image processor cuts pictures otherwise than '\(grid.model)' takes them")
      }
      let shape = Array(picture.shape.dropFirst())
      if grid.hasCanvas {
        guard let canvas = picture.canvas, picture.overview == nil else {
          throw ModelProblem.picture("the image processor lays pictures on no canvas, as '\(grid.model)' takes them")
        }
        let rows = try grid.rows(ofTiles: picture.values, count: picture.shape[0], shape: shape, canvas: canvas)
        return Tiles(tiles: [rows], rows: picture.grid.rows, columns: picture.grid.columns, canvas: canvas)
      }
      // The reference hides what is padding; here all of a tile is seen.
      if let part = picture.visible.first(where: { $0.height != shape[1] || $0.width != shape[2] }) {
        throw ModelProblem.picture(
          "a tile of \(shape[2])×\(shape[1]) pixels shows \(part.width)×\(part.height) of a picture and padding, which is not read here"
        )
      }
      let size = shape.reduce(1, *)
      let tiles = try (0..<picture.shape[0]).map { tile in
        try grid.rows(of: picture.values[tile * size..<(tile + 1) * size], shape: shape)
      }
      return Tiles(tiles: tiles, rows: picture.grid.rows, columns: picture.grid.columns)
    }
  }
}

/// How a tile becomes the rows that an encoder is given.
struct TileGrid {
  let model: String
  private let patches: PatchGrid
  /// The number of rows that a table of positions is for; nil where there is none.
  private let wanted: Int?

  /// The rows of a tile for `stack` of `plan`, or for the model itself; throws `ModelProblem` where it takes no pictures.
  init(_ plan: Plan, stack: Plan.PictureStack?) throws(ModelProblem) {
    model = plan.name
    let axis = plan.axes[(stack?.axis ?? .tokens).index]
    guard let patches = axis.patches else {
      throw .picture("'\(plan.name)' reads no pictures: it has no stack of patches")
    }
    self.patches = patches
    wanted = patches.tiles?.used ?? (stack == nil ? plan.longestSequence : axis.longest)
  }

  /// Whether all tiles of a picture are encoded together, on a canvas.
  var hasCanvas: Bool { patches.tiles != nil }

  /// The rows of the first `count` tiles in `values`, of `shape` [channels, height, width], and of the absent ones after them.
  func rows(
    ofTiles values: some RandomAccessCollection<Float>, count: Int, shape: [Int], canvas number: Int
  ) throws(ModelProblem) -> [Float] {
    guard let canvas = patches.tiles, canvas.tiles(ofCanvas: number) == count else {
      throw .picture(
        "the image processor lays a picture on canvas \(number) in \(count) tiles, and '\(model)' takes other ones")
    }
    let size = shape.reduce(1, *)
    let width = patches.width
    var rows = [Float](repeating: 0, count: canvas.rowsOfPicture * width)
    for tile in 0..<count {
      let start = values.index(values.startIndex, offsetBy: tile * size)
      let own = try self.rows(of: values[start..<values.index(start, offsetBy: size)], shape: shape)
      let place = tile * canvas.rows * width
      rows.replaceSubrange(place..<place + own.count, with: own)
    }
    return rows
  }

  /// Whether patches stand in blocks, of pictures of any size.
  var isMerged: Bool { patches.merge > 1 }

  /// Throws `ModelProblem` where patches of `size` pixels in blocks of `merge` and of so many `frames` are not those that the model takes.
  func requireMerged(size: Int, merge: Int, frames: Int) throws(ModelProblem) {
    if patches.size == size, patches.merge == merge, patches.frames == frames, patches.rowsBefore == 0, wanted == nil {
      return
    }
    throw .picture(
      "the image processor makes patches of \(size) pixels and \(frames) frames in blocks of \(merge)×\(merge), and '\(model)' takes "
        + "other ones")
  }

  /// The rows of a tile `values`, of `shape` [channels, height, width]: the class row of zeros, then the patches row by row.
  func rows(of values: some RandomAccessCollection<Float>, shape: [Int]) throws(ModelProblem) -> [Float] {
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    let size = patches.size
    guard channels == patches.channels, height >= size, width >= size else {
      throw .picture(
        "a picture of \(width)×\(height) pixels in \(channels) channels has none of the \(size)×\(size) patches of "
          + "\(patches.channels) channels that '\(model)' takes")
    }
    // What is left over at the right and below is left out, as by a convolution without padding.
    let (across, down) = (width / size, height / size)
    let count = across * down + patches.rowsBefore
    if let wanted, count != wanted || across != down {
      throw .picture(
        "a picture of \(width)×\(height) pixels has \(across)×\(down) patches, and '\(model)' has positions for a square of "
          + "\(wanted - patches.rowsBefore)")
    }
    let values = Array(values)
    var rows = [Float](repeating: 0, count: count * patches.width)
    for row in 0..<down {
      for column in 0..<across {
        var place = (patches.rowsBefore + row * across + column) * patches.width
        for channel in 0..<channels {
          for y in 0..<size {
            let start = (channel * height + row * size + y) * width + column * size
            for x in 0..<size { rows[place + x] = values[start + x] }
            place += size
          }
        }
      }
    }
    return rows
  }
}
