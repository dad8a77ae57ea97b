import Components
import Execution
import Kernels

/// Computes what a stack gives of pictures, one tile at a time, before the text that has them.
public struct PictureEncoder: Sendable {
  /// The stack.
  public let stack: Plan.PictureStack
  private let model: LoadedModel

  /// An encoder of the only stack of `model` that is given pictures; throws `ModelProblem` where there is none, or several.
  public init(_ model: LoadedModel) throws(ModelProblem) {
    let plan = model.description.plan
    let stacks = plan.pictureStacks
    guard stacks.count == 1 else {
      throw ModelProblem.picture(
        stacks.isEmpty
          ? "'\(plan.name)' reads no pictures: it has no stack of patches"
          : "'\(plan.name)' has several stacks that are given pictures, and it cannot be said which a picture is for")
    }
    stack = stacks[0]
    self.model = model
  }

  /// How many rows the given rows of a tile become.
  public func rows(of tile: [Float]) -> Int {
    model.description.plan.rows(on: stack.states.axis, of: tile.count / stack.patches.width)
  }

  /// How many rows the tiles of each of `pictures` become.
  public func rows(of pictures: [PictureReader.Tiles]) -> [Int] { pictures.map { $0.tiles.first.map(rows) ?? 0 } }

  /// The token that stands in a text for rows of pictures, for each one or for all of a picture; nil where none does.
  public var token: Int? { stack.token }

  /// How many such tokens stand for a tile of each of `pictures`.
  public func tokens(of pictures: [PictureReader.Tiles]) -> [Int] {
    stack.mark == nil ? rows(of: pictures) : pictures.map { _ in 1 }
  }

  /// How many such tokens stand for `picture`; throws `ModelProblem` where its tiles cannot be laid together.
  public func places(of picture: PictureReader.Tiles) throws(ModelProblem) -> Int {
    let count = tokens(of: [picture])[0]
    guard let lines = stack.lines else { return picture.tiles.count * count }
    return try LaidTiles(picture, rows: count, lines).count
  }

  /// Rows and columns of what `picture` becomes, where pictures of any size are taken; nil elsewhere.
  public func grid(of picture: PictureReader.Tiles) -> (rows: Int, columns: Int)? {
    let block = model.description.plan.block(of: stack)
    return picture.patches.map { ($0.rows / block, $0.columns / block) }
  }

  /// The rows of `pictures`, one after the other, computed on `pool`. Throws `ModelProblem` where they are no numbers.
  public func encode(
    _ pictures: [PictureReader.Tiles], pool: ThreadPool, computeType: ComputeType
  ) throws -> [Float] {
    let longest = pictures.lazy.flatMap(\.tiles).map(\.count).max() ?? 0
    let executor = try PlanExecutor(
      model.description.plan.encoder(of: stack), model.parameters, pool: pool,
      maximumRows: longest / stack.patches.width, states: .f32, fusing: true, computeType: computeType)
    var result: [Float] = []
    for picture in pictures {
      var rows: [Float] = []
      for tile in picture.tiles {
        rows += try executor.encode([stack.axis: picture.input(tile)])
      }
      if rows.contains(where: \.isNaN) {
        throw ModelProblem.picture("the encoder of pictures computes NaN; are the weights damaged?")
      }
      if let lines = stack.lines, let first = picture.tiles.first {
        let laid = try LaidTiles(picture, rows: self.rows(of: first), lines)
        rows = laid.laid(rows, width: stack.states.width)
      }
      result += rows
    }
    return result
  }
}

extension Plan {
  /// The plan that is given what its stacks make of pictures; itself where it has no such stack.
  public var withPicturesGiven: Plan {
    if otherAxes.isEmpty { return self }
    let stacks = pictureStacks
    return stacks.isEmpty ? self : given(stacks) { InputRows(axis: $0, width: $1) }
  }
}
