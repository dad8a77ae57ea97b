import Checkpoints
import Components
import Execution
import Files
import Images
import Kernels

/// The pictures of an `expected.safetensors`: `pixel_values` [tiles, channels, height, width], or [rows, tiles, channels, height, width]
/// with tiles of zeros where a row has fewer, or [rows, pictures, tiles, …] with the numbers of their canvases, `aspect_ratio_ids`, 0 for none;
/// or patches [pictures, patches, width], pixel after pixel, with the columns and rows at which they stand, `image_position_ids`, −1 for none.
struct VerifiedPictures {
  /// Each tile.
  private let tiles: [PictureReader.Tiles]
  /// Those of each text.
  private var ofTexts: [[PictureReader.Tiles]] = []
  private let encoder: PictureEncoder?
  private let pool: ThreadPool
  private let computeType: ComputeType
  private let plan: Plan
  private let rowsOfModel: Int

  /// The pictures of `file`; nil where `model` reads none.
  init?(_ model: LoadedModel, _ file: SafetensorsFile, pool: ThreadPool, computeType: ComputeType) throws {
    plan = model.description.plan
    let isOwn = plan.axes[RowAxis.tokens.index].patches != nil
    guard isOwn || !plan.pictureStacks.isEmpty else { return nil }
    encoder = isOwn ? nil : try PictureEncoder(model)
    (self.pool, self.computeType) = (pool, computeType)
    let grid = try TileGrid(plan, stack: encoder?.stack)
    func entry(_ name: String) -> StoredTensorEntry? { file.tensors.first { $0.name == name } }
    guard let entry = entry("pixel_values"), [2, 3, 4, 5, 6].contains(entry.shape.count), entry.format == .f32 else {
      throw FileProblem(
        path: file.file.path, sentence: "there is no tensor 'pixel_values' [tiles, channels, height, width] of F32")
    }
    let values = (0..<entry.elementCount).map { entry.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    var tiles: [PictureReader.Tiles] = []
    if entry.shape.count == 2 {
      // Patches of pictures of any size, whose grids are told: frames, rows, columns.
      guard grid.isMerged, let grids = try Self.grids(file) else {
        throw FileProblem(path: file.file.path, sentence: "'pixel_values' are patches of no known grid")
      }
      var start = 0
      for (rows, columns) in grids {
        let end = start + rows * columns * entry.shape[1]
        guard end <= values.count else { break }
        tiles.append(
          PictureReader.Tiles(tiles: [Array(values[start..<end])], rows: 1, columns: 1, patches: (rows, columns)))
        start = end
      }
    } else if entry.shape.count == 3 {
      tiles = try Self.placed(values, entry.shape, file, grid)
    } else if encoder?.stack.lines != nil, entry.shape.count == 5 {
      let folder = model.description.source.folder
      if let processor = try? ImageProcessor(folder: folder) { try PictureReader.check(processor, folder: folder) }
      tiles = try Self.pictures(values, entry.shape, file, grid)
    } else if entry.shape.count == 6 {
      guard grid.hasCanvas, let canvases = file.tensors.first(where: { $0.name == "aspect_ratio_ids" }) else {
        throw FileProblem(path: file.file.path, sentence: "'pixel_values' are tiles of no known canvas")
      }
      let shape = Array(entry.shape.suffix(3))
      let size = entry.shape.suffix(4).reduce(1, *)
      let numbers = try Verification.integers(canvases)
      for (picture, number) in numbers.enumerated() where number > 0 && (picture + 1) * size <= values.count {
        let counts = CanvasTiles(most: entry.shape[2], used: 0, multiple: 1)
        tiles.append(
          PictureReader.Tiles(
            tiles: [
              try grid.rows(
                ofTiles: values[picture * size..<(picture + 1) * size], count: counts.tiles(ofCanvas: number),
                shape: shape, canvas: number)
            ], rows: 1, columns: 1, canvas: number))
      }
    } else {
      let shape = Array(entry.shape.suffix(3))
      let size = shape.reduce(1, *)
      let sizes = try Self.sizes(file)
      for tile in 0..<entry.elementCount / max(1, size) {
        var (pixels, form) = (values[tile * size..<(tile + 1) * size], shape)
        if entry.shape.count == 5, pixels.allSatisfy({ $0 == 0 }) { continue }
        if let own = sizes?[tile], grid.takesAnySize { (pixels, form) = Self.cut(pixels, shape, to: own) }
        tiles.append(
          PictureReader.Tiles(
            tiles: [try grid.rows(of: pixels, shape: form)], rows: 1, columns: 1, patches: grid.sides(of: form)))
      }
    }
    self.tiles = tiles
    rowsOfModel = isOwn ? (tiles.first?.tiles[0].count ?? 0) / (plan.axes[0].inputWidth ?? 1) : 0
  }

  /// The rows of each picture's first tile.
  var rows: [[Float]] { tiles.map { $0.tiles[0] } }
  /// Where the model's own rows are pictures: no ids, of which the file has none.
  var ownIds: [Int]? { encoder == nil ? Array(repeating: 0, count: tiles.count * rowsOfModel) : nil }
  /// The shape of those: pictures and their rows.
  var ownShape: [Int]? { encoder == nil ? [tiles.count, rowsOfModel] : nil }
  /// How many rows are given to one text at most.
  var longest: Int {
    guard let encoder else { return rowsOfModel }
    // Those that stand in lines are more than tiles have, and those that a mark stands for are more than their places.
    return tiles.reduce(0) { sum, picture in
      sum + max((try? encoder.places(of: picture)) ?? 0, encoder.rows(of: [picture])[0] * picture.tiles.count)
    }
  }

  /// What each of `count` texts of `ids` is given: the tiles in order, as many as it has places for.
  mutating func given(_ ids: [Int], rows count: Int) throws -> [[RowAxis: AxisInput]] {
    guard let encoder else { return tiles.map { [.tokens: .rows($0.tiles[0])] } }
    let length = ids.count / max(1, count)
    var next = 0
    var given: [[RowAxis: AxisInput]] = []
    for row in 0..<count {
      var places = ids[row * length..<(row + 1) * length].count { $0 == encoder.token }
      let start = next
      while places > 0, next < tiles.count {
        places -= try encoder.places(of: tiles[next])
        next += 1
      }
      if places != 0 {
        throw ModelProblem.picture(
          "the places for rows of pictures in row \(row) are not those of the tiles that are left")
      }
      ofTexts.append(Array(tiles[start..<next]))
      let rows = try encoder.encode(ofTexts[row], pool: pool, computeType: computeType)
      given.append([encoder.stack.states.axis: .rows(rows)])
    }
    if next != tiles.count {
      throw ModelProblem.picture("the texts have places for \(next) tiles, and there are \(tiles.count)")
    }
    return given
  }

  /// A sequence of `executor` for `tokens`, which are all of the prompt, or all of the text up to `second`.
  func open(
    _ executor: PlanExecutor, _ tokens: [Int], ofText row: Int, length: Int, second: Int
  ) throws -> SequenceState {
    let together =
      plan.lets(.picture)
      ? encoder?.stack.placeholder.map { PicturePrompt.runs(of: $0, in: tokens) } ?? [] : []
    let prefix = plan.lets(.prompt) ? min(tokens.count, second) : 0
    var places = TextPlaces()
    if plan.readsPlaces, let encoder, let token = encoder.stack.placeholder {
      places = PicturePrompt.places(of: tokens, token: token, grids: ofTexts[row].compactMap(encoder.grid))
    }
    return try executor.openSequence(length: length, prefix: prefix, together: together, places: places)
  }

  /// Pictures of tiles, the whole picture first, of `shape` [pictures, tiles, channels, height, width]; `tile_grids` tells the rows and
  /// columns of the others, none of a picture that is one tile.
  private static func pictures(
    _ values: [Float], _ shape: [Int], _ file: SafetensorsFile, _ grid: TileGrid
  ) throws -> [PictureReader.Tiles] {
    guard let sizes = try sizes(file), let entry = file.tensors.first(where: { $0.name == "tile_grids" }),
      let side = grid.side
    else { throw FileProblem(path: file.file.path, sentence: "'pixel_values' are tiles of no known grid") }
    let grids = try Verification.integers(entry)
    let size = shape[2...].reduce(1, *)
    return try zip(sizes.indices, sizes).map { index, own in
      let (rows, columns) = (grids[2 * index], grids[2 * index + 1])
      let tiles = try (0...rows * columns).map { tile in
        let start = (index * shape[1] + tile) * size
        return try grid.rows(of: values[start..<start + size], shape: Array(shape.suffix(3)))
      }
      var picture = PictureReader.Tiles(tiles: tiles, rows: max(1, rows), columns: max(1, columns), patches: nil)
      if rows * columns > 0 {
        let shown = ProcessedPicture.unpadded(
          ImageGrid(rows: rows * side, columns: columns * side),
          showing: PictureSize(width: own.width, height: own.height))
        picture.shown = (shown.rows, shown.columns)
      }
      return picture
    }
  }

  /// Pictures whose patches, of `shape` [pictures, patches, width], stand where `image_position_ids` says.
  private static func placed(
    _ values: [Float], _ shape: [Int], _ file: SafetensorsFile, _ grid: TileGrid
  ) throws -> [PictureReader.Tiles] {
    guard grid.takesAnySize, !grid.isMerged, shape[2] == grid.width,
      let entry = file.tensors.first(where: { $0.name == "image_position_ids" })
    else { throw FileProblem(path: file.file.path, sentence: "'pixel_values' are patches of no known grid") }
    let places = try Verification.integers(entry)
    guard places.count == shape[0] * shape[1] * 2 else {
      throw FileProblem(path: file.file.path, sentence: "'image_position_ids' are not those of the patches")
    }
    return (0..<shape[0]).map { picture in
      let own = places[picture * 2 * shape[1]..<(picture + 1) * 2 * shape[1]]
      let count = own.count { $0 >= 0 } / 2
      let columns = 1 + (stride(from: own.startIndex, to: own.endIndex, by: 2).map { own[$0] }.max() ?? 0)
      let start = picture * shape[1] * shape[2]
      return PictureReader.Tiles(
        tiles: [grid.channelsFirst(values[start..<start + count * shape[2]])], rows: 1, columns: 1,
        patches: (count / max(1, columns), columns))
    }
  }

  /// The heights and widths of pictures that `image_sizes` tells; nil where there are none.
  private static func sizes(_ file: SafetensorsFile) throws -> [(height: Int, width: Int)]? {
    guard let entry = file.tensors.first(where: { $0.name == "image_sizes" }) else { return nil }
    let numbers = try Verification.integers(entry)
    return stride(from: 0, to: numbers.count - 1, by: 2).map { (numbers[$0], numbers[$0 + 1]) }
  }

  /// The upper left of `pixels`, of `shape` [channels, height, width], and its shape.
  private static func cut(
    _ pixels: ArraySlice<Float>, _ shape: [Int], to size: (height: Int, width: Int)
  ) -> (ArraySlice<Float>, [Int]) {
    var part: [Float] = []
    for line in 0..<shape[0] * shape[1] where line % shape[1] < size.height {
      let start = pixels.startIndex + line * shape[2]
      part += pixels[start..<start + min(size.width, shape[2])]
    }
    return (part[...], [shape[0], min(size.height, shape[1]), min(size.width, shape[2])])
  }

  /// The grids of pictures that `image_grid_thw` tells.
  private static func grids(_ file: SafetensorsFile) throws -> [(Int, Int)]? {
    guard let entry = file.tensors.first(where: { $0.name == "image_grid_thw" }) else { return nil }
    let numbers = try Verification.integers(entry)
    return stride(from: 0, to: numbers.count - 2, by: 3).map { (numbers[$0 + 1], numbers[$0 + 2]) }
  }
}
