import Components
import Essentials
import Kernels

/// One row for each wanted row of the text: of the rows that its text has, or that stand beside this on another axis, the first, the
/// last, or the mean.
///
///     y[i] = x[first],   x[last]   or   Σ x[t] / T  over the T rows that belong to the text of output row i
struct PooledRows: Kernel {
  enum Pool: String, CaseIterable, Sendable { case first, last, mean }

  let name = "pooled rows"
  let pool: Pool

  var attributes: [Attribute] { [Attribute("pool", pool.rawValue)] }
  var lengthUse: LengthUse { .whole }
  var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }

  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    inputs.prefix(1).map { ValueShape(width: $0.width, axis: .outputs) }
  }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    for index in 0..<y.count {
      y[index].update(repeating: 0, count: x.width)
      let rows = rows(of: index, context)
      for row in rows { add(x[row], scaledBy: 1 / Float(rows.count), to: y[index], count: x.width) }
    }
  }

  /// `dx[t] += dy[i]`, or `dy[i] / T`; on one worker, for two rows may be of one text.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    for index in 0..<dy.count {
      let rows = rows(of: index, context)
      for row in rows { add(dy[index], scaledBy: 1 / Float(rows.count), to: dx[row], count: dy.width) }
    }
  }

  /// The rows that are pooled for output row `index`; none where nothing is given beside its text.
  private func rows(of index: Int, _ context: some StepContext) -> Range<Int> {
    let row = Int(context.batch.selected[index])
    let texts = context.pass.batches[RowAxis.tokens.index].sequences
    let own = context.batch(ofInput: 0).sequences
    guard let place = texts.firstIndex(where: { $0.rows.contains(row) }), own.indices.contains(place) else {
      return 0..<0
    }
    let rows = own[place].rows
    switch pool {
    case .first: return rows.prefix(1)
    case .last: return rows.suffix(1)
    case .mean: return rows
    }
  }

  func flops(step: Step, context: Int) -> Int { (pool == .mean ? context : 1) * step.outputs[0].width }
}

/// Rows divided by their length.
///
///     y = x / max(‖x‖, 1e-12)        as PyTorch's `normalize`
struct UnitRows: Kernel {
  let name = "unit rows"

  var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    for row in 0..<y.count {
      let factor = 1 / length(x[row], x.width)
      for i in 0..<x.width { y[row][i] = factor * x[row][i] }
    }
  }

  /// With n = ‖x‖: `dx += (dy − y·(y·dy)) / n`.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let (x, dy) = (context.input(), context.outputGradient())
    for row in 0..<dy.count {
      let n = length(x[row], x.width)
      let along = dot(x[row], dy[row], count: x.width) / (n * n)
      for i in 0..<x.width { dx[row][i] += (dy[row][i] - x[row][i] * along) / n }
    }
  }

  private func length(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    max(sumOfSquares(x, count: count).squareRoot(), 1e-12)
  }

  func flops(step: Step, context: Int) -> Int { 3 * step.outputs[0].width }
}

/// The vectors of a pair side by side, so that the product of the halves is what is compared.
///
///     y = (e^a·t, p);   with a bias  y = (e^a·t, b, p, 1)        a, b: [1]
struct JoinPair: Kernel {
  let name = "join pair"
  let bias: Bool

  var attributes: [Attribute] { [Attribute("bias", bias, plain: false)] }
  var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .only([0])) }

  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    inputs.prefix(1).map { $0.with(width: 2 * ($0.width + (bias ? 1 : 0))) }
  }

  func forward(_ context: ForwardContext) {
    let (t, p, y) = (context.input(), context.input(1), context.output())
    let factor = exp(context.parameter().vector[0])
    let half = y.width / 2
    for row in 0..<y.count {
      for i in 0..<t.width {
        y[row][i] = factor * t[row][i]
        y[row][half + i] = p[row][i]
      }
      guard bias else { continue }
      (y[row][t.width], y[row][half + t.width]) = (context.parameter(1).vector[0], 1)
    }
  }

  /// `dt += e^a·dy_1`, `dp += dy_2`, `da += e^a·Σ dy_1·t`, and db the sum of what stands in its place.
  func backward(_ context: BackwardContext) {
    let (t, dy) = (context.input(), context.outputGradient())
    let (dt, dp) = (context.inputGradient(), context.inputGradient(1))
    let factor = exp(context.parameter().vector[0])
    let half = dy.width / 2
    var (da, db): (Double, Double) = (0, 0)
    for row in 0..<dy.count {
      for i in 0..<t.width {
        dt?[row][i] += factor * dy[row][i]
        dp?[row][i] += dy[row][half + i]
        da += Double(factor * dy[row][i] * t[row][i])
      }
      if bias { db += Double(dy[row][t.width]) }
    }
    context.parameterGradient()?[0] += Float(da)
    if bias { context.parameterGradient(1)?[0] += Float(db) }
  }

  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}
