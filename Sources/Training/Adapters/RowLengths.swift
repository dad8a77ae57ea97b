import Components
import Execution
import Kernels

/// Gives the rows of an adapted matrix learned lengths, as DoRA does.
///
///     y_i = m_i·x_i / ‖W_i + s·(B·A)_i‖ + b_i        x: [rows, out], W: [out, in], A: [r, in], B: [out, r], m, b: [out]
///
/// x is what the matrix with its factors gave. The length that it is divided by counts as a constant in backward: Liu et al.,
/// 2024, https://arxiv.org/abs/2402.09353, section 4.3.
package struct RowLengths: Kernel {
  package let name = "row lengths"
  /// What the product of the factors is multiplied by.
  let scale: Float
  /// Whether a bias follows.
  let bias: Bool

  package init(scale: Float, bias: Bool) { (self.scale, self.bias) = (scale, bias) }

  package var attributes: [Attribute] { [Attribute("scale", scale), Attribute("bias", bias)] }
  package var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

  package func sharedScratch(step: Step, rows: Int) -> Int { step.outputs[0].width }
  package func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    let lengths = self.lengths(context)
    let m = context.parameter(3).vector
    let b = bias ? context.parameter(4).vector : nil
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        let (xs, ys) = (x[row], y[row])
        for i in 0..<y.width { ys[i] = m[i] / lengths[i] * xs[i] + (b?[i] ?? 0) }
      }
    }
  }

  /// `dx_i += dy_i·m_i / ‖…‖`, `dm_i += Σ dy_i·x_i / ‖…‖`, `db_i += Σ dy_i`; nothing for W, A and B.
  package func backward(_ context: BackwardContext) {
    let (x, dy) = (context.input(), context.outputGradient())
    let lengths = self.lengths(context)
    let m = context.parameter(3).vector
    if let dx = context.inputGradient() {
      context.parallel(dy.count, grain: elementwiseGrain(dy.width)) { rows, _ in
        for row in rows {
          let (dxs, dys) = (dx[row], dy[row])
          for i in 0..<dy.width { dxs[i] += dys[i] * m[i] / lengths[i] }
        }
      }
    }
    let (dm, db) = (context.parameterGradient(3), bias ? context.parameterGradient(4) : nil)
    for row in 0..<dy.count {
      let (xs, dys) = (x[row], dy[row])
      for i in 0..<dy.width {
        dm?[i] += dys[i] * xs[i] / lengths[i]
        db?[i] += dys[i]
      }
    }
  }

  package func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }

  /// The lengths of the rows of W + s·B·A, in the memory that all workers share.
  private func lengths(_ context: some StepContext) -> UnsafePointer<Float> {
    let (w, a, b) = (context.parameter(0).matrix, context.parameter(1).matrix, context.parameter(2).matrix)
    let lengths = context.sharedScratch
    rowLengths(w, a, b, scale: scale, into: lengths) { context.parallel(w.rows, grain: 16, $0) }
    return UnsafePointer(lengths)
  }
}

/// ‖W_i + s·(B·A)_i‖ for every row i, sums in double; `divide` gives ranges of rows to workers. All three are f32.
func rowLengths(
  _ w: WeightMatrix, _ a: WeightMatrix, _ b: WeightMatrix, scale: Float, into lengths: UnsafeMutablePointer<Float>,
  _ divide: ((Range<Int>, Worker) -> Void) -> Void
) {
  let (columns, rank) = (w.columns, a.rows)
  let (ws, factors, bs) = (
    w.base.assumingMemoryBound(to: Float.self), a.base.assumingMemoryBound(to: Float.self),
    b.base.assumingMemoryBound(to: Float.self)
  )
  divide { rows, _ in
    withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { sum in
      guard let sum = sum.baseAddress else { return }
      for row in rows {
        sum.update(from: ws + row * columns, count: columns)
        for r in 0..<rank {
          let (factor, line) = (scale * bs[row * rank + r], factors + r * columns)
          for i in 0..<columns { sum[i] += factor * line[i] }
        }
        var squares = 0.0
        for i in 0..<columns { squares += Double(sum[i]) * Double(sum[i]) }
        lengths[row] = Float(squares.squareRoot())
      }
    }
  }
}

extension Parameters {
  /// Lengths as they start: those of the rows of the matrices, with which nothing changes.
  public func startLengths(of plan: Plan) {
    for step in plan.steps where step.operation is RowLengths {
      guard let target = mutable(step.parameters[3])?.baseAddress, let matrix = mutable(step.parameters[0]) else {
        continue
      }
      let columns = matrix.count / max(1, plan.parameters[step.parameters[3]].count)
      for (row, start) in stride(from: 0, to: matrix.count, by: max(1, columns)).enumerated() {
        let squares = matrix[start..<start + columns].reduce(0.0) { $0 + Double($1) * Double($1) }
        target[row] = Float(squares.squareRoot())
      }
    }
  }
}
