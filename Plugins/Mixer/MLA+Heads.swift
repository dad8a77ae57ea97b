import Components
import Kernels

extension MLA {
  /// Each head's part of a row by that head's own rows of one matrix, or by their transpose.
  ///
  ///     y[t, h] = W_h·x[t, h]        transposed: y[t, h] = W_hᵀ·x[t, h]
  ///
  /// W: [heads·group, columns], of which W_h are the rows `rows` of group h.
  struct HeadLinear: Kernel {
    let name = "head linear"
    let heads: Int
    let columns: Int
    let rows: Range<Int>
    let group: Int
    let transposed: Bool

    init(heads: Int, columns: Int, rows: Range<Int>, of group: Int, transposed: Bool) {
      (self.heads, self.columns, self.rows, self.group, self.transposed) = (heads, columns, rows, group, transposed)
    }

    /// So few rows are multiplied by a transpose as sums of its rows, for which nothing is packed.
    private static let few = 8

    private func part(_ head: Int, of matrix: WeightMatrix) -> WeightMatrix {
      WeightMatrix(
        base: matrix.base + (head * group + rows.lowerBound) * matrix.rowBytes, format: matrix.format, rows: rows.count,
        columns: matrix.columns)
    }

    var attributes: [Attribute] {
      [
        Attribute("heads", heads),
        Attribute("columns", columns),
        Attribute("rows", [rows.lowerBound, rows.upperBound]),
        Attribute("group", group),
        Attribute("transposed", transposed, plain: false),
      ]
    }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: heads * (transposed ? columns : rows.count))]
    }

    func forward(_ context: ForwardContext) {
      let (x, y, matrix) = (context.input(), context.output(), context.parameter().matrix)
      let (inputs, outputs) = (x.width / heads, y.width / heads)
      if transposed, x.count <= Self.few { return sumOfRows(x, y, matrix, context) }
      for head in 0..<heads {
        let own = part(head, of: matrix)
        if transposed {
          let (gathered, sums) = (context.sharedScratch, context.sharedScratch + x.count * inputs)
          gather(x, head, into: gathered)
          matmulTransposed(
            gathered, rows: x.count, by: own, into: sums, accumulate: false, in: context.computeType, pool: context.pool
          )
          for row in 0..<x.count { (y[row] + head * outputs).update(from: sums + row * outputs, count: outputs) }
        } else {
          matmul(
            x.base + head * inputs, stride: x.width, rows: x.count, by: own, bias: nil, into: y.base + head * outputs,
            stride: y.width, accumulate: false, in: context.computeType, pool: context.pool)
        }
      }
    }

    private func sumOfRows(_ x: Rows, _ y: MutableRows, _ matrix: WeightMatrix, _ context: ForwardContext) {
      let (inputs, outputs) = (x.width / heads, y.width / heads)
      context.parallel(heads) { own, worker in
        for head in own {
          let weights = part(head, of: matrix)
          for row in 0..<x.count { (y[row] + head * outputs).update(repeating: 0, count: outputs) }
          for i in 0..<inputs {
            widen(weights.format, weights.base + i * weights.rowBytes, count: outputs, into: worker.scratch)
            for row in 0..<x.count {
              add(worker.scratch, scaledBy: x[row][head * inputs + i], to: y[row] + head * outputs, count: outputs)
            }
          }
        }
      }
    }

    /// `dx_h += W_hᵀ·dy_h`, `dW_h += dy_h·x_hᵀ`; transposed: `dx_h += W_h·dy_h`, `dW_h += x_h·dy_hᵀ`.
    func backward(_ context: BackwardContext) {
      let (x, dy, matrix) = (context.input(), context.outputGradient(), context.parameter().matrix)
      let (inputs, outputs) = (x.width / heads, dy.width / heads)
      let xs = context.sharedScratch
      let dys = xs + x.count * inputs
      let dxs = dys + x.count * outputs
      for head in 0..<heads {
        gather(x, head, into: xs)
        gather(dy, head, into: dys)
        if let dx = context.inputGradient() {
          let own = part(head, of: matrix)
          if transposed {
            matmul(
              dys, stride: outputs, rows: x.count, by: own, bias: nil, into: dxs, stride: inputs, accumulate: false,
              in: context.computeType, pool: context.pool)
          } else {
            matmulTransposed(
              dys, rows: x.count, by: own, into: dxs, accumulate: false, in: context.computeType, pool: context.pool)
          }
          for row in 0..<x.count { add(dxs + row * inputs, scaledBy: 1, to: dx[row] + head * inputs, count: inputs) }
        }
        if let dw = context.parameterGradient() {
          let own = dw + (head * group + rows.lowerBound) * matrix.columns
          matmulOuter(
            transposed ? xs : dys, outputs: transposed ? inputs : outputs, transposed ? dys : xs,
            inputs: transposed ? outputs : inputs, rows: x.count, into: own, accumulate: true,
            in: context.computeType, pool: context.pool)
        }
      }
    }

    private func gather(_ x: Rows, _ head: Int, into y: UnsafeMutablePointer<Float>) {
      let width = x.width / heads
      for row in 0..<x.count { (y + row * width).update(from: x[row] + head * width, count: width) }
    }

    func flops(step: Step, context: Int) -> Int { 2 * step.inputs[0].width * step.outputs[0].width / heads }

    func scratch(step: Step, rows: Int, context: Int) -> Int { step.outputs[0].width / heads }

    func sharedScratch(step: Step, rows: Int) -> Int {
      rows * (2 * step.inputs[0].width + step.outputs[0].width) / heads
    }
  }

  /// Two values concatenated, head by head.
  struct ConcatenateHeads: Kernel {
    let name = "concatenate heads"
    let heads: Int
    let first: Int
    let second: Int

    var attributes: [Attribute] { [Attribute("heads", heads, plain: 1), Attribute("widths", [first, second])] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .none) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: heads * (first + second))]
    }

    func forward(_ context: ForwardContext) {
      let (a, b, y) = (context.input(0), context.input(1), context.output())
      let (first, second) = (a.width / heads, b.width / heads)
      for row in 0..<y.count {
        for head in 0..<heads {
          let own = y[row] + head * (first + second)
          own.update(from: a[row] + head * first, count: first)
          (own + first).update(from: b[row] + head * second, count: second)
        }
      }
    }

    /// `da`, `db`: the parts of dy.
    func backward(_ context: BackwardContext) {
      let (da, db, dy) = (context.inputGradient(0), context.inputGradient(1), context.outputGradient())
      let (first, second) = ((da?.width ?? 0) / heads, (db?.width ?? 0) / heads)
      let width = dy.width / heads
      for row in 0..<dy.count {
        for head in 0..<heads {
          let own = dy[row] + head * width
          if let da { add(own, scaledBy: 1, to: da[row] + head * first, count: first) }
          if let db { add(own + width - second, scaledBy: 1, to: db[row] + head * second, count: second) }
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { 0 }
  }
}
