import Components
import Kernels

/// Logits of a matrix whose rows count with length one: each divided by the length of its row.
///
///     y_i = x_i / ‖W_i‖
struct DivideByRowLengths: Kernel {
  let name = "divide by row lengths"
  // Lengths are computed anew in every pass, for nothing outlives a pass but states; beside the matrix's own product
  // of a pass that is at most as much again.

  func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    let w = context.parameter().matrix
    context.parallel(x.width, grain: 64) { columns, _ in
      for column in columns {
        let length = rowLength(w, column)
        for row in 0..<x.count { y[row][column] = x[row][column] / length }
      }
    }
  }

  /// With l = ‖W_i‖: `dx_i += dy_i / l`, `dW_i −= Σ dy_i·x_i / l³ · W_i`.
  func backward(_ context: BackwardContext) {
    let x = context.input()
    let dy = context.outputGradient()
    let w = context.parameter().matrix
    let (dx, dw) = (context.inputGradient(), context.parameterGradient())
    context.parallel(x.width, grain: 64) { columns, _ in
      for column in columns {
        let length = rowLength(w, column)
        var sum: Float = 0
        for row in 0..<x.count {
          dx?[row][column] += dy[row][column] / length
          sum += dy[row][column] * x[row][column]
        }
        guard let dw else { continue }
        withScratch(w.columns) { vector in
          widen(w.format, w.base + column * w.rowBytes, count: w.columns, into: vector)
          add(vector, scaledBy: -sum / (length * length * length), to: dw + column * w.columns, count: w.columns)
        }
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}

/// ‖W_i‖, at least 1e-12, as PyTorch's `normalize` has it.
private func rowLength(_ w: WeightMatrix, _ row: Int) -> Float {
  var length: Float = 0
  withScratch(w.columns) { vector in
    widen(w.format, w.base + row * w.rowBytes, count: w.columns, into: vector)
    length = sumOfSquares(vector, count: w.columns).squareRoot()
  }
  return max(length, 1e-12)
}
