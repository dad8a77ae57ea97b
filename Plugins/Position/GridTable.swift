import Components
import Kernels

/// Learned vectors of a square of positions, resampled to the rows and columns that a picture has, and added at the embedding.
///
///     y[t] = x[t] + Σ_a Σ_b w_a(row)·w_b(column)·W[a·side + b]        W: [side², width]
///     place = i·(side − 1) / (n − 1) with `ends`, (i + ½)·side / n − ½ with `centres`, for patch i of n
///
/// Dosovitskiy et al., 2020, https://arxiv.org/abs/2010.11929, whose tables are resampled for other sizes; per picture in Qwen3-VL
/// (`linear`, `ends`), in GLM-4.1V and DINOv2 (`cubic`, `centres`; Keys, 1981, with a = −0.75). Weights are those of 2 or 4 neighbours in each direction, of which those
/// beyond the edge are the edge's. Patches stand row by row, or with `merge` in blocks; without columns they are one row, as long as the table's.
/// The first `before` rows of the table are those of as many rows that stand before the patches, as a class row does; rows before these
/// patches that are more than so many, as registers are, have no position.
/// The careful reader's mistake: nothing is smoothed where a picture has fewer patches than the table positions, unless `smooth` says so
/// (cubic, with a = −0.5, over as many more neighbours, as DINOv2 with registers has it).
///
/// Examples: `{side: 3}` `{side: 3, merge: 2, filter: cubic, place: centres}` `{side: 5, filter: cubic, place: centres, before: 1}`
/// `{side: 5, filter: cubic, place: centres, smooth: true}`
///
/// Known as: interpolated_position_embedding, interpolate_pos_encoding `position: {type: grid_table, side: 48}`
public struct GridTable: PositionEncoding {
  public static let name = "grid_table"
  public let actsAtEmbedding = true

  enum Filter: String, CaseIterable { case linear, cubic }
  enum Placing: String, CaseIterable { case ends, centres }

  let side: Int
  let merge: Int
  let filter: Filter
  let placing: Placing
  let before: Int
  let smooth: Bool

  public init(_ options: Options) {
    side = options.requiredInteger("side", in: 1...4096, "positions along a side of the table")
    merge = options.integer("merge", default: 1, in: 1...64, "patches along a side of the blocks in which they stand")
    filter = options.choice(
      "filter", default: Filter.linear, "of how many neighbours a vector is made: two or four a side")
    placing = options.choice(
      "place", default: Placing.ends, "whether the ends of picture and table coincide, or the centres of their cells")
    before = options.integer(
      "before", default: 0, in: 0...64, "rows before the patches that have a position of their own")
    smooth =
      filter == .cubic && placing == .centres
      && options.flag("smooth", default: false, "whether more positions than patches are smoothed")
  }

  public func embed(_ x: Value, into plan: inout PlanBuilder) -> Value {
    let table = plan.parameter("embed.positions.weight", shape: [before + side * side, x.width], starts: .normal(0.02))
    let unplaced = max(0, (plan.patches?.rowsBefore ?? before) - before)
    return plan.apply(
      AddGridRows(
        side: side, merge: merge, filter: filter, placing: placing, before: before, unplaced: unplaced, smooth: smooth),
      to: x, parameters: [table])
  }
}

/// Adds to the patches of a picture the resampled vectors of a square table.
struct AddGridRows: Kernel {
  let name = "add grid positions"
  let side: Int
  let merge: Int
  let filter: GridTable.Filter
  let placing: GridTable.Placing
  let before: Int
  let unplaced: Int
  let smooth: Bool

  var attributes: [Attribute] {
    [
      Attribute("side", side), Attribute("merge", merge, plain: 1),
      Attribute("filter", filter.rawValue, plain: GridTable.Filter.linear.rawValue),
      Attribute("place", placing.rawValue, plain: GridTable.Placing.ends.rawValue),
      Attribute("before", before, plain: 0), Attribute("unplaced", unplaced, plain: 0),
      Attribute("smooth", smooth, plain: false),
    ]
  }
  var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

  /// A row of the table and what it counts.
  private struct Neighbour {
    let row: Int
    let weight: Float
  }

  func forward(_ context: ForwardContext) {
    let table = context.parameter().matrix
    let (x, y) = (context.input(), context.output())
    for sequence in context.sequences {
      let first = sequence.rows.lowerBound
      context.parallel(sequence.rows.count, grain: elementwiseGrain(16 * x.width)) { rows, worker in
        let vector = worker.scratch
        for row in rows {
          let (xs, ys) = (x[first + row], y[first + row])
          if xs != UnsafePointer(ys) { ys.update(from: xs, count: x.width) }
          for neighbour in neighbours(of: row, in: sequence) {
            widen(table.format, table.base + neighbour.row * table.rowBytes, count: x.width, into: vector)
            add(vector, scaledBy: neighbour.weight, to: ys, count: x.width)
          }
        }
      }
    }
  }

  /// `dx += dy`, `dW[a·side + b] += w_a·w_b·dy`.
  func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    if let dx = context.inputGradient() { add(dy.base, scaledBy: 1, to: dx.base, count: dy.count * dy.width) }
    guard let dw = context.parameterGradient() else { return }
    for sequence in context.sequences {
      for row in sequence.rows {
        for neighbour in neighbours(of: row - sequence.rows.lowerBound, in: sequence) {
          add(dy[row], scaledBy: neighbour.weight, to: dw + neighbour.row * dy.width, count: dy.width)
        }
      }
    }
  }

  /// The rows of the table that the row `row` of `sequence` is made of.
  private func neighbours(of row: Int, in sequence: SequenceSpan) -> [Neighbour] {
    if sequence.start + row < before { return [Neighbour(row: sequence.start + row, weight: 1)] }
    let patch = sequence.start + row - before - unplaced
    if patch < 0 { return [] }
    let unit = merge * merge
    let (block, inside) = (patch / unit, patch % unit)
    let hasColumns = sequence.columns > 0
    let across = hasColumns ? max(1, sequence.columns / merge) : Int.max
    let blocks = (sequence.rows.count - before - unplaced) / unit
    let height = hasColumns ? (blocks + across - 1) / across * merge : merge
    let rows = along(block / across * merge + inside / merge, of: height)
    let columns = along(block % across * merge + inside % merge, of: hasColumns ? across * merge : side)
    return rows.flatMap { a in
      columns.map { Neighbour(row: before + a.row * side + $0.row, weight: a.weight * $0.weight) }
    }
  }

  /// The neighbours of place `index` of `count` along one side, with weights as the reference computes them, in `Float`.
  private func along(_ index: Int, of count: Int) -> [Neighbour] {
    let count = max(1, count)
    if smooth { return smoothed(index, of: count) }
    let place: Float =
      switch placing {
      case .ends: Float(index) * Float(side - 1) / Float(max(1, count - 1))
      case .centres: (Float(index) + 0.5) * Float(side) / Float(count) - 0.5
      }
    let before = place.rounded(.down)
    return (filter == .linear ? 0...1 : -1...2).map { offset in
      let distance = abs(place - before - Float(offset))
      return Neighbour(row: min(max(Int(before) + offset, 0), side - 1), weight: weight(at: distance))
    }
  }

  /// The neighbours within twice the distance of two patches, of which none is beyond the edge; their weights are 1 together.
  private func smoothed(_ index: Int, of count: Int) -> [Neighbour] {
    let scale = Float(side) / Float(count)
    let (centre, width) = (scale * (Float(index) + 0.5), max(scale, 1))
    // Rows whose columns are not told may be more than the table has.
    let first = min(max(Int(centre - 2 * width + 0.5), 0), side - 1)
    let places = first..<max(first + 1, min(Int(centre + 2 * width + 0.5), side))
    let weights = places.map { weight(at: abs((Float($0) - centre + 0.5) / width)) }
    let sum = weights.reduce(0, +)
    if sum == 0 { return [Neighbour(row: side - 1, weight: 1)] }
    return zip(places, weights).map { Neighbour(row: $0, weight: $1 / sum) }
  }

  private func weight(at distance: Float) -> Float {
    switch filter {
    case .linear: return max(0, 1 - distance)
    case .cubic:
      let a: Float = smooth ? -0.5 : -0.75
      if distance >= 2 { return 0 }
      if distance <= 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
      return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    }
  }

  /// Of square pictures, whose patches stand row by row.
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard merge == 1 else { return nil }
    call.imports("math")
    let mode =
      switch (filter, placing) {
      case (.linear, .ends): "mode=\"bilinear\", align_corners=True"
      case (.linear, .centres): "mode=\"bilinear\", align_corners=False"
      case (.cubic, .ends): "mode=\"bicubic\", align_corners=True"
      case (.cubic, .centres): "mode=\"bicubic\", align_corners=False\(smooth ? ", antialias=True" : "")"
      }
    let none = unplaced == 0 ? "" : "\n    none = rows.new_zeros(\(unplaced), rows.size(1))"
    let parts =
      before == 0 && unplaced == 0
      ? "rows" : "torch.cat([\(before == 0 ? "" : "table[:\(before)], ")\(unplaced == 0 ? "" : "none, ")rows])"
    call.define(
      "grid_positions",
      """
      def grid_positions(table, count, side):
          \"""The vectors of a square of positions, resampled to a square picture of `count` rows\(before + unplaced == 0 ? "" : ",\n    of which \(before + unplaced) stand before its patches").\"""
          size = math.isqrt(count\(before + unplaced == 0 ? "" : " - \(before + unplaced)"))
          grid = table[\(before == 0 ? "" : "\(before)"):].view(1, side, side, -1).permute(0, 3, 1, 2)
          grid = F.interpolate(grid, size=(size, size), \(mode))
          rows = grid[0].flatten(1).T\(none)
          return \(parts)
      """)
    call.readsVariables("x")
    let x = call.input()
    let rows: PyTorchExpression = .call(
      "grid_positions", [call.parameter(), x.method("size", "1"), PyTorchExpression(side)])
    return x + rows
  }

  func scratch(step: Step, rows: Int, context: Int) -> Int { step.outputs[0].width }

  func flops(step: Step, context: Int) -> Int {
    let neighbours = filter == .linear ? 4 : 16
    return 2 * neighbours * step.outputs[0].width
  }
}
