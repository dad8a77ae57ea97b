import Checkpoints
import Components
import Execution
import Files
import Kernels

/// The pictures of an `expected.safetensors`: `pixel_values` [tiles, channels, height, width], or [rows, tiles, channels, height, width]
/// with tiles of zeros where a row has fewer, or [rows, pictures, tiles, …] with the numbers of their canvases, `aspect_ratio_ids`, 0 for none.
struct VerifiedPictures {
  /// Each tile.
  private let tiles: [PictureReader.Tiles]
  /// Those of each text.
  private var ofTexts: [[PictureReader.Tiles]] = []
  private let encoder: PictureEncoder?
  private let plan: Plan
  private let rowsOfModel: Int

  /// The pictures of `file`; nil where `model` reads none.
  init?(_ model: LoadedModel, _ file: SafetensorsFile, pool: ThreadPool, computeType: ComputeType) throws {
    plan = model.description.plan
    let isOwn = plan.axes[RowAxis.tokens.index].patches != nil
    guard isOwn || !plan.pictureStacks.isEmpty else { return nil }
    encoder = isOwn ? nil : try PictureEncoder(model, pool: pool, computeType: computeType)
    let grid = try TileGrid(plan, stack: encoder?.stack)
    func entry(_ name: String) -> StoredTensorEntry? { file.tensors.first { $0.name == name } }
    guard let entry = entry("pixel_values"), [2, 4, 5, 6].contains(entry.shape.count), entry.format == .f32 else {
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
      for tile in 0..<entry.elementCount / max(1, size) {
        let pixels = values[tile * size..<(tile + 1) * size]
        if entry.shape.count == 5, pixels.allSatisfy({ $0 == 0 }) { continue }
        tiles.append(
          PictureReader.Tiles(tiles: [try grid.rows(of: pixels, shape: shape)], rows: 1, columns: 1))
      }
    }
    self.tiles = tiles
    rowsOfModel = isOwn ? (tiles.first?.tiles[0].count ?? 0) / (plan.axes[0].inputWidth ?? 1) : 0
  }

  /// Where the model's own rows are pictures: no ids, of which the file has none.
  var ownIds: [Int]? { encoder == nil ? Array(repeating: 0, count: tiles.count * rowsOfModel) : nil }
  /// The shape of those: pictures and their rows.
  var ownShape: [Int]? { encoder == nil ? [tiles.count, rowsOfModel] : nil }
  /// How many rows are given to one text at most.
  var longest: Int { encoder.map { $0.rows(of: tiles).reduce(0, +) } ?? rowsOfModel }

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
        places -= encoder.tokens(of: [tiles[next]])[0]
        next += 1
      }
      if places != 0 {
        throw ModelProblem.picture(
          "the places for rows of pictures in row \(row) are not those of the tiles that are left")
      }
      ofTexts.append(Array(tiles[start..<next]))
      given.append([encoder.stack.states.axis: .rows(try encoder.encode(ofTexts[row]))])
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

  /// The grids of pictures that `image_grid_thw` tells.
  private static func grids(_ file: SafetensorsFile) throws -> [(Int, Int)]? {
    guard let entry = file.tensors.first(where: { $0.name == "image_grid_thw" }) else { return nil }
    let numbers = try Verification.integers(entry)
    return stride(from: 0, to: numbers.count - 2, by: 3).map { (numbers[$0 + 1], numbers[$0 + 2]) }
  }
}
