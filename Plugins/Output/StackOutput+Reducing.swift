import Components
import Kernels

/// Rows of a picture in blocks: the mean of a block's rows, or all of them as one wider row.
///
///     y[i] = Σ x[b] / w²   or   y[i] = (x[b₁], x[b₂], …)   over the w² rows b of block i, row by row
///
/// With `byChannel` the joined row has the first number of each row, then the second of each, as a convolution reads them.
/// The first `dropping` rows of a sequence are no part of the picture, which is a square where its columns are not known. Rows that
/// complete no block are left out.
struct ReduceRows: Kernel {
  let name = "reduce rows"
  let axis: RowAxis
  let dropping: Int
  let window: Int
  let joins: Bool
  let isInBlocks: Bool
  var byChannel = false

  var attributes: [Attribute] {
    [
      Attribute("axis", axis.index), Attribute("dropping", dropping, plain: 0),
      Attribute("window", window, plain: 1), Attribute("joins", joins, plain: false),
      Attribute("in_blocks", isInBlocks, plain: false), Attribute("by_channel", byChannel, plain: false),
    ]
  }
  var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    inputs.prefix(1).map { ValueShape(width: joins ? $0.width * window * window : $0.width, axis: axis) }
  }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    y.base.update(repeating: 0, count: y.count * y.width)
    forEach(context.batch(ofInput: 0), context.batch) { row, source, place in
      if joins, byChannel {
        for i in 0..<x.width { y[row][i * window * window + place] = x[source][i] }
      } else if joins {
        (y[row] + place * x.width).update(from: x[source], count: x.width)
      } else {
        add(x[source], scaledBy: share, to: y[row], count: x.width)
      }
    }
  }

  /// `dx[b] += dy[i] / w²`, or that part of `dy[i]` in which `x[b]` stands.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    forEach(context.batch(ofInput: 0), context.batch) { row, source, place in
      if joins, byChannel {
        for i in 0..<dx.width { dx[source][i] += dy[row][i * window * window + place] }
        return
      }
      add(
        joins ? dy[row] + place * dx.width : dy[row], scaledBy: joins ? 1 : share, to: dx[source], count: dx.width)
    }
  }

  private var share: Float { 1 / Float(window * window) }

  /// For each row of a block the row that it becomes part of, the row itself, and its place in the block.
  private func forEach(_ given: AxisBatch, _ made: AxisBatch, _ body: (_ row: Int, _ source: Int, _ place: Int) -> Void)
  {
    for (from, to) in zip(given.sequences, made.sequences) {
      let count = max(0, from.rows.count - dropping)
      if window == 1 || isInBlocks {
        let size = window * window
        for index in 0..<min(count / size, to.rows.count) {
          for place in 0..<size {
            body(to.rows.lowerBound + index, from.rows.lowerBound + dropping + index * size + place, place)
          }
        }
        continue
      }
      let columns = from.columns > 0 ? from.columns : Int(Double(count).squareRoot())
      let (down, across) = (count / max(1, columns) / window, columns / window)
      for index in 0..<min(down * across, to.rows.count) {
        let corner = index / across * window * columns + index % across * window
        for place in 0..<window * window {
          let source = corner + place / window * columns + place % window
          body(to.rows.lowerBound + index, from.rows.lowerBound + dropping + source, place)
        }
      }
    }
  }

  /// Of square pictures, unless rows stand in their blocks already.
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let x = dropping == 0 ? call.input() : call.input().at(":, \(dropping):")
    if window == 1 { return x }
    let size = PyTorchExpression(window)
    if isInBlocks {
      call.define(
        "blocks",
        """
        def blocks(x, window):
            \"""The rows of pictures in blocks of window²: [batch, blocks, window², width].\"""
            return x.unflatten(1, (-1, window * window))
        """)
    } else {
      call.imports("math")
      call.define(
        "blocks",
        """
        def blocks(x, window):
            \"""The rows of square pictures in blocks of window²: [batch, blocks, window², width].\"""
            side = math.isqrt(x.size(1))
            count = side // window
            x = x.unflatten(1, (side, side))[:, : count * window, : count * window]
            x = x.unflatten(2, (count, window)).unflatten(1, (count, window))
            return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)
        """)
    }
    let blocks = PyTorchExpression.call("blocks", [x, size])
    if !joins { return blocks.method("mean", named: [("dim", "2")]) }
    return (byChannel ? blocks.method("transpose", "2", "3") : blocks).method("flatten", "2")
  }

  func flops(step: Step, context: Int) -> Int { joins ? 0 : window * window * step.outputs[0].width }
}

/// A row less learned numbers, times others.
///
///     y = (x − b) ⊙ w        b, w: [width]
struct Standardize: Kernel {
  let name = "standardize"

  var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    let (b, w) = (context.parameter(0).vector, context.parameter(1).vector)
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        for i in 0..<y.width { y[row][i] = (x[row][i] - b[i]) * w[i] }
      }
    }
  }

  /// `dx += w ⊙ dy`, `db −= w ⊙ Σ dy`, `dw += Σ (x − b) ⊙ dy`.
  func backward(_ context: BackwardContext) {
    let (x, dy, dx) = (context.input(), context.outputGradient(), context.inputGradient())
    let (b, w) = (context.parameter(0).vector, context.parameter(1).vector)
    let (db, dw) = (context.parameterGradient(0), context.parameterGradient(1))
    for row in 0..<dy.count {
      for i in 0..<dy.width {
        let slope = dy[row][i]
        if let dx { dx[row][i] += w[i] * slope }
        if let db { db[i] -= w[i] * slope }
        if let dw { dw[i] += (x[row][i] - b[i]) * slope }
      }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    (call.input() - call.parameter(0)) * call.parameter(1)
  }

  func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
}
