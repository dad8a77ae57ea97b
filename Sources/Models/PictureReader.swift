import Components
import Files
import Images

/// Reads pictures as a model's encoder takes them: rows of patches, as the files beside the weights say.
public struct PictureReader: Sendable {
  /// A picture in tiles, of which each is encoded by itself.
  public struct Tiles: Sendable {
    /// The rows of each tile, one after the other.
    public let tiles: [[Float]]
    /// How many rows of tiles there are, without the whole picture beside them; of a picture of any size, rows of its tokens.
    public let rows: Int
    /// How many tiles a row has, or tokens.
    public let columns: Int
    /// Rows and columns of patches, where the encoder takes pictures of any size and a picture is one tile; nil where tiles are squares.
    public let patches: (rows: Int, columns: Int)?
    /// Of what the tiles beside one another become, the rows and columns that show the picture: the rest is padding. Nil where the whole
    /// picture is not the first tile.
    public var shown: (rows: Int, columns: Int)?
  }

  private let processor: ImageProcessor
  private let grid: TileGrid

  /// A reader of pictures for `stack` of `plan`, as the files in `folder` say; nil `stack` is the model itself.
  ///
  /// Throws `FileProblem` where no file says how, and `ModelProblem` where the model takes no pictures.
  public init(_ plan: Plan, stack: Plan.PictureStack? = nil, folder: String) throws {
    grid = try TileGrid(plan, stack: stack)
    let read = try ImageProcessor(folder: folder)
    if stack?.lines != nil { try Self.check(read, folder: folder) }
    processor = try grid.takesAnySize && !grid.isMerged ? read.cutting(patches: grid.unit) : read
  }

  /// Refuses a processor that makes tiles of other resolutions than the model's own configuration names, for then nobody can say how
  /// they lie.
  static func check(_ processor: ImageProcessor, folder: String) throws {
    let key = "image_grid_pinpoints"
    let config = folder + "/config.json"
    guard let wanted = try? JSONValue(contentsOf: config, literals: true)[key], wanted != processor.settings[key] else {
      return
    }
    throw FileProblem(
      path: config, sentence: "'\(key)' is another here than in the file of the image processor, and both say how a picture is cut")
  }

  /// The pictures in `files`, which belong to one text.
  ///
  /// Throws `FileProblem` where one cannot be read, and `ModelProblem` where the model takes none of its size.
  public func read(_ files: [String]) throws -> [Tiles] {
    try processor.process(files: files).map { picture in
      if case .mergedPatches(let size, let merge, let frames) = picture.form {
        try grid.requireMerged(size: size, merge: merge, frames: frames)
        return Tiles(
          tiles: [picture.values], rows: picture.grid.rows / merge, columns: picture.grid.columns / merge,
          patches: (picture.grid.rows, picture.grid.columns))
      }
      guard picture.form == .tiles, picture.shape.count == 4, !grid.isMerged else {
        throw ModelProblem.picture(
          "the image processor cuts pictures otherwise than '\(grid.model)' takes them")
      }
      let shape = Array(picture.shape.dropFirst())
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
      if let patches = grid.sides(of: shape) {
        return Tiles(
          tiles: tiles, rows: patches.rows / grid.block, columns: patches.columns / grid.block, patches: patches)
      }
      var result = Tiles(tiles: tiles, rows: picture.grid.rows, columns: picture.grid.columns, patches: nil)
      if picture.overview == .first, let side = grid.side {
        let shown = picture.unpadded(side: side)
        result.shown = (shown.rows, shown.columns)
      }
      return result
    }
  }
}

/// How a tile becomes the rows that an encoder is given.
struct TileGrid {
  let model: String
  private let patches: PatchGrid
  /// The number of rows that a table of positions is for; nil where there is none.
  private let wanted: Int?
  /// Patches along a side of the blocks of which each becomes one row.
  let block: Int

  /// The rows of a tile for `stack` of `plan`, or for the model itself; throws `ModelProblem` where it takes no pictures.
  init(_ plan: Plan, stack: Plan.PictureStack?) throws(ModelProblem) {
    model = plan.name
    let axis = plan.axes[(stack?.axis ?? .tokens).index]
    guard let patches = axis.patches else {
      throw .picture("'\(plan.name)' reads no pictures: it has no stack of patches")
    }
    self.patches = patches
    wanted = stack == nil ? plan.longestSequence : axis.longest
    block = stack.map { plan.block(of: $0) } ?? 1
  }

  /// Rows along a side of what a tile becomes, where it is a square; nil where pictures of any size are taken.
  var side: Int? { wanted.map { Int(Double($0 - patches.rowsBefore).squareRoot()) / block } }

  /// Rows and columns of the patches of a tile of `shape`, where the model takes pictures of any size; nil elsewhere.
  func sides(of shape: [Int]) -> (rows: Int, columns: Int)? {
    guard takesAnySize else { return nil }
    return (shape[1] / patches.size, shape[2] / patches.size)
  }

  /// Whether pictures of any size are taken, of which nothing but patches is made.
  var takesAnySize: Bool { wanted == nil && patches.rowsBefore == 0 }
  /// Pixels along a side of the blocks of which each becomes one row.
  var unit: Int { patches.size * block }

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
    if takesAnySize {
      if across % block != 0 || down % block != 0 {
        throw .picture(
          "a picture of \(width)×\(height) pixels has \(across)×\(down) patches, which are no blocks of \(block)×\(block), as "
            + "'\(model)' takes them")
      }
    } else if across != down, wanted == nil {
      throw .picture(
        "a picture of \(width)×\(height) pixels has \(across)×\(down) patches, and '\(model)' takes squares")
    } else if let wanted, count != wanted || across != down {
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
