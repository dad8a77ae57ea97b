import Components
import Kernels

/// Logits of a matrix whose rows count with norm 1: each divided by the norm of its row.
///
///     y_i = x_i / ‖W_i‖
struct DivideByRowNorms: Kernel {
  let name = "divide by row norms"
  /// Elements in a row of the matrix.
  let columns: Int

  var attributes: [Attribute] { [Attribute("columns", columns, plain: columns)] }
  // Norms are computed anew in every pass, for nothing outlives a pass but states; beside the matrix's own multiplication
  // of a pass that is at most as much again.

  func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    let w = context.parameter().matrix
    context.parallel(x.width, grain: 64) { own, worker in
      for column in own {
        let norm = rowNorm(w, column, worker.scratch)
        for row in 0..<x.count { y[row][column] = x[row][column] / norm }
      }
    }
  }

  /// With n = ‖W_i‖: `dx_i += dy_i / n`, `dW_i −= Σ dy_i·x_i / n³ · W_i`.
  func backward(_ context: BackwardContext) {
    let x = context.input()
    let dy = context.outputGradient()
    let w = context.parameter().matrix
    let (dx, dw) = (context.inputGradient(), context.parameterGradient())
    context.parallel(x.width, grain: 64) { own, worker in
      for column in own {
        let norm = rowNorm(w, column, worker.scratch)
        var sum: Float = 0
        for row in 0..<x.count {
          dx?[row][column] += dy[row][column] / norm
          sum += dy[row][column] * x[row][column]
        }
        guard let dw else { continue }
        // The row is still there from its norm.
        add(worker.scratch, scaledBy: -sum / (norm * norm * norm), to: dw + column * w.columns, count: w.columns)
      }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.input() / call.parameter().method("norm", named: [("dim", "1")]).method("clamp", named: [("min", "1e-12")])
  }

  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }

  func scratch(step: Step, rows: Int, context: Int) -> Int { columns }
}

/// ‖W_i‖, at least 1e-12, as PyTorch's `normalize` has it; the row itself stays in `vector`.
private func rowNorm(_ w: WeightMatrix, _ row: Int, _ vector: UnsafeMutablePointer<Float>) -> Float {
  widen(w.format, w.base + row * w.rowBytes, count: w.columns, into: vector)
  return max(sumOfSquares(vector, count: w.columns).squareRoot(), 1e-12)
}
