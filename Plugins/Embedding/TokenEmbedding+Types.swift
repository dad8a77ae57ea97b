import Components
import Kernels

/// Adds the vector of the text that a token belongs to, of two that are read together.
///
///     y[t] = x[t] + W[0] before the second text, x[t] + W[1] in it        W: [types, width]
///
/// Devlin et al., 2018, https://arxiv.org/abs/1810.04805. A table of one vector has the same for both.
struct AddTokenTypes: Kernel {
  let name = "add token types"
  /// Rows of the table.
  let types: Int

  var attributes: [Attribute] { [Attribute("types", types)] }
  var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

  func forward(_ context: ForwardContext) {
    let table = context.parameter().matrix
    let x = context.input()
    let y = context.output()
    for sequence in context.sequences {
      let (first, last) = (sequence.rows.lowerBound, kind(at: Int.max, of: sequence))
      context.parallel(sequence.rows.count, grain: elementwiseGrain(x.width)) { own, worker in
        let (scratch, width) = (worker.scratch, x.width)
        for kind in 0...last {
          widen(table.format, table.base + kind * table.rowBytes, count: width, into: scratch + kind * width)
        }
        for offset in own {
          let vector = scratch + kind(at: sequence.start + offset, of: sequence) * width
          let (xs, ys) = (x[first + offset], y[first + offset])
          for i in 0..<width { ys[i] = xs[i] + vector[i] }
        }
      }
    }
  }

  /// The row of the table for the token at `position` of a sequence.
  private func kind(at position: Int, of sequence: SequenceSpan) -> Int {
    position >= sequence.second && types > 1 ? 1 : 0
  }

  /// `dx += dy`, `dW[type] += dy`.
  func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    if let dx = context.inputGradient() { add(dy.base, scaledBy: 1, to: dx.base, count: dy.count * dy.width) }
    guard let dw = context.parameterGradient() else { return }
    for sequence in context.sequences {
      for index in sequence.rows {
        let type = kind(at: sequence.start + index - sequence.rows.lowerBound, of: sequence)
        add(dy[index], scaledBy: 1, to: dw + type * dy.width, count: dy.width)
      }
    }
  }

  /// `x + embedding(types)`; a table of one vector is added as it is.
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard types > 1, call.form == .plain else {
      return call.input() + PyTorchExpression("\(call.parameter().text)[0]")
    }
    let rows = call.constant("num_types", PyTorchExpression(types))
    if let table = call.module("nn.Embedding(\(rows), \(call.outputWidths[0]))") {
      return call.input() + .call(table.text, [call.types()])
    }
    return call.input() + .call("F.embedding", [call.types(), call.parameter()])
  }

  func scratch(step: Step, rows: Int, context: Int) -> Int { 2 * step.outputs[0].width }

  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}
