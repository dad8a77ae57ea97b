import Components
import Execution
import Kernels
import Models

/// What a text is given of the pictures in it, before it is continued.
public struct ShownPictures: Sendable {
  private let beside: [RowAxis: AxisInput]
  private let places: TextPlaces
  private let together: [Range<Int>]

  /// Encodes `pictures` on `pool`, whose places are in `ids`, a text of the model of `plan`.
  ///
  /// Throws `ModelProblem` where `ids` have other places than the pictures have rows, and where the encoder computes no numbers.
  public init(
    _ pictures: [PictureReader.Tiles], in ids: [Int], of plan: Plan, _ encoder: PictureEncoder, pool: ThreadPool,
    computeType: ComputeType
  ) throws {
    let token = encoder.token ?? -1
    try PicturePrompt.check(ids, token: token, rows: try pictures.map(encoder.places).reduce(0, +))
    beside = [encoder.stack.states.axis: .rows(try encoder.encode(pictures, pool: pool, computeType: computeType))]
    places =
      plan.readsPlaces
      ? PicturePrompt.places(of: ids, token: token, grids: pictures.compactMap(encoder.grid)) : TextPlaces()
    together = plan.lets(.picture) ? PicturePrompt.runs(of: token, in: ids) : []
  }

  /// Gives `settings` what is shown.
  public func show(to settings: inout TextGenerator.Settings) {
    (settings.beside, settings.places, settings.together) = (beside, places, together)
  }
}
