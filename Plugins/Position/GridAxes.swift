import Components
import Kernels

/// A learned vector for every row of a picture's patches and one for every column, both added at the embedding.
///
///     y[t] = x[t] + C[column(t)] + R[row(t)]        C, R: [side, width]
///
/// Gemma Team, 2026 (Gemma 4); factorized positions: Dehghani et al., 2023 (NaViT), https://arxiv.org/abs/2307.06304.
/// Patches stand row by row; a sequence of which no columns are known is one row. Rows and columns beyond the tables have the last vector.
///
/// Examples: `{side: 16}` `{side: 3}`
///
/// Known as: factorized_position_embedding, position_embedding_table `position: {type: grid_axes, side: 10240}`
public struct GridAxes: PositionEncoding {
  public static let name = "grid_axes"
  public let actsAtEmbedding = true

  let side: Int

  public init(_ options: Options) {
    side = options.requiredInteger("side", in: 1...(1 << 20), "how many rows, and how many columns, have a vector")
  }

  public func embed(_ x: Value, into plan: inout PlanBuilder) -> Value {
    // 0 of columns, 1 of rows.
    let tables = (0...1).map {
      plan.parameter("embed.positions.\($0).weight", shape: [side, x.width], starts: .normal(0.02))
    }
    return plan.apply(AddAxes(side: side, before: plan.patches?.rowsBefore ?? 0), to: x, parameters: tables)
  }

  /// Adds the vectors of a patch's column and row.
  struct AddAxes: Kernel {
    let name = "add grid axes"
    let side: Int
    /// Rows before the patches, which have no position.
    let before: Int

    var attributes: [Attribute] { [Attribute("side", side), Attribute("before", before, plain: 0)] }
    var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let tables = [context.parameter(0).matrix, context.parameter(1).matrix]
      let (x, y) = (context.input(), context.output())
      if x.base != UnsafePointer(y.base) { y.base.update(from: x.base, count: x.count * x.width) }
      forEachPatch(of: context.sequences) { row, places in
        for (table, place) in zip(tables, [places.column, places.row]) {
          widen(table.format, table.base + place * table.rowBytes, count: x.width, into: context.pass.scratch)
          add(context.pass.scratch, scaledBy: 1, to: y[row], count: x.width)
        }
      }
    }

    /// `dx += dy`, `dC[column] += dy`, `dR[row] += dy`.
    func backward(_ context: BackwardContext) {
      let dy = context.outputGradient()
      if let dx = context.inputGradient() { add(dy.base, scaledBy: 1, to: dx.base, count: dy.count * dy.width) }
      let (columns, rows) = (context.parameterGradient(0), context.parameterGradient(1))
      forEachPatch(of: context.sequences) { row, places in
        if let columns { add(dy[row], scaledBy: 1, to: columns + places.column * dy.width, count: dy.width) }
        if let rows { add(dy[row], scaledBy: 1, to: rows + places.row * dy.width, count: dy.width) }
      }
    }

    private func forEachPatch(
      of sequences: UnsafeBufferPointer<SequenceSpan>, _ body: (_ row: Int, _ places: (row: Int, column: Int)) -> Void
    ) {
      for sequence in sequences {
        let across = sequence.columns > 0 ? sequence.columns : Int.max
        for row in sequence.rows {
          let patch = sequence.start + row - sequence.rows.lowerBound - before
          if patch >= 0 { body(row, (min(patch / across, side - 1), min(patch % across, side - 1))) }
        }
      }
    }

    func scratch(step: Step, rows: Int, context: Int) -> Int { step.outputs[0].width }

    func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
  }
}
