import Components
import Kernels

/// Learned vectors of a square of positions, resampled to the rows and columns that a picture has, and added at the embedding.
///
///     y[t] = x[t] + Σ_a Σ_b w_a(row)·w_b(column)·W[a·side + b]        W: [side², width]
///     place = i·(side − 1) / (n − 1) with `ends`, (i + ½)·side / n − ½ with `centres`, for patch i of n
///
/// Dosovitskiy et al., 2020, https://arxiv.org/abs/2010.11929, whose tables are resampled for other sizes; per picture in Qwen3-VL
/// (`linear`, `ends`) and GLM-4.1V (`cubic`, `centres`; Keys, 1981, with a = −0.75). Weights are those of 2 or 4 neighbours in each direction, of which those
/// beyond the edge are the edge's. Patches stand row by row, or with `merge` in blocks; without columns they are one row, as long as the table's.
/// The careful reader's mistake: nothing is smoothed where a picture has fewer patches than the table positions.
///
/// Examples: `{side: 3}` `{side: 3, merge: 2, filter: cubic, place: centres}`
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

  public init(_ options: Options) {
    side = options.requiredInteger("side", in: 1...4096, "positions along a side of the table")
    merge = options.integer("merge", default: 1, in: 1...64, "patches along a side of the blocks in which they stand")
    filter = options.choice(
      "filter", default: Filter.linear, "of how many neighbours a vector is made: two or four a side")
    placing = options.choice(
      "place", default: Placing.ends, "whether the ends of picture and table coincide, or the centres of their cells")
  }

  public func embed(_ x: Value, into plan: inout PlanBuilder) -> Value {
    let table = plan.parameter("embed.positions.weight", shape: [side * side, x.width], starts: .normal(0.02))
    return plan.apply(
      AddGridRows(side: side, merge: merge, filter: filter, placing: placing), to: x, parameters: [table])
  }
}

/// Adds to the patches of a picture the resampled vectors of a square table.
struct AddGridRows: Kernel {
  let name = "add grid positions"
  let side: Int
  let merge: Int
  let filter: GridTable.Filter
  let placing: GridTable.Placing

  var attributes: [Attribute] {
    [
      Attribute("side", side), Attribute("merge", merge, plain: 1),
      Attribute("filter", filter.rawValue, plain: GridTable.Filter.linear.rawValue),
      Attribute("place", placing.rawValue, plain: GridTable.Placing.ends.rawValue),
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
    let unit = merge * merge
    let (block, inside) = ((sequence.start + row) / unit, (sequence.start + row) % unit)
    let hasColumns = sequence.columns > 0
    let across = hasColumns ? max(1, sequence.columns / merge) : Int.max
    let height = hasColumns ? (sequence.rows.count / unit + across - 1) / across * merge : merge
    let rows = along(block / across * merge + inside / merge, of: height)
    let columns = along(block % across * merge + inside % merge, of: hasColumns ? across * merge : side)
    return rows.flatMap { a in
      columns.map { Neighbour(row: a.row * side + $0.row, weight: a.weight * $0.weight) }
    }
  }

  /// The neighbours of place `index` of `count` along one side, with weights as the reference computes them, in `Float`.
  private func along(_ index: Int, of count: Int) -> [Neighbour] {
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

  private func weight(at distance: Float) -> Float {
    switch filter {
    case .linear: return max(0, 1 - distance)
    case .cubic:
      let a: Float = -0.75
      if distance <= 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
      return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    }
  }

  func scratch(step: Step, rows: Int, context: Int) -> Int { step.outputs[0].width }

  func flops(step: Step, context: Int) -> Int {
    let neighbours = filter == .linear ? 4 : 16
    return 2 * neighbours * step.outputs[0].width
  }
}
