import Checkpoints
import Components
import Execution
import Files
import Images

/// Reads pictures as a model's encoder takes them: rows of patches, as the model's spec or the files beside its weights say.
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
    /// The number of the canvas on which the tiles lie, where all of them are encoded together, as one; nil elsewhere.
    public let canvas: Int?
    /// Of what the tiles beside one another become, the rows and columns that show the picture: the rest is padding. Nil where the whole
    /// picture is not the first tile.
    public var shown: (rows: Int, columns: Int)?

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
    try self.init(plan, stack: stack, images: nil, folder: folder)
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
      path: config,
      sentence: "'\(key)' is another here than in the file of the image processor, and both say how a picture is cut")
  }

  /// A reader of pictures for `stack` of `described`, as its `images.processor` says, else as the files beside its weights do.
  ///
  /// Throws what is wrong with either, and `ModelProblem` where the model takes no pictures.
  public init(_ described: ModelDescription, stack: Plan.PictureStack? = nil) throws {
    try self.init(
      described.plan, stack: stack, images: described.architecture.images, folder: described.source.folder)
  }

  /// A reader of pictures for `stack` of `plan`, as `images`, the spec's group, says, else as the files in `folder` do.
  public init(_ plan: Plan, stack: Plan.PictureStack?, images: Setting?, folder: String) throws {
    grid = try TileGrid(plan, stack: stack)
    let read: ImageProcessor
    if let written = images?[Self.key], !written.isNull {
      read = try Self.processor(written)
    } else {
      read = try ImageProcessor(folder: folder)
      if stack?.lines != nil { try Self.check(read, folder: folder) }
    }
    processor = try grid.takesAnySize && !grid.isMerged ? read.cutting(patches: grid.unit) : read
  }

  /// The files beside a model's weights that may say how its pictures are read.
  public static let files = ["processor_config.json", "preprocessor_config.json"]

  private static let key = "processor"

  /// The processor that a spec's group says: a layout, and the settings that it reads.
  private static func processor(_ written: Setting) throws -> ImageProcessor {
    guard let entries = written.entries, let layout = written["layout"]?.text else {
      throw Problems([
        Problem(
          "'\(key)' takes a group with a 'layout' and its settings, not \(written.kindInWords)", at: written.place,
          hint: "processor: {layout: resize, do_resize: true, size: {height: 64, width: 64}, …}")
      ])
    }
    let known = try ImageProcessor.keys(ofLayout: layout).sorted()
    var problems = Problems()
    var settings = JSONObject()
    for entry in entries where entry.key != "layout" {
      if !known.isEmpty, !known.contains(entry.key) {
        problems.add(
          Problem(
            "'\(entry.key)' is no setting of the layout '\(layout)'", at: entry.place,
            hint: nearestName(to: entry.key, in: known).map { "did you mean '\($0)'?" }
              ?? "its settings are \(known.joined(separator: ", "))"))
      }
      settings[entry.key] = JSONValue(entry.value)
    }
    try problems.check()
    do {
      return try ImageProcessor(layout: layout, settings: settings, name: "images.\(key)")
    } catch {
      throw Problems([Problem(error.sentence, at: written.place)])
    }
  }

  /// The pictures in `files`, which belong to one text.
  ///
  /// Throws `FileProblem` where one cannot be read, and `ModelProblem` where the model takes none of its size.
  public func read(_ files: [String]) throws -> [Tiles] { try tiles(of: processor.process(files: files)) }

  /// The pictures that came as the bytes of `files`; throws as above, and numbers them from 1.
  public func read(bytes files: [[UInt8]], limit: Int) throws -> [Tiles] {
    try tiles(of: processor.process(bytes: files, limit: limit))
  }

  private func tiles(of pictures: [ProcessedPicture]) throws -> [Tiles] {
    try pictures.map { picture in
      if case .mergedPatches(let size, let merge, let frames) = picture.form {
        try grid.requireMerged(size: size, merge: merge, frames: frames)
        return Tiles(
          tiles: [picture.values], rows: picture.grid.rows / merge, columns: picture.grid.columns / merge,
          patches: (picture.grid.rows, picture.grid.columns))
      }
      if case .patches(let size) = picture.form {
        try grid.requirePatches(size: size, picture.grid.rows, picture.grid.columns)
        return Tiles(
          tiles: [grid.channelsFirst(picture.values[...])], rows: picture.grid.rows / grid.block,
          columns: picture.grid.columns / grid.block, patches: (picture.grid.rows, picture.grid.columns))
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
    wanted = patches.tiles?.used ?? (stack == nil ? plan.longestSequence : axis.longest)
    block = stack.map { plan.block(of: $0) } ?? 1
  }

  /// Numbers of a patch.
  var width: Int { patches.width }

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

  /// Throws `ModelProblem` where `rows`×`columns` patches of `size` pixels are not those that the model takes.
  func requirePatches(size: Int, _ rows: Int, _ columns: Int) throws(ModelProblem) {
    guard patches.size == size, patches.channels == 3, patches.frames == 1, takesAnySize, !isMerged else {
      throw .picture("the image processor makes patches of \(size) pixels, and '\(model)' takes other ones")
    }
    if rows % block != 0 || columns % block != 0 {
      throw .picture(
        "a picture has \(columns)×\(rows) patches, which are no blocks of \(block)×\(block), as '\(model)' takes them")
    }
  }

  /// The numbers of patches `values`, which are pixel after pixel, channel after channel.
  func channelsFirst(_ values: ArraySlice<Float>) -> [Float] {
    let (channels, pixels) = (patches.channels, patches.size * patches.size)
    return stride(from: values.startIndex, to: values.endIndex, by: patches.width).flatMap { start in
      (0..<patches.width).map { values[start + $0 % pixels * channels + $0 / pixels] }
    }
  }

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
